from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import InvalidDefinitionError
from treering.schema.times import FIRST_TIME, LAST_TIME, duration_text, microseconds, microseconds_at, time_text


@pytest.mark.parametrize(
    ("duration", "length"),
    [("6h", 21_600_000_000), ("90s", 90_000_000), ("1d 12h", 129_600_000_000), ("1.5h", 5_400_000_000), ("15min", 900_000_000), ("7us", 7), (2, 2_000_000)],
)
def test_durations_are_read_as_people_write_them(duration: str | int, length: int) -> None:
    assert microseconds(duration) == length


@pytest.mark.parametrize("duration", ["", "6", "h", "six hours", "6h!", "-6h", "1y"])
def test_a_duration_that_cannot_be_read_is_refused_with_an_example(duration: str) -> None:
    with pytest.raises(InvalidDefinitionError, match="'6h'"):
        microseconds(duration, "max_age")


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="negative"):
        microseconds(timedelta(hours=-1))


@given(st.integers(0, 10**15))
def test_a_duration_written_out_is_read_back_to_its_two_largest_units(length: int) -> None:
    assert 0 <= length - microseconds(duration_text(length)) < length // 20 + 1


@given(st.integers(FIRST_TIME, LAST_TIME))
def test_a_time_written_out_is_read_back_exactly(time: int) -> None:
    assert microseconds_at(time_text(time).replace(" ", "T")) == time


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="has no zone"):
        microseconds_at("2013-10-01T00:00")


def test_a_moment_with_a_zone_is_taken_as_it_is() -> None:
    assert microseconds_at(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == microseconds_at("1970-01-01T01:00:01+01:00") == 1_000_000
