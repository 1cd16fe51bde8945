"""Rows that cannot go into a feature group, and how they are told from the good ones."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

MAXIMUM_TEXT = 80


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot go into a feature group.

    Attributes:
        position: where it stands in its source, as `SourceBatch.positions` counts.
        reason: a short, stable kind, such as "too many fields" or "null identifier".
        column: the column that is at fault; None where the whole row is.
        text: the offending value or line, cut to 80 characters.
    """

    position: int
    reason: str
    column: str | None
    text: str

    def __post_init__(self) -> None:
        if len(self.text) > MAXIMUM_TEXT:
            object.__setattr__(self, "text", self.text[: MAXIMUM_TEXT - 3] + "...")


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with some rows of one column.

    Attributes:
        rows: their indices in the batch, int64.
        reason: a short, stable kind, such as "not an Integral".
        column: the column that is at fault.
    """

    rows: np.ndarray
    reason: str
    column: str


def rows_where(mask: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """The indices at which a mask is true; a null is not."""
    return np.flatnonzero(mask.fill_null(fill_value=False).to_numpy(zero_copy_only=False))


def sift(table: pa.Table, positions: np.ndarray, violations: Iterable[Violation]) -> tuple[np.ndarray, list[BadRow]]:
    """Tell bad rows from good ones.

    Returns:
        A mask of the good rows, and the bad rows, each with the first of its violations.
    """
    good = np.ones(len(positions), dtype=bool)
    bad_rows = []
    for violation in violations:
        fresh = violation.rows[good[violation.rows]]
        good[fresh] = False
        texts = _texts(table.column(violation.column), fresh) if len(fresh) else []
        bad_rows += [BadRow(int(position), violation.reason, violation.column, text) for position, text in zip(positions[fresh], texts, strict=True)]
    return good, bad_rows


def _texts(values: pa.ChunkedArray, rows: np.ndarray) -> list[str]:
    # Text that is not UTF-8 is bytes to Python, and rows cannot be taken from a view of text.
    plain = values.cast(pa.binary()) if values.type in (pa.string(), pa.large_string(), pa.string_view()) else values
    plain = plain.take(pa.array(rows))
    try:
        given = plain.to_pylist()
    except OverflowError:
        # Python's times end with the year 9999; Arrow's go on.
        given = plain.cast(pa.int64()).to_pylist()
    return ["" if value is None else _text(value) for value in given]


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
