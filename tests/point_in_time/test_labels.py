from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import treering as tr
from treering.errors import FeatureNotFoundError, LabelsError
from treering.settings import Settings

SETTINGS = Settings()
FIRST_OF_FEBRUARY = 1_359_676_800_000_000


def moments(times: Any, **declared: Any) -> list[int]:
    rows = tr.Labels(pl.DataFrame({"lt": times}), time="lt", **declared).read(SETTINGS)
    return [int(moment) for moment in rows.moments]


def test_dates_come_with_what_turns_them_into_times() -> None:
    frame = pd.DataFrame({"lt": [date(2013, 2, 1)]})
    with pytest.raises(LabelsError, match="holds dates") as refused:
        tr.Labels(frame, time="lt", time_zone="UTC").read(SETTINGS)
    code = str(refused.value).partition("Turn it into times first: ")[2].partition(" is the start")[0]
    exec(code, {"frame": frame, "pd": pd})
    assert tr.Labels(frame, time="lt").read(SETTINGS).moments.tolist() == [FIRST_OF_FEBRUARY]


def test_whole_numbers_are_no_times_until_somebody_says_of_what() -> None:
    seconds = [FIRST_OF_FEBRUARY // 1_000_000]
    with pytest.raises(LabelsError, match=r"holds int64.*Cast it to float if it holds seconds since 1970, or to a timestamp"):
        moments(seconds)
    assert moments([float(second) for second in seconds]) == [FIRST_OF_FEBRUARY]


def test_a_time_that_cannot_be_read_is_shown_with_its_row_and_what_would_do() -> None:
    with pytest.raises(
        LabelsError, match=r"1 of 2 label rows have no time in 'lt'.*: row 1: unreadable time '01\.02\.2013'\. Write ISO 8601, such as 2013-02-01T10:00Z"
    ):
        moments(["2013-02-01T10:00Z", "01.02.2013"])


def test_rows_without_a_time_are_told_from_those_whose_time_cannot_be_read() -> None:
    with pytest.raises(LabelsError, match=r"row 0: no time; row 2: unreadable time 'soon'\. Write ISO 8601.* Or drop these rows"):
        moments([None, "2013-02-01T10:00Z", "soon"])
    with pytest.raises(LabelsError, match=r"7 of 7 .*: row 0: no time; .*row 4: no time; and so on. Drop these rows or give them a time"):
        moments([None] * 7)


def test_a_local_time_that_occurs_twice_comes_with_how_to_say_which_is_meant() -> None:
    twice = ["2013-11-03T01:30:00"]
    with pytest.raises(LabelsError, match=r"row 0: local time that occurs twice '2013-11-03T01:30:00'\. Say which .*'America/New_York', ambiguous='earliest'"):
        moments(twice, time_zone="America/New_York")
    assert moments(twice, time_zone=tr.TimeZone("America/New_York", ambiguous="latest")) == [1_383_460_200_000_000]


def test_a_time_beyond_the_year_9999_is_shown_with_its_row() -> None:
    with pytest.raises(LabelsError, match=r"row 0: time outside years 1 to 9999 '1e\+18'\. Check the unit"):
        moments([1e18])


def test_times_without_a_zone_need_one() -> None:
    with pytest.raises(LabelsError, match=r"times without a zone.*time_zone='UTC'"):
        moments(["2013-02-01T10:00"])


@pytest.mark.parametrize("role", ["time", "target", "weight", "inputs", "keys"])
def test_a_column_that_is_not_there_comes_with_the_nearest_one(role: str) -> None:
    declared: dict[str, Any] = {"time": "lt"} | {role: "flihgt"}
    with pytest.raises(FeatureNotFoundError, match=r"No column 'flihgt' in the labels\. Did you mean 'flight'"):
        tr.Labels(pl.DataFrame({"lt": ["2013-02-01T10:00Z"], "flight": [1]}), **declared).read(SETTINGS)


def test_a_named_index_is_a_column_of_the_labels() -> None:
    frame = pd.DataFrame({"late": [0]}, index=pd.DatetimeIndex(["2013-02-01T00:00Z"], name="lt"))
    rows = tr.Labels(frame, time="lt", target="late").read(SETTINGS)
    assert (rows.table.column_names, rows.moments.tolist()) == (["late", "lt"], [FIRST_OF_FEBRUARY])


def test_rows_of_a_file_that_cannot_be_read_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("lt,flight\n2013-02-01T10:00Z,1\n2013-02-01T10:00Z\n")
    with pytest.raises(LabelsError, match=r"1 label rows cannot be read: .*labels\.csv, line 3: too few fields"):
        tr.Labels(path, time="lt").read(SETTINGS)
