"""The table of bad input in the semantics, row by row: outside data -> what is refused, what becomes a bad row, what is read right."""

import gzip
import zipfile
from pathlib import Path
from typing import Any

import pytest

from support.sources import checked, schema
from treering.errors import SchemaMismatchError, SourceError
from treering.ingestion.check import CheckedBatch, describe
from treering.schema.feature_group import FeatureGroupDefinition, define
from treering.settings import Settings
from treering.sources.batches import Part
from treering.sources.source import open_source

HEADER = "origin,hour,temp,gusts\n"
GOOD = "JFK,2013-01-01T05:00:00Z,39.0,3\n"
WEATHER = schema(origin="String", hour="Timestamp", temp="Fractional", gusts="Integral")
NAN = "nan"


def weather(**options: Any) -> FeatureGroupDefinition:
    return define("weather", entity="origin", event_time="hour", schema=WEATHER, **options)


def ingested(folder: Path, text: str | bytes, **options: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The good rows, and what is said of the bad ones."""
    path = folder / "weather.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    batches: list[CheckedBatch] = checked(weather(**options), path)
    said = [describe(row, [Part("weather.csv", 0, "line")]) for batch in batches for row in batch.bad_rows]
    return [row for batch in batches for row in batch.table.to_pylist()], said


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("origin,hour,temp", "no column 'gusts' \\(Integral\\)"),
        ("origin,hour,temp,gust", "no column 'gusts'.*Did you mean 'gust'"),
        ("origin,hour,temp,gusts,more", "'more'.*'weather' does not have"),
        ("origin,hour,temp,gusts,temp", "'temp'.*appears twice"),
        ("origin,hour,temp,gusts,Temp", "'Temp'.*'temp' differ only by case"),
        ("Origin,hour,temp,gusts", "'Origin', which differs only by case"),
        ("origin,hour,temp,gusts,", "no name"),
    ],
)
def test_columns_that_are_not_those_of_the_group_are_an_error(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(SchemaMismatchError, match=message):
        ingested(tmp_path, f"{header}\n{GOOD}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",2013-01-01T05:00:00Z,39.0,3", "line 3: null identifier (origin)"),
        ("JFK,,39.0,3", "line 3: null event time (hour)"),
        ("JFK,5 am,39.0,3", "line 3: unreadable time (hour: '5 am')"),
        ("JFK,0000-01-01T05:00:00Z,39.0,3", "line 3: time outside years 1 to 9999 (hour: '0000-01-01T05:00:00Z')"),
        ("JFK,2013-01-01T05:00:00Z,39.0,9223372036854775808", "line 3: integer overflow (gusts: '9223372036854775808')"),
        ("JFK,2013-01-01T05:00:00Z,39.0,3.5", "line 3: not an Integral (gusts: '3.5')"),
        ("JFK,2013-01-01T05:00:00Z,NA,3", "line 3: not a Fractional (temp: 'NA')"),
        ("JFK,2013-01-01T05:00:00Z,39.0", "line 3: too few fields ('JFK,2013-01-01T05:00:00Z,39.0')"),
        ("JFK,2013-01-01T05:00:00Z,39.0,3,4", "line 3: too many fields ('JFK,2013-01-01T05:00:00Z,39.0,3,4')"),
        ('"JFK,2013', "line 3: unclosed quote ('\"JFK,2013\\n')"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    rows, bad = ingested(tmp_path, HEADER + GOOD + line + "\n")
    assert len(rows) == 1
    assert bad == [said]


def test_text_that_is_not_utf_8_is_named_by_its_line(tmp_path: Path) -> None:
    rows, bad = ingested(tmp_path, HEADER.encode() + GOOD.encode() + GOOD.replace("JFK", "Z\xfcrich").encode("latin-1"))
    assert len(rows) == 1
    assert bad[0].startswith("line 3: not UTF-8")


def test_a_null_availability_is_named_by_its_line(tmp_path: Path) -> None:
    columns = schema(origin="String", hour="Timestamp", seen="Timestamp")
    definition = define("weather", entity="origin", event_time="hour", schema=columns, available_at="seen")
    (tmp_path / "a.csv").write_text("origin,hour,seen\nJFK,2013-01-01T05:00:00Z,\n")
    (batch,) = checked(definition, tmp_path / "a.csv")
    assert [(row.position, row.reason) for row in batch.bad_rows] == [(2, "null availability")]


def test_line_numbers_count_quoted_newlines_and_blank_lines(tmp_path: Path) -> None:
    _, bad = ingested(tmp_path, HEADER + '"two\nlines",2013-01-01T05:00:00Z,1,1\n\n' + ",2013-01-01T05:00:00Z,1,1\n")
    assert bad == ["line 5: null identifier (origin)"]


def test_bad_rows_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    _, bad = ingested(tmp_path, HEADER + "a\n,x,1,1\n" + GOOD + "b\nJFK,x,1,x\n")
    assert [text.partition(":")[0] for text in bad] == ["line 2", "line 3", "line 5", "line 6"]


def test_nan_becomes_null_and_infinity_is_kept_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + GOOD.replace("39.0", "NaN") + GOOD.replace("39.0", "-inf"))
    (batch,) = checked(weather(), tmp_path / "a.csv")
    assert batch.table["temp"].to_pylist() == [None, -float("inf")]
    assert (batch.nans, batch.infinities) == (1, 1)


def test_times_without_a_zone_are_an_error_until_it_is_declared(tmp_path: Path) -> None:
    text = HEADER + GOOD.replace("Z", "")
    with pytest.raises(SchemaMismatchError, match="'hour' holds times without a zone"):
        ingested(tmp_path, text)
    rows, bad = ingested(tmp_path, text, time_zone="America/New_York")
    assert rows[0]["hour"].isoformat() == "2013-01-01T10:00:00+00:00"
    assert bad == []


def test_times_with_and_without_a_zone_in_one_column_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatchError, match="'hour' mixes"):
        ingested(tmp_path, HEADER + GOOD + GOOD.replace("Z", ""), time_zone="UTC")


def test_an_empty_file_is_an_error_and_a_header_alone_is_no_rows(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is empty"):
        ingested(tmp_path, "")
    assert ingested(tmp_path, HEADER) == ([], [])


@pytest.mark.parametrize(
    "change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.rstrip("\n"), lambda text: text + "\n\n"]
)
def test_byte_order_marks_and_line_ends_change_nothing(tmp_path: Path, change: Any) -> None:
    assert ingested(tmp_path, change(HEADER + GOOD)) == ingested(tmp_path, HEADER + GOOD)


def test_archives_hold_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((HEADER + GOOD).encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("weather.csv", HEADER + GOOD)
    tables = [checked(weather(), tmp_path / name)[0].table for name in ("a.csv.gz", "a.zip")]
    assert tables[0].equals(tables[1])
    assert tables[0].to_pylist() == ingested(tmp_path, HEADER + GOOD)[0]


def test_identifiers_that_look_like_nulls_or_numbers_survive(tmp_path: Path) -> None:
    rows, bad = ingested(tmp_path, HEADER + "".join(GOOD.replace("JFK", word) for word in ("NA", "null", "007", NAN)))
    assert [row["origin"] for row in rows] == ["NA", "null", "007", NAN]
    assert bad == []


def test_a_formula_is_kept_as_it_is(tmp_path: Path) -> None:
    assert ingested(tmp_path, HEADER + GOOD.replace("JFK", '"=1+1"'))[0][0]["origin"] == "=1+1"


def test_a_bad_type_far_down_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(HEADER + GOOD * 200_000 + GOOD.replace(",3\n", ",x\n") + GOOD)
    definition = weather()
    batches = checked(definition, path)
    assert sum(batch.table.num_rows for batch in batches) == 200_001
    assert [(row.position, row.reason) for batch in batches for row in batch.bad_rows] == [(200_002, "not an Integral")]


def test_a_kind_of_source_that_is_not_known_is_an_error() -> None:
    with pytest.raises(SourceError, match="cannot read a set"):
        open_source({1}, Settings())
