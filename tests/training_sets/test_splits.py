from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from treering.errors import InvalidDefinitionError
from treering.training_sets.splits import TimeSplit

DAY = 86_400_000_000
NO_LABELS = pa.table({})


def at(*texts: str) -> np.ndarray:
    return np.array([int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000 for text in texts], dtype=np.int64)


def test_a_row_at_the_boundary_belongs_to_the_later_split() -> None:
    split = TimeSplit(validation="2013-10-01", test="2013-11-15")
    times = at("2013-09-30T23:59:59", "2013-10-01", "2013-11-14T23:59:59", "2013-11-15")
    assert split.assign(times, NO_LABELS).to_pylist() == ["train", "validation", "validation", "test"]


def test_rows_just_before_a_boundary_are_embargoed() -> None:
    split = TimeSplit(validation="2013-10-01", test="2013-10-10", embargo="2d")
    times = at("2013-09-28T23:59:59", "2013-09-29", "2013-10-07", "2013-10-08", "2013-10-10")
    assert split.assign(times, NO_LABELS).to_pylist() == ["train", "embargo", "validation", "embargo", "test"]


def test_a_boundary_is_a_moment_of_the_named_zone() -> None:
    split = TimeSplit(validation="2013-10-01", time_zone="America/New_York")
    assert split.assign(at("2013-10-01T03:59:59", "2013-10-01T04:00:00"), NO_LABELS).to_pylist() == ["train", "validation"]


def test_text_dates_and_datetimes_name_the_same_boundary() -> None:
    boundaries = ("2013-10-01", date(2013, 10, 1), datetime(2013, 10, 1, tzinfo=UTC), "2013-10-01T02:00:00+02:00")
    assert {TimeSplit(validation=boundary) for boundary in boundaries} == {TimeSplit(validation="2013-10-01")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs a boundary"),
        ({"validation": "2013-10-02", "test": "2013-10-01"}, "Move them apart"),
        ({"validation": "2013-10-01", "test": "2013-10-02", "embargo": "1d"}, "no row is left"),
        ({"validation": "soon"}, "cannot be read"),
        ({"validation": 2013}, "The boundary 2013 is a int. Write a date"),
        ({"validation": "2013-10-01", "time_zone": "Mars/Base"}, "no time zone 'Mars/Base'"),
        ({"validation": "2013-11-03T01:30:00", "time_zone": "America/New_York"}, "twice or never"),
        ({"validation": "2013-03-10T02:30:00", "time_zone": "America/New_York"}, "twice or never"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        TimeSplit(**arguments)


# 1 - 0.3 - 0.2 is a little less than a half to a float.
@pytest.mark.parametrize(("validation", "test"), [(15, 15), (20, 30)])
def test_fractions_hold_back_the_latest_rows_whatever_their_order(validation: int, test: int) -> None:
    times = np.random.default_rng(0).permutation(100) * DAY
    names = TimeSplit.fractions(validation=validation / 100, test=test / 100).assign(times, NO_LABELS).to_pylist()
    by_time = [name for _, name in sorted(zip(times, names, strict=True))]
    assert by_time == ["train"] * (100 - validation - test) + ["validation"] * validation + ["test"] * test


def test_fractions_never_part_rows_of_one_time() -> None:
    times = np.repeat(np.arange(10), 10) * DAY
    names = TimeSplit.fractions(validation=0.25, test=0.25).assign(times, NO_LABELS).to_pylist()
    assert all(len(set(names[start : start + 10])) == 1 for start in range(0, 100, 10))
    assert names.count("test") == 30  # the boundary falls inside day 7, which goes to test whole


def test_fractions_keep_an_embargo_before_each_boundary() -> None:
    names = TimeSplit.fractions(validation=0.2, test=0.2, embargo="1d").assign(np.arange(10) * DAY, NO_LABELS).to_pylist()
    assert names == ["train"] * 5 + ["embargo", "validation", "embargo", "test", "test"]


@pytest.mark.parametrize("shares", [(0, 0), (0.5, 0.5), (-0.1, 0.2), (1, 0)])
def test_fractions_that_leave_nothing_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(InvalidDefinitionError):
        TimeSplit.fractions(*shares)


def test_fractions_of_rows_of_one_time_are_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="Move them apart"):
        TimeSplit.fractions(validation=0.2, test=0.2).assign(np.zeros(50, dtype=np.int64), NO_LABELS)


def test_a_split_shows_how_it_was_made() -> None:
    assert repr(TimeSplit.fractions(0.15, 0.15, embargo="6h")) == "TimeSplit.fractions(validation=0.15, test=0.15, embargo='6h')"
    assert repr(TimeSplit(validation="2013-10-01")) == "TimeSplit(validation='2013-10-01 00:00:00Z')"
