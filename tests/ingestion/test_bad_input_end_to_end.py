"""Every kind of bad input, as a file or frame that somebody hands in: the whole message, or the rows that come of it."""

import gzip
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import treering as tr
from treering.errors import BadRowsError, SchemaMismatchError, SourceError, TreeringError
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.feature_group import FeatureGroup

TIME = pa.timestamp("us", "UTC")
SCHEMA = tr.Schema.of(pa.schema([("id", pa.string()), ("at", TIME), ("count", pa.int64()), ("value", pa.float64()), ("ok", pa.bool_())]))
HEADER = "id,at,count,value,ok\n"
AT = "2024-01-01T00:00:00Z"
ROW = f"a,{AT},1,1.5,true\n"
MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
MOMENTS = pd.to_datetime([AT] * 2)
READ = [("a", MOMENT, 1, 1.5, True)]


@dataclass(frozen=True)
class Given:
    """Some input.

    Attributes:
        name: says what is special about it.
        source: the content of a file, or a frame.
        message: the whole error, with {source} and {group}; empty where there is none.
        rows: what is in the group afterwards.
        file: the file's name.
        notes: those of the report.
        group: what the group is declared with beyond the usual.
    """

    name: str
    source: Any
    message: str = ""
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    file: str = "readings.csv"
    notes: tuple[str, ...] = ()
    group: dict[str, Any] = field(default_factory=dict)
    error: type[TreeringError] = BadRowsError

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return buffer.getvalue()


def frame(**columns: Any) -> pd.DataFrame:
    given = {"id": ["a", "b"], "at": MOMENTS, "count": [1, 2], "value": [1.0, 2.0], "ok": [True, False]}
    return pd.DataFrame(given | columns)


def arrow(**columns: Any) -> pa.Table:
    return pa.table({"id": ["a"], "at": pa.array([MOMENT], TIME), "count": [1], "value": [1.0], "ok": [True]} | columns)


def bad(name: str, source: Any, *lines: str, of: int = 1, count: int | None = None, hints: tuple[str, ...] = (), **given: Any) -> Given:
    """Input with bad rows, the lines of the message that describe them, and those that say more than to mend them."""
    count = len(lines) if count is None else count
    head = f"{count:,} of {of:,} rows of {{source}} cannot go into {{group}}; nothing was written."
    tail = 'Mend them, or pass on_bad_rows="quarantine" to keep them apart and take the others.'
    return Given(name, source, "\n".join([head, *(f"  {line}" for line in lines), tail, *hints]), **given)


def wrong(name: str, source: Any, message: str, **given: Any) -> Given:
    return Given(name, source, message, error=SchemaMismatchError, **given)


NO_ZONE = (
    "Column 'at' holds times without a zone, and no time zone is declared. Say which is meant, such as time_zone='UTC' or "
    "time_zone='America/New_York', where labels are named or a group is created: a wrong guess would move every time by hours."
)
KEYED_BY_NUMBER = {"schema": tr.Schema.of(pa.schema([("id", pa.int64()), ("at", TIME)]))}
WITH_AVAILABILITY = {"available_at": "known", "schema": tr.Schema.of(pa.schema([("id", pa.string()), ("at", TIME), ("known", TIME)]))}

COLUMNS = [
    wrong("missing column, misspelt", "id,at,cuont,value,ok\n", "The source has no column 'count' (Integral), which {group} needs. Did you mean 'cuont'?"),
    wrong("missing column", "id,at,value,ok\n", "The source has no column 'count' (Integral), which {group} needs. There are: 'at', 'id', 'ok', 'value'."),
    wrong(
        "column of another case",
        "id,at,Count,value,ok\n",
        "The source has no column 'count' (Integral), which {group} needs. It has 'Count', which differs only by case: rename it.",
    ),
    wrong(
        "unknown column",
        HEADER[:-1] + ",valeu\n",
        "The source has a column 'valeu', which {group} does not have. Did you mean 'value'? Drop the column, or add it to the group first.",
    ),
    wrong(
        "columns that differ by case",
        HEADER[:-1] + ",Value\n",
        "Column 'Value' of {source} and column 'value' differ only by case. Rename or drop one of them.",
    ),
    wrong("duplicate header", "id,at,count,value,value\n", "Column 'value' of {source} appears twice. Rename or drop one of them."),
    wrong(
        "column without a name",
        "id,at,,value,ok\n",
        "Column 3 of {source} has no name. Give it one, or drop it (pandas writes such a column for its index: use to_csv(..., index=False)).",
    ),
    wrong(
        "wrong type in a frame",
        arrow(count=["one"]),
        "Column 'count' of {group} is declared Integral; the source has string. Convert the column, or declare the type that it has.",
    ),
    wrong(
        "numbers for times",
        arrow(at=[5]),
        "Column 'at' of {group} is declared Timestamp; the source has int64. Convert the column, or declare the type that it has.",
    ),
    wrong(
        "mixed kinds in a frame",
        frame(id=["a", 7]),
        "Column 'id' of the pandas frame mixes kinds of values: row 0 is 'a' and row 1 is 7. Convert them to one kind.",
    ),
]

TIMES = [
    wrong("time without a zone", f"{HEADER}a,2024-01-01T00:00:00,1,1.5,true\n", NO_ZONE),
    wrong("time without a zone in a frame", frame(at=pd.to_datetime(["2024-01-01", "2024-01-02"])), NO_ZONE),
    wrong(
        "times with and without a zone",
        f"{HEADER}{ROW}b,2024-01-01T00:00:00,1,1.5,true\n",
        "Column 'at' mixes times with a zone and times without a zone. Write all of its values the same way.",
    ),
    wrong(
        "date",
        f"{HEADER}a,2024-01-01,1,1.5,true\n",
        "Column 'at' holds dates. Say which moment of the day is meant, and where, such as date_means='end_of_day', time_zone='UTC': daily "
        "figures stamped at the start of their day would be seen before they were known.",
    ),
    bad(
        "doubtful local times",
        f"{HEADER}a,2024-11-03T01:30:00,1,1.5,true\nb,2024-03-10T02:30:00,1,1.5,true\n",
        "line 2: local time that occurs twice (at: '2024-11-03T01:30:00')",
        "line 3: local time that does not exist (at: '2024-03-10T02:30:00')",
        of=2,
        group={"time_zone": "America/New_York"},
        hints=(
            "Where clocks change, a group says which moment is meant when it is created: time_zone=tr.TimeZone(zone, ambiguous='latest', nonexistent='latest').",
        ),
    ),
    bad("unreadable time", f"{HEADER}{ROW}b,yesterday,1,1.5,true\n", "line 3: unreadable time (at: 'yesterday')", of=2),
    bad("day that does not exist", f"{HEADER}a,2024-02-30T00:00:00Z,1,1.5,true\n", "line 2: unreadable time (at: '2024-02-30T00:00:00Z')"),
    bad("year 0", f"{HEADER}a,0000-01-01T00:00:00Z,1,1.5,true\n", "line 2: time outside years 1 to 9999 (at: '0000-01-01T00:00:00Z')"),
    bad("year 10000", f"{HEADER}a,10000-01-01T00:00:00Z,1,1.5,true\n", "line 2: unreadable time (at: '10000-01-01T00:00:00Z')"),
    bad("year 38505 in a frame", arrow(at=pa.array([2**60], TIME)), f"row 0: time outside years 1 to 9999 (at: '{2**60}')"),
]

VALUES = [
    bad("null identifier", f"{HEADER},{AT},1,1.5,true\n", "line 2: null identifier (id)"),
    bad("null event time", f"{HEADER}a,,1,1.5,true\n", "line 2: null event time (at)"),
    bad("null availability", f"id,at,known\na,{AT},{AT}\nb,{AT},\n", "line 3: null availability (known)", of=2, group=WITH_AVAILABILITY),
    bad("integer overflow", f"{HEADER}a,{AT},9223372036854775808,1.5,true\n", "line 2: integer overflow (count: '9223372036854775808')"),
    bad("integer overflow in a frame", arrow(count=pa.array([2**63], pa.uint64())), "row 0: integer overflow (count: '9223372036854775808')"),
    bad("fraction for a whole number", f"{HEADER}a,{AT},1.0,1.5,true\nb,{AT},1.5,1.5,true\n", "line 3: not an Integral (count: '1.5')", of=2),
    bad("word for a number", f"{HEADER}a,{AT},1,much,true\n", "line 2: not a Fractional (value: 'much')"),
    bad("word for a Boolean", f"{HEADER}a,{AT},1,1.5,maybe\n", "line 2: not a Boolean (ok: 'maybe')"),
    bad("fractional identifier", pa.table({"id": [1.5], "at": pa.array([MOMENT], TIME)}), "row 0: not an Integral (id: '1.5')", group=KEYED_BY_NUMBER),
    bad("text that is not UTF-8", (HEADER + ROW).encode() + f"\xff,{AT},1,1.5,true\n".encode("latin-1"), f"line 3: not UTF-8 ('\ufffd,{AT},1,1.5,true')", of=2),
    bad("too many fields", f"{HEADER}{ROW}b,{AT},1,1.5,true,9\n", f"line 3: too many fields ('b,{AT},1,1.5,true,9')", of=2),
    bad("too few fields", f"{HEADER}b,{AT}\n{ROW}", f"line 2: too few fields ('b,{AT}')", of=2),
    bad("unclosed quote", f'{HEADER}{ROW}"b,{AT}\n', f"line 3: unclosed quote ('\"b,{AT}\\n')", of=2),
    bad("lines counted over quoted newlines", f'{HEADER}"a\nb",{AT},1,1.5,true\nc,{AT},x,1.5,true\n', "line 4: not an Integral (count: 'x')", of=2),
    bad(
        "many bad rows",
        HEADER + f",{AT},1,1.5,true\n" * 1_234,
        *(f"line {line}: null identifier (id)" for line in range(2, 12)),
        "and 1,224 more",
        of=1_234,
        count=1_234,
    ),
]

FILES = [
    Given(
        "another delimiter",
        HEADER.replace(",", ";"),
        "{source} has one column, 'id;at;count;value;ok', whose name looks like several. "
        "Say what parts them, as in tr.Csv('{source}', delimiter=';'), or quote the name if it is one.",
        error=SourceError,
    ),
    Given("empty file", "", "{source} is empty: a CSV file starts with a line of column names.", error=SourceError),
    Given("damaged gzip", gzip.compress((HEADER + ROW).encode())[:-9], "{source} is damaged: .*", file="r.csv.gz", error=SourceError),
    Given("no zip", "PK?", "{source} is no ZIP archive: .*", file="r.csv.zip", error=SourceError),
    Given("zip of two files", zipped(one=HEADER, two=HEADER), "{source} .*two.*", file="r.zip", error=SourceError),
    Given("no Parquet", "PAR?", "{source} is damaged, or is no Parquet file: .*", file="r.parquet", error=SourceError),
]

TAKEN = [
    Given("header only", HEADER),
    Given("header without a newline", HEADER.strip()),
    Given("byte order mark and CRLF", ("\ufeff" + HEADER + ROW).replace("\n", "\r\n"), rows=READ),
    Given("blank lines", f"{HEADER}\n{ROW}\n\n", rows=READ),
    Given("no last newline", HEADER + ROW.strip(), rows=READ),
    Given("quoted newline", f'{HEADER}"a\nb",{AT},1,1.5,true\n', rows=[("a\nb", MOMENT, 1, 1.5, True)]),
    Given("gzip", gzip.compress((HEADER + ROW).encode()), rows=READ, file="r.csv.gz"),
    Given("zip", zipped(r=HEADER + ROW), rows=READ, file="r.zip"),
    Given("nulls", f"{HEADER}a,{AT},,,\n", rows=[("a", MOMENT, None, None, None)]),
    Given("NaN is null", f"{HEADER}a,{AT},1,NaN,true\n", rows=[("a", MOMENT, 1, None, True)], notes=("1 NaN became null",)),
    Given("infinity is kept", f"{HEADER}a,{AT},1,-inf,true\n", rows=[("a", MOMENT, 1, float("-inf"), True)], notes=("1 infinite values were kept",)),
    Given("time of a declared zone", f"{HEADER}a,2024-01-01T01:00:00,1,1.5,true\n", rows=READ, group={"time_zone": "Europe/Berlin"}),
    Given("integers with gaps", frame(count=[1, None]), rows=[("a", MOMENT, 1, 1.0, True), ("b", MOMENT, None, 2.0, False)]),
]


@pytest.fixture
def groups(tmp_path: Path) -> FeatureGroups:
    return tr.Store(tmp_path / "store").feature_groups


def made(groups: FeatureGroups, given: Given) -> FeatureGroup:
    return groups.create("readings", **{"entity": "id", "event_time": "at", "schema": SCHEMA} | given.group)


def source_of(given: Given, folder: Path) -> Any:
    if not isinstance(given.source, str | bytes):
        return given.source
    path = folder / given.file
    path.write_bytes(given.source.encode() if isinstance(given.source, str) else given.source)
    return path


@pytest.mark.parametrize("given", [*COLUMNS, *TIMES, *VALUES, *FILES], ids=str)
def test_bad_input_is_refused_in_these_words(given: Given, groups: FeatureGroups, tmp_path: Path):
    group, source = made(groups, given), source_of(given, tmp_path)
    with pytest.raises(given.error) as refusal:
        group.ingest(source)
    called = {Path: str(source), pd.DataFrame: "pandas frame", pa.Table: "Arrow table"}
    name = next(text for kind, text in called.items() if isinstance(source, kind))
    expected = (
        re.escape(given.message).replace(re.escape(".*"), ".*").replace(re.escape("{source}"), re.escape(name)).replace(re.escape("{group}"), "'readings'")
    )
    assert re.fullmatch(expected, str(refusal.value), re.DOTALL), str(refusal.value)
    assert group.commits() == []


@pytest.mark.parametrize("given", TAKEN, ids=str)
def test_what_only_looks_odd_is_read_right(given: Given, groups: FeatureGroups, tmp_path: Path):
    group = made(groups, given)
    report = group.ingest(source_of(given, tmp_path))
    assert [tuple(row.values()) for row in group.to_arrow().to_pylist()] == given.rows
    assert (report.rows, report.notes) == (len(given.rows), given.notes)


@pytest.mark.parametrize("given", [given for given in [*TIMES, *VALUES] if given.error is BadRowsError], ids=str)
def test_the_good_rows_land_where_bad_ones_go_to_quarantine(given: Given, groups: FeatureGroups, tmp_path: Path):
    group, source = made(groups, given), source_of(given, tmp_path)
    count, of = (int(number.replace(",", "")) for number in re.findall(r"^([\d,]+) of ([\d,]+) rows", given.message)[0])
    report = group.ingest(source, on_bad_rows="quarantine")
    assert (report.rows, sum(report.rejected.values())) == (of - count, count)
    assert group.to_arrow().num_rows == of - count
