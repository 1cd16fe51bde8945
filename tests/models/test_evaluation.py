import json

import numpy as np
import pytest
from sklearn import metrics

from treering.models.evaluation import (
    MAXIMUM_POINTS,
    Answers,
    BinaryEvaluation,
    MulticlassEvaluation,
    RegressionEvaluation,
    evaluate,
)
from treering.training.objectives import Kind


def chances(rows: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    chance = random.uniform(size=rows)
    return (random.uniform(size=rows) < chance).astype(float), chance


def binary(target: np.ndarray, chance: np.ndarray, weight: np.ndarray | None = None) -> BinaryEvaluation:
    found = evaluate(Answers(target, chance, weight), Kind.TWO_CLASSES)
    assert isinstance(found, BinaryEvaluation)
    json.dumps(found.to_json(), allow_nan=False)
    return found


def regression(target: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> RegressionEvaluation:
    found = evaluate(Answers(target, prediction, weight), Kind.AMOUNT)
    assert isinstance(found, RegressionEvaluation)
    json.dumps(found.to_json(), allow_nan=False)
    return found


def multiclass(target: np.ndarray, prediction: np.ndarray, classes: tuple[str, ...] = ("a", "b", "c")) -> MulticlassEvaluation:
    found = evaluate(Answers(target, prediction, None, classes), Kind.CLASSES)
    assert isinstance(found, MulticlassEvaluation)
    json.dumps(found.to_json(), allow_nan=False)
    return found


def test_binary_metrics_worked_out_by_hand() -> None:
    found = binary(np.array([0.0, 0.0, 1.0, 1.0, 1.0]), np.array([0.2, 0.6, 0.4, 0.7, 0.9]))
    assert found.confusion == ((1, 1), (1, 2))
    # Of the six pairs of a no and a yes, one is in the wrong order.
    assert found.metrics["auc"] == pytest.approx(5 / 6)
    assert [found.metrics[name] for name in ("accuracy", "precision", "recall", "f1", "base rate")] == pytest.approx([0.6, 2 / 3, 2 / 3, 2 / 3, 0.6])
    assert found.metrics["brier"] == pytest.approx((0.04 + 0.36 + 0.36 + 0.09 + 0.01) / 5)
    assert found.metrics["logloss"] == pytest.approx(-np.log([0.8, 0.4, 0.4, 0.7, 0.9]).mean())


def test_a_weight_of_two_is_a_row_given_twice() -> None:
    target, chance = chances(300)
    weight = np.random.default_rng(0).integers(1, 4, 300)
    twice = np.repeat(np.arange(300), weight)
    weighted, repeated = binary(target, chance, weight.astype(float)), binary(target[twice], chance[twice])
    assert weighted.metrics == pytest.approx(repeated.metrics)
    one, other = regression(target, chance, weight.astype(float)), regression(target[twice], chance[twice])
    assert one.metrics == pytest.approx(other.metrics)


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_rows_of_one_class_have_no_auc_and_no_curve(only: float) -> None:
    found = binary(np.full(4, only), np.array([0.1, 0.2, 0.3, 0.8]))
    assert (found.metrics["auc"], found.roc) == (None, ())
    assert (found.metrics["recall"] is None) == (only == 0.0)


def test_what_was_never_said_has_no_precision() -> None:
    assert binary(np.array([0.0, 1.0]), np.array([0.1, 0.2])).metrics["precision"] is None


def test_a_thinned_curve_keeps_its_ends_its_order_and_its_area() -> None:
    target, chance = chances()
    found = binary(target, chance)
    rates, caught = np.array(found.roc).T
    assert len(found.roc) <= MAXIMUM_POINTS
    assert (found.roc[0], found.roc[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert (np.diff(rates) >= 0).all()
    assert metrics.auc(rates, caught) == pytest.approx(found.metrics["auc"], abs=0.001)
    recall, precision = np.array(found.precision_recall).T
    assert len(recall) <= MAXIMUM_POINTS
    assert (recall[-1], precision[-1]) == (1.0, pytest.approx(found.metrics["base rate"]))


def test_chances_that_hold_lie_on_the_diagonal_in_bins_of_equal_size() -> None:
    found = binary(*chances(30_000))
    assert [one.rows for one in found.calibration] == [2_000] * 15
    assert [one.observed for one in found.calibration] == pytest.approx([one.predicted for one in found.calibration], abs=0.04)


def test_one_chance_for_all_rows_is_one_bin() -> None:
    (one,) = binary(np.array([0.0, 1.0, 1.0, 1.0]), np.full(4, 0.5)).calibration
    assert (one.predicted, one.observed, one.rows) == (0.5, 0.75, 4)


def test_regression_metrics_worked_out_by_hand() -> None:
    found = regression(np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 4.0]))
    assert found.metrics == pytest.approx({"rmse": (5 / 3) ** 0.5, "mae": 1.0, "r2": 1 - 5 / 14, "mean residual": 1 / 3})
    assert found.residual_quantiles["0.5"] == 0.0


def test_every_row_is_in_the_histogram_far_ones_in_its_last_bar() -> None:
    residual = np.concatenate([np.linspace(-1, 1, 999), [1_000.0]])
    found = regression(residual, np.zeros(1_000))
    assert sum(rows for _, rows in found.histogram) == 1_000
    assert found.histogram[-1][0] < 2


def test_one_row_has_no_r2() -> None:
    found = regression(np.array([3.0]), np.array([1.0]))
    assert (found.metrics["r2"], found.metrics["mae"], len(found.histogram)) == (None, 2.0, 1)


def test_multiclass_metrics_worked_out_by_hand() -> None:
    answers = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]])
    found = multiclass(np.array([0.0, 1.0, 1.0, 2.0]), answers)
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert found.metrics["accuracy"] == 0.75
    assert found.metrics["logloss"] == pytest.approx(-np.log([0.7, 0.6, 0.4, 0.6]).mean())
    assert [(one.name, one.rows, one.precision, one.recall) for one in found.classes] == [("a", 1, 0.5, 1.0), ("b", 2, 1.0, 0.5), ("c", 1, 1.0, 1.0)]


def test_a_class_without_rows_has_no_recall_and_no_auc() -> None:
    found = multiclass(np.array([0.0, 1.0]), np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1]]))
    assert (found.classes[2].rows, found.classes[2].recall, found.classes[2].auc) == (0, None, None)
    assert found.metrics["auc, one against rest"] == 1.0


def test_positions_of_classes_are_measured_without_chances() -> None:
    found = multiclass(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]))
    assert (found.metrics["accuracy"], found.metrics["logloss"]) == (pytest.approx(2 / 3), None)


def test_a_hazard_is_not_measured() -> None:
    assert evaluate(Answers(np.ones(2), np.ones(2)), Kind.SURVIVAL) is None
