from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import InvalidDefinitionError
from treering.schema.times import FIRST_TIME, LAST_TIME, Microseconds, duration_text, microseconds, microseconds_at, moment_at, time_text


@pytest.mark.parametrize(
    ("duration", "length"),
    [
        ("6h", 21_600_000_000),
        ("90s", 90_000_000),
        ("1d 12h", 129_600_000_000),
        ("1.5h", 5_400_000_000),
        ("15min", 900_000_000),
        ("7us", 7),
        (2, 2_000_000),
        ("90 days", 7_776_000_000_000),
        ("2 hours 1 minute", 7_260_000_000),
    ],
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


@pytest.mark.parametrize("duration", [float("nan"), float("inf")])
def test_a_duration_is_a_number_that_ends(duration: float) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"The max_age (nan|inf) is no length of time"):
        microseconds(duration, "max_age")


@pytest.mark.parametrize("duration", [1e30, "9999999d"])
def test_a_duration_fits_into_the_years_there_are(duration: float | str) -> None:
    with pytest.raises(InvalidDefinitionError, match="longer than all time there is, the years 1 to 9999"):
        microseconds(duration)


@given(st.integers(0, LAST_TIME - FIRST_TIME))
def test_what_is_counted_in_microseconds_is_taken_as_it_is_and_so_is_its_text(length: int) -> None:
    assert microseconds(Microseconds(length)) == microseconds(f"{length}us") == length


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_moment_that_utc_puts_outside_the_years_1_to_9999_is_refused(moment: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"The deletion's time .* lies outside the years 1 to 9999 in UTC"):
        microseconds_at(moment, "deletion's time")


@given(st.integers(FIRST_TIME, LAST_TIME))
def test_a_moment_is_read_back_exactly(time: int) -> None:
    assert microseconds_at(moment_at(time)) == time
