"""Where the records of a block of CSV text stand, on which line, and of how many fields."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from treering.sources.csv_blocks import Block, Dialect, field_pattern, line_ends

_LF, _CR = 10, 13


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Attributes:
        value: its bytes, without quotes.
        excess: what wrongly stands between its closing quote and its end.
    """

    value: bytes
    excess: bytes


def split(data: bytes, start: int, end: int, dialect: Dialect) -> Iterator[Field]:
    """Split one record, without its line end, into its fields; stop at a quote that is never closed."""
    match = field_pattern(dialect).match
    field = match(data, start, end)
    while field is not None:
        quoted, excess, plain = field.groups()
        yield Field(plain, b"") if quoted is None else Field(quoted.replace(dialect.quote * 2, dialect.quote), excess)
        field = match(data, field.end() + 1, end) if field.end() < end else None


def open_quote(data: bytes, dialect: Dialect) -> int:
    """Find the quote that opens a field and is never closed, in a record that has one."""
    match = field_pattern(dialect).match
    position = 0
    while (field := match(data, position)) is not None:
        position = field.end() + 1
    return position


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a block, in order; blank lines are none.

    Attributes:
        data: the block's bytes.
        starts: the first byte of each.
        ends: the byte after each, without its line end.
        stops: the byte after its line end.
        lines: the line of the file on which each starts.
        is_tidy: whether quotes stand only around whole fields.
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    stops: np.ndarray
    lines: np.ndarray
    is_tidy: bool

    @classmethod
    def of(cls, block: Block, dialect: Dialect) -> "Records":
        """Find the records of a block."""
        bytes_ = np.frombuffer(block.data, dtype=np.uint8)
        lines_end = line_ends(bytes_)
        stops = 1 + (block.ends if block.ends is not None else lines_end[_outside_quotes(bytes_, lines_end, dialect)])
        if len(stops) == 0 or stops[-1] != len(bytes_):
            stops = np.append(stops, len(bytes_))
        starts = np.append(0, stops[:-1])
        last = bytes_[stops - 1]
        ends = stops - ((last == _LF) | (last == _CR))
        ends = ends - ((last == _LF) & (ends > starts) & (bytes_[ends - 1] == _CR))
        lines = block.first_line + np.searchsorted(lines_end, starts)
        filled = ends > starts
        return cls(block.data, starts[filled], ends[filled], stops[filled], lines[filled], block.ends is None)

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, index: int) -> bytes:
        """One record, without its line end."""
        return self.data[self.starts[index] : self.ends[index]]

    def holding(self, byte: int) -> np.ndarray:
        """The indices of the records that have a byte in them."""
        found = np.flatnonzero(np.frombuffer(self.data, dtype=np.uint8) == byte)
        return np.unique(np.searchsorted(self.stops, found, side="right"))

    def field_counts(self, dialect: Dialect) -> np.ndarray:
        """How many fields each record has."""
        bytes_ = np.frombuffer(self.data, dtype=np.uint8)
        delimiters = np.flatnonzero(bytes_ == dialect.delimiter[0])
        if self.is_tidy:
            delimiters = delimiters[_outside_quotes(bytes_, delimiters, dialect)]
        counts = np.searchsorted(delimiters, self.ends) - np.searchsorted(delimiters, self.starts) + 1
        for index in [] if self.is_tidy else self.holding(dialect.quote[0]):
            counts[index] = sum(1 for _ in split(self.data, self.starts[index], self.ends[index], dialect))
        return counts

    def kept(self, mask: np.ndarray) -> bytes:
        """The bytes of the records that a mask keeps."""
        if mask.all():
            return self.data
        edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
        runs = zip(edges[0::2], edges[1::2] - 1, strict=True)
        return b"".join(self.data[self.starts[first] : self.stops[last]] for first, last in runs)


def _outside_quotes(bytes_: np.ndarray, places: np.ndarray, dialect: Dialect) -> np.ndarray:
    """Tell which places have an even number of quotes before them."""
    if not dialect.quote:
        return np.ones(len(places), dtype=bool)
    quotes = np.flatnonzero(bytes_ == dialect.quote[0])
    return np.asarray(np.searchsorted(quotes, places) % 2 == 0)
