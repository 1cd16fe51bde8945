"""Statistics of windows of rows, each computed from the values in its window alone: no running sum carries noise from one to the next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
"""Of shape (parts, rows): what a statistic knows about some values, for each row."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """A statistic that can be put together from those of two pieces.

    Attributes:
        of_one: what is known about each single value; NaN is no value.
        joined: what is known about two pieces together.
        result: the statistic itself; NaN where there are too few values.
    """

    of_one: Callable[[Array], Array]
    joined: Callable[[Array, Array], Array]
    result: Callable[[Array], Array]


def of_windows(statistic: Statistic, values: Array, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], *, include_current: bool) -> Array:
    """Compute a statistic of the values from `starts` up to, and without, `ends`, and of each row's own value where asked.

    A window of 13 rows is put together from pieces of 1, 4 and 8 rows, so n windows take n log n steps however long they are.

    >>> of_windows(STATISTICS["sum"], np.array([1.0, 2.0, 4.0]), np.array([0, 0, 1]), np.array([0, 1, 2]), include_current=True)
    array([1., 3., 6.])
    """
    single = statistic.of_one(values)
    found = statistic.of_one(np.full(len(values), np.nan))
    pieces, place, lengths, size = single, starts.copy(), ends - starts, 1
    # Pieces that run from one entity into the next are never used, and may overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        while size <= lengths.max(initial=0):
            rows = np.flatnonzero(lengths & size)
            found[:, rows] = statistic.joined(found[:, rows], pieces[:, place[rows]])
            place[rows] += size
            pieces = np.concatenate([statistic.joined(pieces[:, :-size], pieces[:, size:]), pieces[:, -size:]], axis=1)
            size *= 2
        return statistic.result(statistic.joined(found, single) if include_current else found)


def _counted(values: Array) -> Array:
    return np.stack([~np.isnan(values), np.nan_to_num(values)]).astype(np.float64)


def _total(parts: Array) -> Array:
    return np.where(parts[0] > 0, parts[1], np.nan)


def _mean(parts: Array) -> Array:
    return np.asarray(_total(parts) / np.maximum(parts[0], 1))


def _squared(values: Array) -> Array:
    return np.concatenate([_counted(values), np.zeros((1, len(values)))])


def _joined_squares(one: Array, other: Array) -> Array:
    """Join counts, means and sums of squared differences: Chan, Golub and LeVeque, "Updating Formulae", 1979, formula 2.1."""
    count = one[0] + other[0]
    share = other[0] / np.maximum(count, 1)
    apart = other[1] - one[1]
    # The mean of no values is 0 here, which must not move the other's.
    mean = np.where(one[0] > 0, one[1] + apart * share, other[1])
    return np.stack([count, mean, one[2] + other[2] + apart**2 * one[0] * share])


def _deviation(parts: Array) -> Array:
    return np.where(parts[0] > 1, np.sqrt(parts[2] / np.maximum(parts[0] - 1, 1)), np.nan)


def _first(parts: Array) -> Array:
    return np.asarray(parts[0])


def _alone(values: Array) -> Array:
    return values[np.newaxis].copy()


_add: Callable[[Any, Any], Any] = np.add

STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        "mean": Statistic(_counted, _add, _mean),
        "sum": Statistic(_counted, _add, _total),
        "min": Statistic(_alone, np.fmin, _first),
        "max": Statistic(_alone, np.fmax, _first),
        "count": Statistic(_counted, _add, _first),
        "std": Statistic(_squared, _joined_squares, _deviation),
    }
)
"""By name; "std" is that of a sample (one less than the count), as pandas has it."""
