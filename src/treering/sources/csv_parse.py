"""Parses blocks of CSV text: at pyarrow's speed where that is exact, else line by line, for the block that needs it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyarrow import csv

from treering.errors import SourceError
from treering.sources.bad_rows import MAXIMUM_TEXT, BadRow, sift
from treering.sources.batches import SourceBatch
from treering.sources.csv_blocks import Block, Dialect, count_lines
from treering.sources.csv_records import Records, open_quote, split
from treering.sources.csv_values import Words, typed

_MARK = "\ufeff".encode()


@dataclass(frozen=True, slots=True)
class BlockParser:
    """Turns the blocks of one file into batches.

    Attributes:
        name: the file, for messages.
        dialect: how it is written.
        words: what stands for null, true and false.
        types: the type of every column, in the order of the file.
        base: what the positions of its rows start from.
    """

    name: str
    dialect: Dialect
    words: Words
    types: Mapping[str, pa.DataType]
    base: int

    def parse(self, block: Block) -> SourceBatch:
        """Parse one block."""
        if not block.is_closed:
            return self._unclosed(block)
        if block.ends is None and b"\0" not in block.data:
            table = self._read_typed(block.data)
            lines = None if table is None else self._lines(block, table.num_rows)
            if lines is not None:
                return SourceBatch(table, self.base + lines)
        return self._parse_exactly(block)

    def _lines(self, block: Block, rows: int) -> np.ndarray | None:
        """The line on which each row starts; None if the rows are not those that the lines make."""
        if rows == block.lines:
            return np.arange(block.first_line, block.first_line + rows, dtype=np.int64)
        lines = Records.of(block, self.dialect).lines
        return lines if len(lines) == rows else None

    def _parse_exactly(self, block: Block) -> SourceBatch:
        records = Records.of(block, self.dialect)
        broken = self._broken(records)
        good = np.ones(len(records), dtype=bool)
        good[list(broken)] = False
        bad_rows = [self._bad_line(int(records.lines[index]), reason, records.line(index)) for index, reason in broken.items()]
        data, positions = records.kept(good), self.base + records.lines[good]
        table = self._read_typed(data)
        if table is None:
            table, positions, bad_values = self._typed(self._read(data, dict.fromkeys(self.types, pa.string())), positions)
            bad_rows += bad_values
        if table.num_rows != len(positions):
            raise SourceError(
                f"{self.name}: lines {block.first_line} to {block.first_line + block.lines - 1} cannot be split into records without doubt. "
                "Rewrite the file with quotes around every field that holds a quote."
            )
        return SourceBatch(table, positions, tuple(sorted(bad_rows, key=lambda row: row.position)))

    def _typed(self, texts: pa.Table | None, positions: np.ndarray) -> tuple[pa.Table, np.ndarray, list[BadRow]]:
        if texts is None or texts.num_rows != len(positions):
            raise SourceError(f"{self.name}: line {positions[0] - self.base} or one after it cannot be read as CSV. Check its quotes.")
        columns, violations = {}, []
        for name, type in self.types.items():
            columns[name], found = typed(texts.column(name).combine_chunks(), type, name, self.words)
            violations += found
        good, bad_rows = sift(texts, positions, violations)
        return pa.table(columns).filter(pa.array(good)), positions[good], bad_rows

    def _broken(self, records: Records) -> dict[int, str]:
        """The records that are no rows, with the first reason of each."""
        broken: dict[int, str] = {}
        for index in [] if records.is_tidy else records.holding(self.dialect.quote[0]):
            if any(field.excess for field in split(records.data, records.starts[index], records.ends[index], self.dialect)):
                broken.setdefault(int(index), "text after a closing quote")
        counts = records.field_counts(self.dialect)
        for index in np.flatnonzero(counts != len(self.types)):
            broken.setdefault(int(index), "too many fields" if counts[index] > len(self.types) else "too few fields")
        for index in records.holding(0):
            broken.setdefault(int(index), "NUL byte")
        for index in _not_utf8(records):
            broken.setdefault(index, "not UTF-8")
        return broken

    def _unclosed(self, block: Block) -> SourceBatch:
        quote = open_quote(block.data, self.dialect)
        line = block.first_line + count_lines(block.data[:quote] + b"-") - 1
        bad_row = self._bad_line(line, "unclosed quote", block.data[quote:])
        return SourceBatch(self.empty(), np.empty(0, dtype=np.int64), (bad_row,))

    def _bad_line(self, line: int, reason: str, text: bytes) -> BadRow:
        # Four bytes are the most that a character takes.
        return BadRow(self.base + line, reason, None, text[: 4 * MAXIMUM_TEXT].decode("utf-8", errors="replace"))

    def empty(self) -> pa.Table:
        """A table of no rows."""
        return pa.schema(list(self.types.items())).empty_table()

    def _read_typed(self, data: bytes) -> pa.Table | None:
        # pyarrow reads 0x1F as an integer, and a CSV file's numbers are decimal.
        may_hold_hexadecimals = pa.int64() in self.types.values() and (b"0x" in data or b"0X" in data)
        return None if may_hold_hexadecimals else self._read(data, self.types)

    def _read(self, data: bytes, types: Mapping[str, pa.DataType]) -> pa.Table | None:
        """Read whole records with pyarrow; None if it refuses any of them."""
        if not data:
            return self.empty()
        if data.startswith(_MARK):  # pyarrow drops a byte order mark wherever it starts to read
            data = _MARK + data
        quote = self.dialect.quote.decode()
        try:
            return csv.read_csv(
                pa.BufferReader(data),
                csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(types)),
                csv.ParseOptions(delimiter=self.dialect.delimiter.decode(), quote_char=quote or False, newlines_in_values=self.dialect.quote in data),
                csv.ConvertOptions(
                    column_types=types,
                    null_values=self.words.null,
                    true_values=self.words.true,
                    false_values=self.words.false,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None


def _not_utf8(records: Records) -> list[int]:
    return [index for index in range(len(records)) if not _is_utf8(records.line(index))] if not _is_utf8(records.data) else []


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
