"""Columns as ranks, and what ranks tell about each other: everything from the counts of values, so that ties are exact."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
"""Rows by value (nulls first) and by class."""

MOST_TEXTS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A column whose values are numbered.

    Attributes:
        codes: from 0, one per distinct value, rising with it where it has an order; -1 for a null.
        distinct: how many values there are, nulls left out.
        is_ordered: whether a larger code means a larger value; text has no order that would mean something.
        texts: the first thousand values as a person reads them, by code.
    """

    codes: Codes
    distinct: int
    is_ordered: bool
    texts: tuple[str, ...]

    @property
    def is_null(self) -> npt.NDArray[np.bool_]:
        """Which rows have no value."""
        nulls: npt.NDArray[np.bool_] = self.codes < 0
        return nulls


def ranked(column: pa.ChunkedArray | pa.Array) -> Ranked | None:
    """Number a column's values; NaN is a null. None for a type whose values cannot be compared, such as a list."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if not (is_text or pa.types.is_primitive(values.type) or pa.types.is_decimal(values.type)):
        return None
    if pa.types.is_floating(values.type):
        # Arrow does not sort floats of 16 bits.
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), None, values)
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    places = np.full(len(order) + 1, -1, dtype=np.int64)
    places[order] = np.arange(len(order))
    texts = tuple(str(value) for value in encoded.dictionary.take(order[:MOST_TEXTS]).to_pylist())
    return Ranked(places[codes], len(order), not is_text, texts)


def rank_correlation(one: Ranked, other: Ranked, *, fewest: int) -> float:
    """Spearman's rank correlation over the rows that have both values; 0 where they are fewer than `fewest`, or all alike."""
    rows = ~(one.is_null | other.is_null)
    if int(rows.sum()) < fewest:
        return 0.0
    x, y = (_centred(mean_ranks(column.codes[rows])) for column in (one, other))
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else 0.0


def mean_ranks(codes: Codes) -> Floats:
    """Rank rows by their codes from 0; rows with equal codes share the mean of their ranks."""
    counts = np.bincount(codes)
    ranks: Floats = (np.cumsum(counts) - (counts + 1) / 2)[codes]
    return ranks


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean()
    return centred


def counted(feature: Ranked, outcome: Ranked) -> Counts:
    """Count the rows that have each value of a feature (null first) and each class; no class is null."""
    cells = (feature.codes + 1) * outcome.distinct + outcome.codes
    counts: Counts = np.bincount(cells, minlength=(feature.distinct + 1) * outcome.distinct).reshape(-1, outcome.distinct)
    return counts


def area_under_curve(ordered: Counts) -> float:
    """The ROC curve's, of values in ascending order: how often a row of the second class has the larger value; ties count half."""
    first, second = ordered[:, 0].astype(float), ordered[:, 1].astype(float)
    below = np.cumsum(first) - first
    return float((second * (below + first / 2)).sum() / (first.sum() * second.sum()))


def evenly_spaced(rows: Codes, most: int) -> Codes:
    """Choose at most so many of some rows, the first and the last among them, at even distances."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
