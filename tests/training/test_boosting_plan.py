from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from support.looked import LookedUp, build_set, flights, with_column
from treering.errors import NotFoundError, TrainingError
from treering.recipes import Category, Recipe
from treering.training.boosting_plan import Plan
from treering.training.matrix import Rows
from treering.training.parameters import XGBoost
from treering.training_sets.splits import TimeSplit


def rows_with(root: Path, name: str, values: Any, recipe: Recipe | None = None) -> Rows:
    return Rows.of(build_set(root, LookedUp(with_column(flights(), name, values))), recipe)


def test_what_xgboost_is_told_is_what_was_said(tmp_path: Path) -> None:
    rows = Rows.of(build_set(tmp_path), None)
    plan = Plan.of(XGBoost(objective="binary:logistic", max_depth=3, eval_metric=["f1", "auc"], monotone_constraints={"wind": 1}), rows)
    assert plan.parameters == {"objective": "binary:logistic", "max_depth": 3, "eval_metric": ["auc"], "monotone_constraints": (0, 1, 0)}
    assert Plan.of(XGBoost(), rows).parameters == {"eval_metric": ["rmse"]}


def test_classes_are_counted_where_their_number_was_not_said(tmp_path: Path) -> None:
    plan = Plan.of(XGBoost(objective="multi:softprob"), rows_with(tmp_path, "late", ["AA", "DL", "UA", "B6"] * 500))
    assert plan.parameters["num_class"] == 4


def test_a_linear_model_is_fitted_by_one_thread(tmp_path: Path) -> None:
    told = Plan.of(XGBoost(booster="gblinear"), Rows.of(build_set(tmp_path), None)).parameters
    assert (told["updater"], told["nthread"]) == ("coord_descent", 1)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"monotone_constraints": {"wnd": 1}}, NotFoundError, "No feature 'wnd'.*Did you mean 'wind'"),
        ({"monotone_constraints": (1, 0)}, TrainingError, "has 2 directions, and 3 features reach the model"),
        ({"interaction_constraints": [["wind", "delay"]]}, NotFoundError, "No feature 'delay'"),
        ({"early_stopping_rounds": 2}, TrainingError, r"none\. Build it with a split"),
        ({"objective": "binary:logistic", "class_weight": {2: 1}}, TrainingError, "names '2', which is no class"),
    ],
)
def test_a_trainer_that_does_not_fit_the_rows_is_refused(tmp_path: Path, parameters: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Plan.of(XGBoost(**parameters), Rows.of(build_set(tmp_path), None))


@pytest.mark.parametrize("parameters", [{"booster": "gblinear"}, {"tree_method": "exact"}])
def test_native_categories_are_refused_where_xgboost_has_none(tmp_path: Path, parameters: dict[str, Any]) -> None:
    rows = rows_with(tmp_path, "carrier_delay", ["AA", "UA"] * 1_000, Recipe([Category("carrier_delay")]))
    assert Plan.of(XGBoost(), rows).features["feature_types"] == ["q", "q", "c"]
    with pytest.raises(TrainingError, match="Use OneHot in the place of Category"):
        Plan.of(XGBoost(**parameters), rows)


def test_classes_weigh_in_the_train_split_alone(tmp_path: Path) -> None:
    looked = LookedUp(with_column(flights(), "late", ["yes", "no", "no", "no"] * 500))
    rows = Rows.of(build_set(tmp_path, looked, split=TimeSplit.fractions(validation=0.2)), None)
    plan = Plan.of(XGBoost(objective="binary:logistic", class_weight={"yes": 3}), rows)
    (matrix,) = plan.matrices("train")
    assert matrix.weight is not None
    assert np.array_equal(matrix.weight, np.where(matrix.target == 1, 3, 1))
    assert [matrix.weight for matrix in plan.matrices("validation")] == [None]


def test_what_a_person_should_know_of_the_target_is_said(tmp_path: Path) -> None:
    rows = rows_with(tmp_path, "late", flights()["late"].cast(pa.bool_()))
    assert next(Plan.of(XGBoost(objective="binary:logistic"), rows).remarks()).endswith("True is the positive one")
    assert "take objective='binary:logistic'" in next(Plan.of(XGBoost(), rows).remarks())
    assert list(Plan.of(XGBoost(objective="binary:logistic"), Rows.of(build_set(tmp_path / "numbers"), None)).remarks()) == []
