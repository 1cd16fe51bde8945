"""Whatever Python's csv module writes is read back equal, with the right lines, wherever blocks are cut."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.sources import csv_source, everything, schema

CHARACTERS = st.sampled_from(list("ab1 ,;\"\n\r'\t\ufeff\u00e4\U0001f600"))
FIELDS = st.text(CHARACTERS, max_size=6)
TABLES = st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=12)
WANTED = schema(a="String", b="String", c="String")
# Python 3.11 quotes a carriage return only where it is part of the line end.
FORMS = st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n")])
RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(rows: list[tuple[str, str, str]], quoting: int, end: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(("a", "b", "c"))
    writer.writerows(rows)
    return text.getvalue()


def by_python(text: str) -> list[tuple[int, list[str]]]:
    """Each row with the line on which it starts."""
    reader = csv.reader(io.StringIO(text, newline=""))
    rows, line = [], 1
    for row in reader:
        rows.append((line, row))
        line = reader.line_num + 1
    return rows


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
@RELAXED
@given(rows=TABLES, form=FORMS)
def test_what_python_writes_is_read_back(tmp_path: Path, block_bytes: int, rows: list[tuple[str, str, str]], form: tuple[int, str]) -> None:
    text = written(rows, *form)
    read = everything(csv_source(tmp_path, text, block_bytes=block_bytes), WANTED)
    assert read.bad_rows == []
    assert [tuple(value or "" for value in row.values()) for row in read.rows] == rows
    assert read.positions == [line for line, _ in by_python(text)[1:]]


@pytest.mark.parametrize("block_bytes", [1, 16, 1 << 20])
@RELAXED
@given(body=st.text(st.sampled_from(list('ab,"\n\r\0\u00e4')), max_size=60))
def test_any_text_gives_each_row_as_python_reads_it_or_a_bad_row(tmp_path: Path, block_bytes: int, body: str) -> None:
    text = f"a,b\n{body}"
    read = everything(csv_source(tmp_path, text, block_bytes=block_bytes), schema(a="String", b="String"))
    expected = {line: row for line, row in by_python(text)[1:] if row}
    unclosed = {bad.position for bad in read.bad_rows if bad.reason == "unclosed quote"}
    for line, row in zip(read.positions, read.rows, strict=True):
        assert [value or "" for value in row.values()] == expected[line]
    wrong = {line for line, row in expected.items() if len(row) != 2 or any("\0" in value for value in row)}
    assert wrong.isdisjoint(read.positions)
    assert len(unclosed) <= 1
    assert {*read.positions, *(bad.position for bad in read.bad_rows)} - unclosed <= expected.keys()
    assert len(read.rows) + len(read.bad_rows) == len(expected)


@RELAXED
@given(body=st.text(st.sampled_from(list('ab1,"\n\r')), max_size=80))
def test_where_blocks_are_cut_changes_nothing(tmp_path: Path, body: str) -> None:
    text, wanted = f"a,b\n{body}", schema(a="String", b="Integral")
    whole = everything(csv_source(tmp_path, text), wanted)
    assert all(everything(csv_source(tmp_path, text, block_bytes=size), wanted) == whole for size in (1, 2, 3, 5, 13))
