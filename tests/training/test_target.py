from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.looked import LookedUp, build_set, flights, with_column
from treering.errors import TrainingError
from treering.training.classes import Classes
from treering.training.matrix import Rows
from treering.training.parameters import XGBoost
from treering.training.target import learn_classes
from treering.training_sets.splits import TimeSplit

SPLIT = TimeSplit.fractions(validation=0.2, test=0.2)


def learnt(root: Path, values: Any, objective: str, **parameters: Any) -> Classes | None:
    looked = LookedUp(with_column(flights(), "late", values))
    return learn_classes(XGBoost(objective=objective, **parameters), Rows.of(build_set(root, looked, split=SPLIT), None))


def test_classes_are_those_of_the_train_split(tmp_path: Path) -> None:
    carriers = learnt(tmp_path, ["UA", "AA", "DL", "UA"] * 500, "multi:softprob", num_class=3)
    assert carriers == Classes(("AA", "DL", "UA"), (300, 300, 600))


def test_an_amount_has_no_classes(tmp_path: Path) -> None:
    assert learnt(tmp_path, np.arange(2_000.0), "reg:squarederror") is None
    assert learnt(tmp_path / "boolean", [True, False] * 1_000, "reg:squarederror") is None


@pytest.mark.parametrize(
    ("values", "objective", "message"),
    [
        (["yes", "no"] * 1_000, "reg:squarederror", "'late' holds text, and 'reg:squarederror' learns an amount. Take objective='binary:logistic'"),
        ([datetime(2013, 1, 1, tzinfo=UTC)] * 2_000, "binary:logistic", "'late' is time"),
        (["yes"] * 2_000, "binary:logistic", "'late' is 'yes' in all 1,200 rows of the train split, so there is nothing to learn"),
        ([7.5] * 2_000, "reg:squarederror", "'late' is 7.5 in all 1,200 rows"),
        ([0, 1, 2, 5] * 500, "binary:logistic", r"takes a target of two values, and 'late' has 4 in the train split: 0, 1, 2, 5\. Take multi:softprob"),
        ([0.25, 1] * 1_000, "binary:logistic", r"no whole numbers \(0.25, 1\).*reg:logistic"),
        (np.arange(2_000), "multi:softprob", "more than 1,000 values"),
        (["AA"] * 600 + ["UA"] * 600 + ["ZZ"] * 800, "multi:softprob", r"has values in the validation split that the train split has not \('ZZ'; 400 rows\)"),
        ([-1, 1] * 1_000, "reg:gamma", "'late' is -1 in the train split, and 'reg:gamma' takes a number above 0"),
        ([0.5] * 1_000 + [0.25] * 500 + [2] * 500, "reg:logistic", "'late' is 2 in the validation split"),
        ([1.0, float("inf")] * 1_000, "reg:squarederror", "target 'late' holds values that are infinite"),
    ],
)
def test_a_target_that_the_objective_cannot_learn_is_refused(tmp_path: Path, values: Any, objective: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        learnt(tmp_path, values, objective)


def test_the_number_of_classes_is_checked_where_it_was_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"`num_class` is 4, and the target 'late' has 2 values in the train split: 'AA', 'UA'\. Leave num_class out"):
        learnt(tmp_path, ["AA", "UA"] * 1_000, "multi:softprob", num_class=4)


def test_early_stopping_does_not_watch_what_one_class_does_not_have(tmp_path: Path) -> None:
    late = [0, 1] * 600 + [0] * 400 + [0, 1] * 200
    with pytest.raises(TrainingError, match=r"watches 'auc' of the validation split, and 'late' is 0 in all of its rows"):
        learnt(tmp_path, late, "binary:logistic", eval_metric=["logloss", "auc"], early_stopping_rounds=3)
    assert learnt(tmp_path / "other", late, "binary:logistic", eval_metric="logloss", early_stopping_rounds=3) == Classes((0, 1), (600, 600))
