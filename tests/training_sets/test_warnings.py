import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from support.found import HOUR, START, found
from treering.point_in_time.counts import LookupCounts
from treering.schema.fitted import FittedSteps
from treering.schema.times import time_text
from treering.training_sets.keyed_splits import GroupSplit
from treering.training_sets.warnings import warnings_of

RANDOM = np.random.default_rng(0)
NOISE = {"noise": RANDOM.normal(size=1_000)}
FIRST_HELD_BACK = START + 800 * HOUR
NOTHING_ELSE = {"before_feature_existed": {}, "ties": 0, "withheld": 0, "written_after_label": 0}


def learned(first: int | None, last: int | None, *steps: str) -> dict[str, tuple[FittedSteps, ...]]:
    return {"weather": (FittedSteps("8d3f", steps or ("MinMax(temp)",), 2_000, first, last),)}


def test_a_set_without_anything_odd_has_no_warnings() -> None:
    assert warnings_of(found({**NOISE, "late": RANDOM.integers(0, 2, 1_000)}, "late")) == ()


def test_a_lookup_that_found_no_record_says_why() -> None:
    counts = LookupCounts("weather", "", 3, rows=10, features=2, matched=0, no_history=7, not_yet_known=0, deleted=0, expired=3, **NOTHING_ELSE)
    (warning,) = warnings_of(dataclasses.replace(found(NOISE), counts=(counts,)))
    assert warning.startswith(
        "None of 10 rows found a record in 'weather', so its columns are null in every row: 7 had a key that is null or has no record, 3 had"
    )
    some = dataclasses.replace(counts, matched=1, no_history=6)
    assert warnings_of(dataclasses.replace(found(NOISE), counts=(some,))) == ()


def test_the_same_identifier_on_both_sides_is_counted() -> None:
    planes = [f"N{n % 100}" if n < 900 else f"M{n}" for n in range(1_000)]
    (warning,) = warnings_of(found({"plane": planes}, keys=("plane",)))
    assert warning.startswith("100 of 200 test rows (50.0%) have the same plane as a row of train")
    assert "split=tr.GroupSplit('plane', test=0.2)." in warning


def test_identifiers_of_several_columns_are_compared_together() -> None:
    flights = {"carrier": ["UA", "AA"] * 500, "flight": list(range(1_000))}
    assert warnings_of(found({**flights, **NOISE}, keys=("carrier",)))[0].startswith("200 of 200 test rows (100.0%)")
    assert not any("same carrier" in warning for warning in warnings_of(found({**flights, **NOISE}, keys=("carrier", "flight"))))


def test_rows_without_an_identifier_are_like_no_other() -> None:
    assert warnings_of(found({"plane": pa.nulls(1_000, pa.string())}, keys=("plane",))) == ()


def test_a_group_split_parts_identifiers() -> None:
    one = found({"plane": [f"N{n % 100}" for n in range(1_000)]}, keys=("plane",))
    codes = GroupSplit("plane", validation=0.1, test=0.2).assign(one.times, one.columns).indices.to_numpy()
    assert warnings_of(dataclasses.replace(one, split=codes)) == ()


def test_giveaways_are_looked_for_in_rows_of_train_alone() -> None:
    rows = np.arange(1_000)
    late = rows * rows % 7 < 3
    (warning,) = warnings_of(found({"told": late ^ (rows >= 800), "late": late}, "late"))
    assert warning.startswith("Feature 'told' almost gives the target 'late' away")
    assert "on 800 rows of train" in warning


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_a_feature_that_is_the_labels_time_is_named(unit: str) -> None:
    times = pa.array(START + np.arange(1_000) * HOUR).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "America/New_York"))
    (warning,) = warnings_of(found({"departs": times}))
    assert warning.startswith("Feature 'departs' is the label's time itself")


@pytest.mark.parametrize("values", [np.arange(1_000), -np.arange(1_000) / 7, np.arange(1_000) // 20, pa.array(range(1_000), pa.int32()).cast(pa.date32())])
def test_a_feature_that_only_counts_with_time_is_named(values: object) -> None:
    (warning,) = warnings_of(found({"number": values}))
    assert warning.startswith("Feature 'number' only counts with time (rank correlation ")
    assert "the model will never have seen the values of later rows" in warning


@pytest.mark.parametrize(
    "values",
    [np.arange(1_000) % 24, np.arange(1_000) + RANDOM.normal(scale=50, size=1_000), np.arange(1_000) // 250, np.ones(1_000), [str(n) for n in range(1_000)]],
)
def test_a_feature_that_only_drifts_or_repeats_is_not_named(values: object) -> None:
    assert warnings_of(found({"number": values})) == ()


def test_what_few_rows_show_is_chance() -> None:
    rows = np.arange(50)
    assert warnings_of(found({"number": rows, "late": rows > 25}, "late")) == ()


@pytest.mark.parametrize("last", [FIRST_HELD_BACK, FIRST_HELD_BACK + 10_000 * HOUR])
def test_steps_that_learned_from_held_back_rows_before_ingestion_are_named(last: int) -> None:
    (warning,) = warnings_of(found(NOISE, fitted=learned(START, last, "MinMax(temp)", "Standard(wind)")))
    assert "records of 'weather' from ingestion 8d3f went through MinMax(temp), Standard(wind), which had learned from 2,000 rows from" in warning
    assert warning.endswith(f"Fit these steps in the recipe of the training job instead, or on rows before {time_text(FIRST_HELD_BACK)}.")


def test_steps_that_learned_from_rows_of_unknown_time_are_named() -> None:
    (warning,) = warnings_of(found(NOISE, fitted=learned(None, None)))
    assert "2,000 rows of unknown time" in warning


def test_steps_that_learned_before_the_held_back_rows_are_fine() -> None:
    assert warnings_of(found(NOISE, fitted=learned(START, FIRST_HELD_BACK - 1))) == ()


def test_nothing_is_held_back_so_nothing_leaks() -> None:
    everything = dataclasses.replace(found({"plane": ["N1"] * 1_000}, keys=("plane",), fitted=learned(None, None)), split=np.zeros(1_000, dtype=np.int8))
    assert warnings_of(everything) == ()
