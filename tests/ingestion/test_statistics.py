"""Statistics that are taken as rows pass: what pandas finds in the same rows, however they are cut."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import treering as tr
from support.nyc_files import weather
from treering.ingestion.statistics import Tally
from treering.schema.column_statistics import ColumnStatistics
from treering.schema.types import Schema


def tallied(table: pa.Table, *cuts: int, sampled_rows: int = 10_000) -> dict[str, ColumnStatistics]:
    """Statistics of a table that comes in pieces which end at the cuts."""
    tally = Tally(Schema.of(table), sampled_rows=sampled_rows)
    edges = [0, *cuts, len(table)]
    for start, end in pairwise(edges):
        tally.add(table.slice(start, end - start), np.arange(start, end))
    return tally.finished()


def one(values: Any, **options: Any) -> ColumnStatistics:
    return tallied(pa.table({"value": values}), **options)["value"]


@pytest.mark.parametrize("column", ["temp", "wind_dir", "wind_gust", "precip"])
def test_figures_are_those_of_pandas(column: str):
    series = weather()[column]
    found = one(pa.array(series, from_pandas=True))
    assert (found.count, found.nulls) == (series.count(), series.isna().sum())
    assert (found.minimum, found.maximum) == (series.min(), series.max())
    assert found.mean == pytest.approx(series.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(series.std(), rel=1e-12)


def test_quantiles_of_few_rows_are_those_of_pandas():
    series = weather()["temp"].head(5_000)
    found = one(pa.array(series, from_pandas=True))
    assert list(found.quantiles.values()) == pytest.approx(series.quantile(list(found.quantiles)).tolist(), rel=1e-12)


def test_the_sample_is_the_same_however_rows_are_cut():
    table = pa.table({"value": np.random.default_rng(1).normal(size=5_000), "word": [f"w{row % 50}" for row in range(5_000)]})
    whole, cut = (tallied(table, *cuts, sampled_rows=200) for cuts in ((), (1, 2, 700, 701, 3_000)))
    for name in table.column_names:
        assert (whole[name].points, whole[name].top_values) == (cut[name].points, cut[name].top_values)
    assert whole["value"].mean == pytest.approx(cut["value"].mean)
    assert whole["value"].deviation == pytest.approx(cut["value"].deviation)


def test_estimates_from_a_sample_are_near_the_truth():
    found = one(np.arange(100_000.0), sampled_rows=2_000)
    assert found.quantiles[0.5] == pytest.approx(50_000, rel=0.1)
    assert found.histogram is not None
    assert sum(found.histogram.counts) == 100_000
    assert max(found.histogram.counts) < 2 * min(found.histogram.counts)


def test_the_commonest_values_come_first():
    found = one(["JFK", "EWR", "JFK", None, "LGA", "EWR", "JFK"])
    assert found.top_values == (("JFK", 3), ("EWR", 2), ("LGA", 1))


def test_values_that_are_all_different_have_no_commonest():
    assert one(np.arange(1_000) / 7).top_values == ()


def test_long_text_is_shortened_before_it_is_held():
    assert one(["x" * 100_000, "short"]).top_values == (("short", 1), ("x" * 37 + "...", 1))


def test_infinities_are_counted_apart_and_leave_no_mean():
    found = one([1.0, math.inf, 2.0, -math.inf, 3.0])
    assert (found.count, found.infinite, found.minimum, found.maximum) == (5, 2, 1.0, 3.0)
    assert (found.mean, found.deviation, found.points) == (None, None, (1.0, 2.0, 3.0))


def test_the_ends_of_floats_are_no_error():
    found = one([1.7e308, -1.7e308, 0.0])
    assert (found.minimum, found.maximum, found.histogram) == (-1.7e308, 1.7e308, None)
    assert ColumnStatistics.from_json(found.to_json()) == found


def test_times_have_a_range_and_an_order_but_no_mean():
    times = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True).as_unit("us")
    found = one(pa.array(times))
    assert found.quantile(0.5) == pd.Timestamp("2024-01-02", tz="UTC").value // 1_000
    assert found.mean is None


def test_whole_numbers_are_exact_where_floats_are_not():
    found = one([2**53 + 1, 2**62 + 1])
    assert (found.minimum, found.maximum) == (2**53 + 1, 2**62 + 1)


def test_months_have_a_bin_each():
    histogram = one(list(range(1, 13)) * 2).histogram
    assert histogram is not None
    assert histogram.counts == (2,) * 12


@pytest.mark.parametrize("values", [[None, None], []], ids=["nulls", "nothing"])
def test_a_column_without_values_has_nothing_but_counts(values: list[None]):
    found = one(pa.array(values, pa.float64()))
    assert (found.count, found.nulls) == (0, len(values))
    assert {found.minimum, found.mean, found.deviation, found.histogram} == {None}


def test_booleans_and_vectors():
    assert one([True, False, True]).top_values == ((True, 2), (False, 1))
    vectors = pa.array([[1.0, 2.0], None], pa.list_(pa.field("element", pa.float32(), nullable=False)))
    tally = Tally(tr.Schema((tr.Feature("value", "Vector", 2),)))
    tally.add(pa.table({"value": vectors}), np.arange(2))
    assert tally.finished()["value"] == ColumnStatistics(tr.FeatureType.VECTOR, 1, 1)
