from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treering.errors import SchemaMismatchError
from treering.schema.feature_group import TimeZone
from treering.schema.times import MICROSECONDS_PER_DAY, time_text
from treering.schema.types import FeatureType
from treering.sources.times import event_times, feature_times

NEW_YORK = "America/New_York"


def converted(
    values: list[object], type: pa.DataType | None = None, *, zone: TimeZone | None = None, date_means: int | None = None, up: bool = True
) -> list[str | None]:
    """The times as text; a bad row's is its reason."""
    array = pa.array(values, type)
    declared = FeatureType.FRACTIONAL if pa.types.is_floating(array.type) else FeatureType.TIMESTAMP
    result = event_times(array, declared, zone, date_means, round_up=up)
    assert result.values.type == pa.timestamp("us", tz="UTC")
    shown = [None if time is None else time_text(time) for time in result.values.view(pa.int64()).to_pylist()]
    for problem in result.problems:
        for row in problem.rows:
            assert shown[row] is None
            shown[row] = problem.reason
    return shown


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-02-29T12:00:00Z", "2024-02-29 12:00:00Z"),
        ("2024-02-29 12:00Z", "2024-02-29 12:00:00Z"),
        ("2024-02-29T12:00:00+05:30", "2024-02-29 06:30:00Z"),
        ("2024-02-29T12:00:00.5-0800", "2024-02-29 20:00:00.500000Z"),
        ("2024-02-29T12:00:00+02", "2024-02-29 10:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999Z"),
        ("2024-02-30T12:00:00Z", "unreadable time"),
        ("2023-02-29T12:00:00Z", "unreadable time"),
        ("2024-01-01T24:00:00Z", "unreadable time"),
        ("2024-01-01T23:59:60Z", "unreadable time"),
        ("01/02/2024", "unreadable time"),
        ("", "unreadable time"),
        ("0000-12-31T23:59:59Z", "time outside years 1 to 9999"),
        ("0001-01-01T00:00:00+01:00", "time outside years 1 to 9999"),
        ("9999-12-31T23:59:59.9999999Z", "time outside years 1 to 9999"),
    ],
)
def test_iso_text_is_read_alone_and_beside_text_that_cannot_be_read(text: str, time: str) -> None:
    assert converted([text]) == [time]
    assert converted([text, "x", None]) == [time, "unreadable time", None]


def test_what_is_finer_than_a_microsecond_never_looks_ahead() -> None:
    text = ["2024-01-01T00:00:00.1234561Z", "1600-01-01T00:00:00.000000001Z"]
    assert converted(list(text)) == ["2024-01-01 00:00:00.123457Z", "1600-01-01 00:00:00.000001Z"]
    assert converted(list(text), up=False) == ["2024-01-01 00:00:00.123456Z", "1600-01-01 00:00:00Z"]


def test_nanoseconds_before_1970_round_the_same_way() -> None:
    nanoseconds = pa.timestamp("ns", tz="UTC")
    assert converted([-1, 1], nanoseconds) == ["1970-01-01 00:00:00Z", "1970-01-01 00:00:00.000001Z"]
    assert converted([-1, 1], nanoseconds, up=False) == ["1969-12-31 23:59:59.999999Z", "1970-01-01 00:00:00Z"]


@pytest.mark.parametrize(("unit", "count"), [("s", 253_402_300_800), ("ms", -62_135_596_800_001), ("us", 253_402_300_800_000_000), ("s", 2**62)])
def test_arrow_times_outside_years_1_to_9999_are_bad_rows(unit: str, count: int) -> None:
    assert converted([count, 0], pa.timestamp(unit, tz=NEW_YORK)) == ["time outside years 1 to 9999", "1970-01-01 00:00:00Z"]


@pytest.mark.parametrize("column", [pa.array(["2024-01-01T00:00:00"]), pa.array([0], pa.timestamp("s"))])
def test_a_time_without_a_zone_is_an_error_until_one_is_declared(column: pa.Array) -> None:
    with pytest.raises(SchemaMismatchError, match=r"'time'.*without a zone.*time_zone="):
        event_times(column, FeatureType.TIMESTAMP, None, None, round_up=True)
    assert event_times(column, FeatureType.TIMESTAMP, TimeZone("UTC"), None, round_up=True).kind == "local"


@pytest.mark.parametrize("column", [pa.array(["2024-01-01"]), pa.array([1], pa.date32())])
def test_a_date_is_an_error_until_its_meaning_is_declared(column: pa.Array) -> None:
    with pytest.raises(SchemaMismatchError, match=r"dates.*date_means="):
        event_times(column, FeatureType.TIMESTAMP, TimeZone("UTC"), None, round_up=True)
    with pytest.raises(SchemaMismatchError, match="time_zone="):
        event_times(column, FeatureType.TIMESTAMP, None, 0, round_up=True)


@pytest.mark.parametrize(
    "pair", [("2024-01-01T00:00:00Z", "2024-01-01T00:00:00"), ("2024-01-01", "2024-01-01T00:00:00"), ("2024-01-01T00:00:00Z", "2024-01-01")]
)
@pytest.mark.parametrize("between", [0, 3, 40_000])
def test_kinds_of_times_may_not_be_mixed(pair: tuple[str, str], between: int) -> None:
    column = pa.array([pair[0]] * (between + 1) + [pair[1]])
    with pytest.raises(SchemaMismatchError, match="mixes"):
        event_times(column, FeatureType.TIMESTAMP, TimeZone("UTC"), 0, round_up=True)


def test_local_times_that_do_not_exist_or_occur_twice_are_bad_rows() -> None:
    local = ["2024-03-10 02:30:00", "2024-11-03 01:30:00", "2024-07-01 00:00:00"]
    assert converted(list(local), zone=TimeZone(NEW_YORK)) == ["local time that does not exist", "local time that occurs twice", "2024-07-01 04:00:00Z"]


@pytest.mark.parametrize(
    ("ambiguous", "nonexistent", "times"),
    [
        ("earliest", "earliest", ["2024-03-10 06:59:59.999999Z", "2024-11-03 05:30:00Z"]),
        ("latest", "latest", ["2024-03-10 07:00:00Z", "2024-11-03 06:30:00Z"]),
        ("latest", "error", ["local time that does not exist", "2024-11-03 06:30:00Z"]),
        ("error", "latest", ["2024-03-10 07:00:00Z", "local time that occurs twice"]),
    ],
)
def test_a_declaration_says_which_doubtful_time_is_meant(ambiguous: str, nonexistent: str, times: list[str]) -> None:
    zone = TimeZone(NEW_YORK, ambiguous, nonexistent)  # type: ignore[arg-type]
    assert converted(["2024-03-10 02:30:00", "2024-11-03 01:30:00"], zone=zone) == times


def test_a_date_means_a_moment_on_the_clocks_of_its_zone() -> None:
    zone = TimeZone(NEW_YORK)
    assert converted(["2024-03-10"], zone=zone, date_means=0) == ["2024-03-10 05:00:00Z"]
    assert converted(["2024-03-10"], zone=zone, date_means=MICROSECONDS_PER_DAY) == ["2024-03-11 04:00:00Z"]
    assert converted([19_792], pa.date32(), zone=zone, date_means=MICROSECONDS_PER_DAY) == ["2024-03-11 04:00:00Z"]
    assert converted(["9999-12-31"], zone=zone, date_means=MICROSECONDS_PER_DAY) == ["time outside years 1 to 9999"]


def test_a_day_without_a_midnight_starts_when_its_clocks_do() -> None:
    assert converted(["2018-11-04"], zone=TimeZone("America/Sao_Paulo"), date_means=0) == ["2018-11-04 03:00:00Z"]


def test_a_date_that_sets_no_clock_needs_no_declaration() -> None:
    assert feature_times(pa.array(["1980-05-01"]), None, name="born").values.to_pylist()[0].isoformat() == "1980-05-01T00:00:00+00:00"


def test_seconds_are_the_microseconds_that_were_written() -> None:
    seconds = [1.1, 1_700_000_000.123456, -0.000001, float("nan"), None, float("inf"), 1e18]
    bad = "time outside years 1 to 9999"
    assert converted(seconds) == ["1970-01-01 00:00:01.100000Z", "2023-11-14 22:13:20.123456Z", "1969-12-31 23:59:59.999999Z", None, None, bad, bad]


def test_seconds_finer_than_a_microsecond_never_look_ahead() -> None:
    assert converted([1.0000005]) == ["1970-01-01 00:00:01.000001Z"]
    assert converted([1.0000005], up=False) == ["1970-01-01 00:00:01Z"]


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
def test_every_microsecond_of_seconds_is_kept(seconds: int, micros: int) -> None:
    column = pa.array([float(f"{seconds}.{micros:06d}")])
    for round_up in (True, False):
        result = event_times(column, FeatureType.FRACTIONAL, None, None, round_up=round_up)
        assert result.values.view(pa.int64()).to_pylist() == [seconds * 1_000_000 + micros]


@settings(deadline=None)
@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.sampled_from([NEW_YORK, "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]))
def test_local_times_are_those_of_python(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    exists = first.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) == local
    expected = "local time that does not exist" if not exists else "local time that occurs twice"
    if exists and first.utcoffset() == second.utcoffset():
        expected = time_text((first - datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))) // timedelta(microseconds=1))
    assert converted([local.isoformat()], zone=TimeZone(name)) == [expected]


def test_clocks_still_change_after_the_listed_changes_end() -> None:
    local = ["2040-07-01 00:00:00", "2040-03-11 02:30:00", "2040-11-04 01:30:00"]
    assert converted(list(local), zone=TimeZone(NEW_YORK)) == ["2040-07-01 04:00:00Z", "local time that does not exist", "local time that occurs twice"]
    declared = TimeZone(NEW_YORK, ambiguous="latest", nonexistent="earliest")
    assert converted(list(local), zone=declared) == ["2040-07-01 04:00:00Z", "2040-03-11 06:59:59.999999Z", "2040-11-04 06:30:00Z"]


@pytest.mark.parametrize(("type", "hint"), [(pa.int64(), "Fractional"), (pa.bool_(), "Cast")])
def test_a_column_that_holds_no_times_is_an_error(type: pa.DataType, hint: str) -> None:
    with pytest.raises(SchemaMismatchError, match=hint):
        event_times(pa.array([1], pa.int64()).cast(type), FeatureType.TIMESTAMP, None, None, round_up=True)


@pytest.mark.parametrize("type", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_text_is_read_in_every_form_of_arrow(type: pa.DataType) -> None:
    assert converted(["2024-01-01T00:00:00Z", None], type) == ["2024-01-01 00:00:00Z", None]


def test_a_bad_row_in_a_long_column_is_found_where_it_is() -> None:
    texts = np.full(50_000, "2024-01-01T00:00:00Z", dtype=object)
    texts[[3, 20_000, 49_999]] = "x"
    result = event_times(pa.chunked_array([texts[:100], texts[100:]]), FeatureType.TIMESTAMP, None, None, round_up=True)
    assert np.concatenate([problem.rows for problem in result.problems]).tolist() == [3, 20_000, 49_999]
    assert result.values.null_count == 3
