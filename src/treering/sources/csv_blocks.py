"""Cuts CSV text into blocks of whole records, at line ends that stand outside quotes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from treering.errors import SourceError

MAXIMUM_BLOCK = 64 * 1024 * 1024
_LF, _CR = 10, 13


@dataclass(frozen=True, slots=True)
class Dialect:
    """How fields are parted and quoted.

    Attributes:
        delimiter: one ASCII byte.
        quote: one ASCII byte, doubled inside a quoted field; empty if nothing is quoted.
    """

    delimiter: bytes = b","
    quote: bytes = b'"'


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records of a file.

    Attributes:
        data: their bytes.
        first_line: the line of the file on which they start, from 1.
        lines: how many lines they take.
        ends: where each line that ends a record has its last byte, if quotes stand where they should not; else None:
            a line ends a record where the quotes before it are even in number.
        is_closed: False for the last block of a file that ends inside quotes; it is one record.
    """

    data: bytes
    first_line: int
    lines: int
    ends: np.ndarray | None = None
    is_closed: bool = True


def cut_blocks(read: Callable[[int], bytes], dialect: Dialect, block_bytes: int, name: str) -> Iterator[Block]:
    """Cut what `read` gives, until it gives nothing.

    Raises:
        SourceError: for a record longer than 64 MB.
    """
    line, carry, size = 1, b"", block_bytes
    is_final = False
    while not is_final:
        piece = read(size)
        is_final = not piece
        data = carry + piece if carry else piece
        end, ends = _cut(data, dialect, is_final=is_final)
        if end:
            whole = data[:end]
            lines = count_lines(whole)
            yield Block(whole, line, lines, ends)
            line += lines
        elif len(data) >= MAXIMUM_BLOCK:
            raise SourceError(
                f"{name}: the record that starts on line {line} is longer than {MAXIMUM_BLOCK >> 20} MB. A quote opened there may never be closed: mend the "
                f"file, or say how it is written with tr.Csv({name!r}, quote=...)."
            )
        carry = data[end:]
        size = block_bytes if end else max(len(data), block_bytes)
    if carry:
        yield Block(carry, line, count_lines(carry), is_closed=False)


def _cut(data: bytes, dialect: Dialect, *, is_final: bool) -> tuple[int, np.ndarray | None]:
    """Find where the last whole record ends, and the ends of all if quotes cannot be paired by counting."""
    if not dialect.quote or dialect.quote not in data:
        return (len(data) if is_final else _last_line_end(data)), None
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(bytes_ == dialect.quote[0])
    if not _pair_by_counting(bytes_, quotes, dialect):
        ends = np.fromiter(_record_ends(data, dialect, is_final=is_final), dtype=np.int64)
        return (int(ends[-1]) + 1 if len(ends) else 0), ends
    if is_final and len(quotes) % 2 == 0:
        return len(data), None
    ends = line_ends(bytes_)
    ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if len(ends) and not is_final and ends[-1] == len(data) - 1 and bytes_[-1] == _CR:
        ends = ends[:-1]
    return (int(ends[-1]) + 1 if len(ends) else 0), None


def _last_line_end(data: bytes) -> int:
    # A carriage return that is the last byte may be half of a line end.
    return (data.rfind(b"\n") + 1) or (data.rfind(b"\r", 0, max(len(data) - 1, 0)) + 1)


def _pair_by_counting(bytes_: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> bool:
    """Tell whether every odd quote opens a field and every even one closes it (a doubled quote does both)."""
    is_beside = np.zeros(256, dtype=bool)
    is_beside[[dialect.delimiter[0], dialect.quote[0], _LF, _CR]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = bytes_[opening[opening > 0] - 1]
    after = bytes_[closing[closing < len(bytes_) - 1] + 1]
    return bool(is_beside[before].all() and is_beside[after].all())


def _record_ends(data: bytes, dialect: Dialect, *, is_final: bool) -> Iterator[int]:
    match = record_pattern(dialect).match
    record = match(data)
    while record is not None and record.end() > record.start():
        end = record.end()
        if not is_final and end == len(data) and data[-1] != _LF:
            return
        yield end - 1
        record = match(data, end)


def line_ends(bytes_: np.ndarray) -> np.ndarray:
    """Find the last byte of every line end: LF, CR LF, or a CR alone."""
    feeds = bytes_ == _LF
    returns = bytes_ == _CR
    if returns.any():
        returns[:-1] &= ~feeds[1:]
        feeds |= returns
    return np.flatnonzero(feeds)


def count_lines(data: bytes) -> int:
    """Count lines; they end with LF, CR LF, or a CR alone, and the last one need not."""
    unfinished = not data.endswith((b"\n", b"\r"))
    if b"\r" in data:
        return data.count(b"\r") + data.count(b"\n") - data.count(b"\r\n") + unfinished
    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == _LF)) + unfinished


@lru_cache
def field_pattern(dialect: Dialect) -> re.Pattern[bytes]:
    """Match one field: quoted (group 1 within the quotes, group 2 what wrongly follows them) or plain (group 3).

    As in pyarrow and Python's csv, a quote within a plain field is text. A quoted field that is never closed does not match.
    """
    return re.compile(_field(dialect, groups=True))


@lru_cache
def record_pattern(dialect: Dialect) -> re.Pattern[bytes]:
    """Match one record and its line end, or the end of the data."""
    field = _field(dialect, groups=False)
    return re.compile(rb"%b(?:%b%b)*+(?:\r\n|\n|\r|\Z)" % (field, re.escape(dialect.delimiter), field))


def _field(dialect: Dialect, *, groups: bool) -> bytes:
    delimiter = re.escape(dialect.delimiter)
    rest = rb"[^%b\r\n]*+" % delimiter
    group = b"(%b)" if groups else b"%b"
    if not dialect.quote:
        # The groups of a quoted field, which cannot match.
        return rb"(?:(?!)()()|(%b))" % rest if groups else rest
    quote = re.escape(dialect.quote)
    inside = rb"(?:[^%b]++|%b%b)*+" % (quote, quote, quote)
    return rb"(?:%b%b%b%b|(?!%b)%b)" % (quote, group % inside, quote, group % rest, quote, group % rest)
