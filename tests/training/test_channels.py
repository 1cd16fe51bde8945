from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.looked import LookedUp, build_set, flights, with_column
from treering.errors import TrainingError
from treering.recipes import OneHot, Recipe, step
from treering.training.channels import write_channels
from treering.training.matrix import Rows
from treering.training_sets.splits import TimeSplit


def rows_of(root: Path, table: pa.Table | None = None, recipe: Recipe | None = None, **labels: object) -> Rows:
    looked = LookedUp(flights() if table is None else table, **labels)
    return Rows.of(build_set(root, looked, split=TimeSplit.fractions(validation=0.2, test=0.2)), recipe)


def gapped(frame: pd.DataFrame) -> pd.DataFrame:
    """Has whole numbers in batches without gaps, and floats in the others, as pandas will have it."""
    return frame.assign(gaps=[None if delay > 90 else 1 for delay in frame["carrier_delay"]])


def test_each_split_is_a_file_with_features_then_target_in_label_order(tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    folders = write_channels(rows, tmp_path / "data", "parquet")
    assert list(folders) == ["train", "validation", "test"]
    for split, folder in folders.items():
        assert [path.name for path in folder.iterdir()] == [f"{split}.parquet"]
        table = pq.read_table(folder / f"{split}.parquet")
        assert table.column_names == ["distance", "wind", "carrier_delay", "late"]
        assert table.equals(rows.training_set.to_arrow(split, table.column_names))


def test_csv_has_a_header_and_the_same_rows(tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    folders = write_channels(rows, tmp_path / "data", "csv")
    read = pd.read_csv(folders["test"] / "test.csv")
    pd.testing.assert_frame_equal(read, rows.training_set.to_pandas("test", list(read.columns)))


def test_weights_stand_last(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, with_column(flights(), "importance", np.arange(2_000) + 1.0), weight="importance")
    folders = write_channels(rows, tmp_path / "data", "csv")
    assert list(pd.read_csv(folders["train"] / "train.csv").columns)[-2:] == ["late", "importance"]


def test_a_recipe_is_applied_and_every_file_has_one_schema(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, recipe=Recipe([step(gapped)]))
    small = Rows(rows.training_set, rows.recipe, drop_null_targets=False, batch_rows=7)
    folders = write_channels(small, tmp_path / "data", "parquet")
    schemas = {pq.read_schema(folder / f"{split}.parquet") for split, folder in folders.items()}
    assert [schema.names for schema in schemas] == [["distance", "wind", "carrier_delay", "gaps", "late"]]


def test_a_recipes_rows_do_not_depend_on_how_they_are_cut(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, recipe=Recipe([OneHot("distance", maximum_categories=3)]))
    small = Rows(rows.training_set, rows.recipe, drop_null_targets=False, batch_rows=11)
    whole, cut = write_channels(rows, tmp_path / "whole", "parquet"), write_channels(small, tmp_path / "cut", "parquet")
    assert pq.read_table(whole["train"]).equals(pq.read_table(cut["train"]))


def test_a_feature_that_takes_the_targets_name_is_refused(tmp_path: Path) -> None:
    def named_late(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(late=1)

    rows = rows_of(tmp_path, recipe=Recipe([step(named_late)]))
    with pytest.raises(TrainingError, match="makes a feature 'late'"):
        write_channels(rows, tmp_path / "data", "parquet")


def test_vectors_do_not_fit_into_csv(tmp_path: Path) -> None:
    vectors = pa.array([[1.0, 2.0]] * 2_000, pa.list_(pa.float32(), 2))
    rows = rows_of(tmp_path, with_column(flights(), "vector", vectors), features=("wind", "carrier_delay", "vector"))
    with pytest.raises(TrainingError, match="cannot be written as csv"):
        write_channels(rows, tmp_path / "data", "csv")
