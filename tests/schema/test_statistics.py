"""Statistics of many commits add up: exactly where they can, near the truth elsewhere."""

import json

import numpy as np
import pyarrow as pa
import pytest

import treering as tr
from treering.ingestion.statistics import Tally
from treering.schema.column_statistics import ColumnStatistics
from treering.schema.statistics import GroupStatistics

RANDOM = np.random.default_rng(3)
SCHEMA = tr.Schema((tr.Feature("key", "String"), tr.Feature("value", "Fractional")))


def of(values: np.ndarray, keys: list[str] | None = None) -> GroupStatistics:
    tally = Tally(SCHEMA)
    tally.add(pa.table({"key": keys or ["a"] * len(values), "value": pa.array(values, from_pandas=True)}), np.arange(len(values)))
    return GroupStatistics("g", 0, len(values), 0, len(values), tally.finished())


def added(*parts: GroupStatistics, schema: tr.Schema = SCHEMA) -> GroupStatistics:
    return GroupStatistics.sum_of(parts, "g", len(parts), schema)


def test_sums_are_exact():
    values = RANDOM.normal(5, 2, size=3_000)
    whole, summed = of(values)["value"], added(*map(of, np.split(values, [1, 10, 2_000])))["value"]
    assert (summed.count, summed.minimum, summed.maximum) == (whole.count, whole.minimum, whole.maximum)
    assert summed.mean == pytest.approx(whole.mean, rel=1e-13)
    assert summed.deviation == pytest.approx(whole.deviation, rel=1e-13)


def test_deviations_add_up_far_from_zero():
    values = 1e15 + np.arange(1_000) % 2
    summed = added(*map(of, np.split(values, [100, 101, 500])))["value"]
    assert summed.deviation == pytest.approx((values - 1e15).std(ddof=1), rel=1e-3)


def test_a_large_commit_weighs_more_than_a_small_one():
    summed = added(of(RANDOM.uniform(0, 1, 9_000)), of(RANDOM.uniform(100, 101, 1_000)))["value"]
    assert summed.quantile(0.5) == pytest.approx(0.555, abs=0.03)
    assert summed.quantile(0.95) > 100


def test_quantiles_of_few_values_are_exact_over_commits():
    assert added(of(np.array([1.0, 4.0])), of(np.array([3.0, 2.0])))["value"].quantile(0.5) == 2.5


def test_the_values_of_a_histogram_stay_where_they_were():
    summed = added(of(np.zeros(10)), of(np.full(30, 100.0)))["value"].histogram
    assert summed is not None
    assert (summed.counts[0], summed.counts[-1], sum(summed.counts)) == (10, 30, 40)


def test_commonest_values_are_added_up():
    summed = added(of(np.zeros(3), ["x", "x", "y"]), of(np.zeros(2), ["y", "y"]))
    assert summed["key"].top_values == (("y", 3), ("x", 2))


def test_rows_of_commits_that_did_not_know_a_column_are_nulls():
    wider = SCHEMA.adding([tr.Feature("late", "Integral")])
    summed = added(of(np.zeros(3)), of(np.zeros(2)), schema=wider)["late"]
    assert (summed.count, summed.nulls, summed.null_share) == (0, 5, 1.0)


def test_an_infinity_in_one_commit_leaves_no_mean():
    summed = added(of(np.array([1.0])), of(np.array([np.inf, 2.0])))["value"]
    assert (summed.mean, summed.infinite, summed.maximum) == (None, 1, 2.0)


def test_no_commits_are_no_rows():
    empty = added()
    assert (empty.rows, empty.first_event_time, empty["value"]) == (0, None, ColumnStatistics(tr.FeatureType.FRACTIONAL, 0, 0))


def test_statistics_are_read_back_from_json():
    statistics = added(of(RANDOM.normal(size=500)), of(np.array([1.0, 2.0])))
    assert GroupStatistics.from_json(json.loads(json.dumps(statistics.to_json(), allow_nan=False))) == statistics


def test_a_table_is_shown():
    assert repr(added(of(np.array([0.5, 1.0, np.nan]), ["a", "b", "b"]))).splitlines() == [
        "Statistics of 'g' as of commit 1: 3 rows, 1970-01-01 00:00:00Z to 1970-01-01 00:00:00.000003Z",
        "  column  type        nulls  minimum  median  maximum    mean  deviation",
        "  key     String         0%                                               b 66.7%, a 33.3%",
        "  value   Fractional  33.3%   0.5000  0.7500        1  0.7500     0.3536  █▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█",
    ]
