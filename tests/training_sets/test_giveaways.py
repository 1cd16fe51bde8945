from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from support.nyc_files import nyc_file
from treering.demo.raw_zone import FLIGHTS
from treering.training_sets.giveaways import giveaways

RANDOM = np.random.default_rng(0)
ROWS = 2_000
LATE = RANDOM.integers(0, 2, ROWS).astype(bool)
NOISE = RANDOM.normal(size=ROWS)


@cache
def flights() -> pa.Table:
    columns = ["month", "hour", "dep_delay", "arr_delay", "air_time", "distance", "carrier", "origin", "dest", "tailnum", "dep_time"]
    frame = pd.read_csv(nyc_file(FLIGHTS), usecols=columns).iloc[::7]
    frame["cancelled"] = frame["dep_time"].isna()
    frame["late"] = (frame["arr_delay"] > 15).where(frame["arr_delay"].notna())
    frame["very_late"] = (frame["arr_delay"] > 120).where(frame["arr_delay"].notna())
    frame["status"] = np.where(frame["cancelled"], "cancelled", np.where(frame["arr_delay"] > 15, "delayed", "on time"))
    return pa.Table.from_pandas(frame, preserve_index=False)


def named(table: pa.Table, target: str) -> dict[str, str]:
    """The features that are named, each with its warning."""
    known = table.filter(table[target].is_valid())
    warnings = giveaways(known, target, [name for name in table.column_names if name not in ("late", "very_late", "cancelled", "status", target)])
    return {warning.split("'")[1]: warning for warning in warnings}


def alone(feature: Any, target: Any) -> bool:
    return bool(list(giveaways(pa.table({"feature": feature, "target": target}), "target", ["feature"])))


@pytest.mark.parametrize("target", ["late", "very_late"])
def test_a_strong_honest_feature_is_not_taken_for_a_giveaway(target: str) -> None:
    found = named(flights(), target)
    assert list(found) == ["arr_delay"]
    assert "an area under the ROC curve of 1.0000" in found["arr_delay"]


def test_what_is_null_exactly_where_the_target_is_one_value_gives_it_away() -> None:
    found = named(flights(), "cancelled")
    assert "it is null exactly where the target is 'True'" in found["dep_time"]
    assert {"dep_delay", "dep_time", "arr_delay", "air_time"} == set(found)


def test_classes_are_given_away_by_values_that_belong_to_one_each() -> None:
    status = flights()["status"]
    letters = pa.array([text[0] for text in status.to_pylist()])
    assert set(named(flights().append_column("letter", letters), "status")) == {"letter", "arr_delay", "dep_delay", "dep_time"}


def test_a_number_is_given_away_by_what_ranks_rows_alike() -> None:
    tens = pa.array(np.floor(flights()["arr_delay"].to_numpy() / 2))
    assert set(named(flights().append_column("halved", tens), "arr_delay")) == {"halved"}


def test_a_number_is_given_away_by_a_text_that_stands_for_it() -> None:
    route = pa.array([f"{a}-{b}" for a, b in zip(flights()["origin"].to_pylist(), flights()["dest"].to_pylist(), strict=True)])
    assert set(named(flights().append_column("route", route), "distance")) == {"dest", "route"}


@pytest.mark.parametrize("target", [LATE, LATE.astype(int), LATE.astype(float), np.where(LATE, "yes", "no")])
@pytest.mark.parametrize("sign", [1, -1])
def test_either_direction_and_any_type_of_target_counts(target: Any, sign: int) -> None:
    assert alone(sign * (LATE + NOISE * 0.1), target)
    assert not alone(sign * (LATE + NOISE), target)
    assert alone(sign * NOISE, NOISE**3)


def test_nulls_are_a_value_of_their_own() -> None:
    late = np.where(LATE & (NOISE < 0.5), None, LATE + NOISE * 0.05)
    assert alone(pa.array(late, pa.float64()), LATE)


def test_a_text_with_a_value_for_nearly_every_row_proves_nothing() -> None:
    assert not alone([f"N{n // 15}" for n in range(ROWS)], LATE)


def test_a_common_class_alone_makes_no_giveaway() -> None:
    rare = np.zeros(ROWS, dtype=bool)
    rare[:30] = True
    assert not alone(["a"] * ROWS, rare)
    assert not alone(np.where(rare, 1.0, 0.0) + NOISE * 0.5, rare)


def test_a_class_of_few_rows_is_told_apart_by_chance() -> None:
    rare = np.zeros(ROWS, dtype=bool)
    rare[:10] = True
    assert not alone(rare.astype(float), rare)


def test_a_target_of_very_many_texts_is_passed_over() -> None:
    names = [f"N{n // 20:05}" for n in range(40_000)]
    assert not alone(names, names)


def test_many_classes_and_many_values_stay_small() -> None:
    names = np.array([f"N{n % 900}" for n in range(50_000)])
    assert not alone(np.arange(50_000), names)
    assert alone(names, names)


@pytest.mark.parametrize("feature", [pa.array([[1.0]] * ROWS), pa.nulls(ROWS), pa.array([None] * ROWS, pa.float64()), pa.array([b"x"] * ROWS)])
@pytest.mark.parametrize("target", [LATE, NOISE, ["a"] * ROWS, [[1.0]] * ROWS])
def test_columns_of_no_use_are_passed_over(feature: pa.Array, target: Any) -> None:
    assert not alone(feature, target)
