"""What every source gives: Arrow batches whose rows know their positions, with the rows that could not be read."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from treering.errors import SchemaMismatchError
from treering.schema.types import Schema
from treering.sources.bad_rows import BadRow

Types: TypeAlias = Schema | pa.Schema
"""The types that text is read as: a group's, or Arrow's by column name."""


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """Some rows of a source, in order.

    Attributes:
        table: the rows that could be read.
        positions: int64, one per row of the table: the part's base and the line on which the record starts (CSV: 1 is
            the first line of the file, the header and quoted newlines are counted), or the base and the row's index from 0.
        bad_rows: the rows that could not be read, in order.
    """

    table: pa.Table
    positions: np.ndarray
    bad_rows: tuple[BadRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One file, or frame, of a source.

    Attributes:
        description: its path or URI, or "pandas frame".
        base: what its positions start from.
        unit: what its positions count.
    """

    description: str
    base: int
    unit: Literal["line", "row"]


class Source(Protocol):
    """Outside data, read as batches."""

    @property
    def description(self) -> str:
        """The path, pattern or kind of frame that was given."""

    @property
    def bytes_read(self) -> int:
        """How many bytes have been read so far, for progress; 0 for frames."""

    @property
    def total_bytes(self) -> int | None:
        """How many bytes there are to read, for progress; None for frames."""

    @property
    def manner(self) -> str:
        """How the content is read, such as the options of a CSV file: the same content read in another manner is other rows."""

    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""

    def arrow_schema(self, schema: Types | None = None) -> pa.Schema:
        """The columns and Arrow types of the batches that `batches(schema)` gives.

        Text files have no types: theirs are the schema's, or, without one, inferred from the first block of the file. Times
        are text in their batches whatever is inferred: what they mean is for the group to say.
        """

    def batches(self, schema: Types | None = None) -> Iterator[SourceBatch]:
        """Read the source once, in order, in bounded memory."""

    def parts(self) -> tuple[Part, ...]:
        """The parts that `batches` has come to so far, in order; all of them once it is exhausted."""

    def digest(self) -> str:
        """`sha256:...` of the content, once `batches` is exhausted: a text file's own (uncompressed) bytes, anything else's values."""

    def content(self) -> str | None:
        """Find out what `digest` will say, without parsing text; None for a stream, which can be read once."""


def locate(parts: Sequence[Part], position: int) -> str:
    """Say where a position is, as a person would: "weather.csv, line 17", "pandas frame, row 3"."""
    # Lines count from 1 and rows from 0, so that a line's position is never its own part's base.
    firsts = [part.base + (part.unit == "line") for part in parts]
    part = parts[max(bisect_right(firsts, position) - 1, 0)]
    return f"{part.description}, {part.unit} {position - part.base}"


def distinct(names: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the column names if every column has one and no two are equal, or differ only by case.

    Raises:
        SchemaMismatchError: naming the offenders.
    """
    seen: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        if not name:
            raise SchemaMismatchError(
                f"Column {number} of {where} has no name. Give it one, or drop it (pandas writes such a column for its index: use to_csv(..., index=False))."
            )
        if (other := seen.get(name.lower())) is not None:
            how = "appears twice" if other == name else f"and column {other!r} differ only by case"
            raise SchemaMismatchError(f"Column {name!r} of {where} {how}. Rename or drop one of them.")
        seen[name.lower()] = name
    return tuple(seen.values())
