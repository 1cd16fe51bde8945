from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from support.looked import LookedUp, build_set, flights, with_column
from treering.errors import NotFoundError, TrainingError
from treering.recipes import DropMissing, LabelEncode, MinMax, Recipe, Standard
from treering.training.matrix import Rows, as_numbers, check_trainable, features_of
from treering.training_sets.splits import TimeSplit
from treering.training_sets.training_set import TrainingSet

SPLIT = TimeSplit.fractions(validation=0.2, test=0.2)


def numbers(values: Any, type: pa.DataType | None = None) -> list[float]:
    return as_numbers(pa.table({"x": pa.array(values, type)}))[:, 0].tolist()


def test_columns_become_numbers_and_nulls_nan() -> None:
    assert numbers([1, 2]) == [1.0, 2.0]
    assert numbers([True, False]) == [1.0, 0.0]
    assert np.isnan(numbers([None, float("nan")])).all()
    assert np.isnan(numbers([True, None])).tolist() == [False, True]
    assert numbers([2**60]) == [float(2**60)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["UA"], "feature 'x' holds text.*LabelEncode, OneHot or Category"),
        (pa.array(["UA"]).dictionary_encode(), "holds text"),
        ([datetime(2013, 1, 1, tzinfo=UTC)], "holds times"),
        (pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)), "holds vectors"),
        ([float("inf")], "infinite"),
        ([1e300], "too large for 32-bit"),
        ([b"bytes"], "cannot take"),
    ],
)
def test_a_column_that_is_no_number_is_named_with_what_to_do(values: Any, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        numbers(values)


def test_only_inputs_and_looked_up_columns_reach_the_model(tmp_path: Path) -> None:
    rows = Rows.of(build_set(tmp_path), None)
    (matrix,) = rows.matrices("train")
    assert rows.feature_names == ("distance", "wind", "carrier_delay")
    assert matrix.data.shape == (2_000, 3)
    assert matrix.target.tolist() == flights()["late"].to_pylist()


def test_a_recipe_learns_from_the_train_split_alone(tmp_path: Path) -> None:
    table = flights(1_000)
    wind = np.where(np.arange(1_000) < 600, np.linspace(0, 1, 1_000), 1_000.0)
    rows = Rows.of(build_set(tmp_path, LookedUp(with_column(table, "wind", wind)), split=SPLIT), Recipe([MinMax("wind")]))
    assert next(rows.matrices("train")).data[:, 1].max() == 1.0
    assert next(rows.matrices("validation")).data[:, 1].min() > 1_000


def test_numbers_do_not_depend_on_how_many_rows_are_read_at_once(tmp_path: Path) -> None:
    table = with_column(flights(3_000), "carrier_delay", ["UA", None, "AA"] * 1_000)
    recipe = Recipe([LabelEncode("carrier_delay"), Standard("wind")])
    fitted = Rows.of(build_set(tmp_path, LookedUp(table)), recipe)
    many = Rows(fitted.training_set, fitted.recipe, drop_null_targets=False, batch_rows=101)
    assert np.array_equal(next(fitted.matrices("train")).data, np.concatenate([matrix.data for matrix in many.matrices("train")]))


def test_embargoed_rows_are_never_read(tmp_path: Path) -> None:
    built = build_set(tmp_path, split=TimeSplit.fractions(validation=0.2, test=0.2, embargo="10h"))
    rows = Rows.of(built, None)
    assert rows.splits == ("train", "validation", "test")
    assert sum(len(matrix.target) for split in rows.splits for matrix in rows.matrices(split)) == 2_000 - built.splits["embargo"]


def test_weights_go_along_and_feed_nothing(tmp_path: Path) -> None:
    table = with_column(flights(), "late", flights()["late"]).add_column(0, "importance", pa.array(np.arange(2_000.0)))
    rows = Rows.of(build_set(tmp_path, LookedUp(table, weight="importance")), None)
    matrix = next(rows.matrices("train"))
    assert matrix.weight is not None
    assert matrix.weight[:3].tolist() == [0.0, 1.0, 2.0]
    assert "importance" not in rows.feature_names


def with_gaps(root: Path) -> TrainingSet:
    late = [None if row % 10 == 0 else float(value) for row, value in enumerate(flights()["late"].to_pylist())]
    return build_set(root, LookedUp(with_column(flights(), "late", late)), split=SPLIT)


def test_rows_without_a_target_are_refused_unless_they_may_be_dropped(tmp_path: Path) -> None:
    built = with_gaps(tmp_path)
    with pytest.raises(TrainingError, match=r"without a target \(120 in train, 40 in validation, 40 in test\).*drop_null_targets=True"):
        Rows.of(built, None)
    rows = Rows.of(built, None, drop_null_targets=True)
    assert [sum(len(matrix.target) for matrix in rows.matrices(split)) for split in rows.splits] == [1_080, 360, 360]


def test_a_recipe_does_not_learn_from_rows_without_a_target(tmp_path: Path) -> None:
    wind = np.where(np.arange(2_000) % 10 == 0, 50.0, 1.0)
    late = [None if row % 10 == 0 else 1.0 for row in range(2_000)]
    built = build_set(tmp_path, LookedUp(with_column(with_column(flights(), "late", late), "wind", wind)))
    rows = Rows.of(built, Recipe([Standard("wind")]), drop_null_targets=True)
    assert set(next(rows.matrices("train")).data[:, 1].tolist()) == {0.0}


@pytest.mark.parametrize(
    ("looked", "recipe", "message"),
    [
        (LookedUp(flights(), target=None), None, "no target"),
        (LookedUp(flights().drop_columns(["wind", "carrier_delay"]), features=(), inputs=[]), None, "nothing that may feed a model"),
        (
            LookedUp(flights()),
            Recipe([MinMax("wind"), DropMissing("wind")]),
            "has step 2, DropMissing, which drops rows.*Put it into the recipe of the ingestion",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused(tmp_path: Path, looked: LookedUp, recipe: Recipe | None, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Rows.of(build_set(tmp_path, looked), recipe)


def test_a_train_split_without_any_target_is_refused(tmp_path: Path) -> None:
    built = build_set(tmp_path, LookedUp(with_column(flights(), "late", pa.nulls(2_000, pa.float64()))))
    with pytest.raises(TrainingError, match="No row of the train split"):
        Rows.of(built, None, drop_null_targets=True)


def test_rows_that_lack_a_feature_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(NotFoundError, match=r"'wind'.*Did you mean 'winds'"):
        features_of(pa.table({"winds": [1.0]}), ("wind",), None)


def test_a_split_whose_rows_are_all_dropped_is_not_measured(tmp_path: Path) -> None:
    late = [float(value) if row < 1_600 else None for row, value in enumerate(flights()["late"].to_pylist())]
    built = build_set(tmp_path, LookedUp(with_column(flights(), "late", late)), split=SPLIT)
    assert Rows.of(built, None, drop_null_targets=True).splits == ("train", "validation")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([None, None, -1.0, *[1.0] * 1_997], r"weight 'importance' is null in 2 rows and negative in 1 in the train split of 'late'"),
        ([0.0] * 2_000, r"weight 'importance' is 0 in all 1,200 rows in the train split"),
        (["heavy"] * 2_000, "weight 'importance' holds text"),
    ],
)
def test_weights_that_cannot_weigh_are_refused_by_name(tmp_path: Path, weights: list[Any], message: str) -> None:
    table = flights().add_column(0, "importance", pa.array(weights))
    built = build_set(tmp_path, LookedUp(table, weight="importance"), split=SPLIT)
    with pytest.raises(TrainingError, match=message):
        check_trainable(built, None, drop_null_targets=False)


def test_a_recipe_that_is_fitted_batch_by_batch_learns_what_the_whole_split_teaches(tmp_path: Path) -> None:
    table = flights(70_000)
    table = with_column(table, "carrier_delay", [None if row > 66_000 and row % 3 else row % 7 for row in range(70_000)])
    built = build_set(tmp_path, LookedUp(table))
    steps = [LabelEncode("carrier_delay"), Standard("wind")]
    assert Rows.of(built, Recipe(steps)).recipe == Recipe(steps).fit(built.to_pandas("train", built.features))
    assert len(list(built.batches("train"))) > 1
