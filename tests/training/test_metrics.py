from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as known

from treering.training.metrics import measure
from treering.training.objectives import METRICS

RANDOM = np.random.default_rng(7)
TARGET, WEIGHTS = RANDOM.integers(0, 2, 500), RANDOM.random(500)
CHANCES = np.clip(0.6 * TARGET + RANDOM.normal(0.2, 0.3, 500), 0, 1)
CLASSES = RANDOM.integers(0, 4, 500)
GUESSES = np.where(RANDOM.random(500) < 0.6, CLASSES, RANDOM.integers(0, 3, 500))
SCORES: dict[str, Callable[..., Any]] = {
    "accuracy": known.accuracy_score,
    "balanced_accuracy": known.balanced_accuracy_score,
    "f1": lambda *rows, **weights: known.f1_score(*rows, average="macro", **weights),
    "f1_macro": lambda *rows, **weights: known.f1_score(*rows, average="macro", **weights),
    "precision_macro": lambda *rows, **weights: known.precision_score(*rows, average="macro", zero_division=0, **weights),
    "precision_micro": lambda *rows, **weights: known.precision_score(*rows, average="micro", **weights),
    "recall_macro": lambda *rows, **weights: known.recall_score(*rows, average="macro", **weights),
    "recall_micro": lambda *rows, **weights: known.recall_score(*rows, average="micro", **weights),
}
OF_TWO: dict[str, Callable[..., Any]] = {"f1_binary": known.f1_score, "precision": known.precision_score, "recall": known.recall_score}
AMOUNTS: dict[str, Callable[..., Any]] = {"mse": known.mean_squared_error, "r2": known.r2_score}


@pytest.mark.parametrize("name", [*SCORES, *OF_TWO])
def test_two_classes_are_measured_as_scikit_learn_does(name: str) -> None:
    score = (SCORES | OF_TWO)[name]
    assert measure(name, TARGET, CHANCES) == pytest.approx(score(TARGET, CHANCES > 0.5))
    assert measure(name, TARGET, CHANCES, WEIGHTS) == pytest.approx(score(TARGET, CHANCES > 0.5, sample_weight=WEIGHTS))


@pytest.mark.parametrize("name", SCORES)
def test_classes_are_measured_as_scikit_learn_does(name: str) -> None:
    expected = SCORES[name](CLASSES, GUESSES, sample_weight=WEIGHTS)
    assert measure(name, CLASSES, GUESSES, WEIGHTS, threshold=None) == pytest.approx(expected)
    assert measure(name, CLASSES, np.eye(4)[GUESSES], WEIGHTS) == pytest.approx(expected)


@pytest.mark.parametrize("name", AMOUNTS)
def test_amounts_are_measured_as_scikit_learn_does(name: str) -> None:
    assert measure(name, CHANCES, WEIGHTS, WEIGHTS) == pytest.approx(AMOUNTS[name](CHANCES, WEIGHTS, sample_weight=WEIGHTS))


def test_every_metric_of_treerings_own_is_compared() -> None:
    assert {name for name, metric in METRICS.items() if metric.is_own} == {*SCORES, *OF_TWO, *AMOUNTS}


def test_a_share_of_nothing_is_nought() -> None:
    assert measure("precision", np.array([0, 1]), np.array([0.1, 0.2])) == 0.0
    assert np.isnan(measure("r2", np.ones(3), np.ones(3)))
