"""The rows of a frame as histories of entities: what is earlier than what, whatever the order in which the rows come."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from treering.errors import RecipeError
from treering.recipes.columns import is_number, require, rows_text

if TYPE_CHECKING:
    import pandas as pd

Positions = npt.NDArray[np.int64]
Times = npt.NDArray[Any]
"""Integers or floats that can be compared."""

_LEAST, _GREATEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Rows sorted by entity, then by time; all positions but `order` count in that order.

    Attributes:
        order: where in the frame each row stands.
        starts: where each row's entity begins.
        ends: where each row's own time begins: the rows from `starts` to here are strictly earlier.
        times: ascending within an entity.
    """

    order: Positions
    starts: Positions
    ends: Positions
    times: Times

    def younger_than(self, window: int) -> Positions:
        """Find for each row the first row of its entity that is less than `window` older; times have to be integers."""
        # Nanoseconds of 64 bits span more than the longest that 64 bits can subtract at once; what wraps is replaced.
        once = min(window, _GREATEST)
        limits = np.where(self.times < _LEAST + window, _LEAST, self.times - once - min(window - once, _GREATEST))
        rows = len(self.order)
        # Each limit is put behind the rows that are as old as it, or older; the rows before it are then counted.
        merged = np.lexsort((np.repeat([0, 1], rows), np.concatenate([self.times, limits]), np.tile(self.starts, 2)))
        is_row = merged < rows
        first = np.empty(rows, dtype=np.int64)
        first[merged[~is_row] - rows] = np.cumsum(is_row)[~is_row]
        return first

    def in_frame_order(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Put values of the sorted rows where their rows stand in the frame."""
        placed = np.empty_like(values)
        placed[self.order] = values
        return placed


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Which entity each row of a frame belongs to, and when. A row with a null in its key has a history of its own.

    Attributes:
        step: the name of the step, for messages.
        entities: a number for each row; equal for rows of one entity.
        times: microseconds (nanoseconds, where the column has those) for datetimes; else the numbers as they are.
        per_microsecond: how many units of `times` a microsecond has; None where they are plain numbers.
    """

    step: str
    entities: npt.NDArray[np.int64]
    times: Times
    per_microsecond: int | None

    @classmethod
    def of(cls, step: str, frame: "pd.DataFrame", by: tuple[str, ...], order_by: str) -> "Histories":
        """Read the entities and the times of a frame's rows.

        Raises:
            RecipeError: for rows without a time, and times that are neither datetimes nor numbers.
        """
        require(step, (*by, order_by), frame)
        times, per_microsecond = times_of(step, frame, order_by)
        return cls(step, _entities(step, frame, by), times, per_microsecond)

    def timeline(self, column: "pd.Series[Any]") -> Timeline:
        """Sort the rows; those of one entity and one time by their value in a column, null first, which no order of the frame changes."""
        order = np.lexsort((self.times, self.entities))
        is_new = self._is_new(order)
        if not is_new.all():
            order = np.lexsort((_ranks(self.step, column), self.times, self.entities))
        entities = self.entities[order]
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = entities[1:] != entities[:-1]
        return Timeline(order, _latest(is_first), _latest(is_new), self.times[order])

    def _is_new(self, order: Positions) -> npt.NDArray[np.bool_]:
        is_new = np.ones(len(order), dtype=bool)
        entities, times = self.entities[order], self.times[order]
        is_new[1:] = (entities[1:] != entities[:-1]) | (times[1:] != times[:-1])
        return is_new


def times_of(step: str, frame: "pd.DataFrame", order_by: str) -> tuple[Times, int | None]:
    """Read a column of times as numbers that can be compared, with their units per microsecond if they are datetimes.

    Raises:
        RecipeError: for rows without a time, and a column of neither datetimes nor numbers.
    """
    from pandas.api import types

    column = frame[order_by]
    if not len(column):
        return np.empty(0, dtype=np.int64), 1
    is_time = types.is_datetime64_any_dtype(column.dtype)
    if not is_time and not is_number(column.dtype):
        raise RecipeError(
            f"Step {step} orders rows by datetimes or numbers; column {order_by!r} is {column.dtype}. Turn it into datetimes first: ParseTimes({order_by!r})."
        )
    without = np.flatnonzero(column.isna())
    if len(without):
        raise RecipeError(f"Step {step}: {len(without):,} rows have no {order_by!r}: {rows_text(column, without)}. Drop them first: DropMissing({order_by!r}).")
    if not is_time:
        return column.to_numpy(), None
    if column.dt.unit == "ns":
        return column.astype("int64").to_numpy(dtype=np.int64), 1_000
    return column.dt.as_unit("us").astype("int64").to_numpy(dtype=np.int64), 1


def _entities(step: str, frame: "pd.DataFrame", by: tuple[str, ...]) -> npt.NDArray[np.int64]:
    # Without the index: a level of it may have the name of a column.
    keys = frame[list(by)].reset_index(drop=True)
    try:
        numbers = keys.groupby(list(by), sort=False, observed=True).ngroup().to_numpy(dtype="float64", na_value=np.nan)
    except TypeError as error:
        raise RecipeError(f"Step {step} cannot tell entities by {', '.join(map(repr, by))} ({error}). Name columns of text or numbers.") from None
    is_null = np.isnan(numbers)
    return np.where(is_null, len(numbers) + np.arange(len(numbers)), numbers).astype(np.int64)


def _ranks(step: str, column: "pd.Series[Any]") -> npt.NDArray[np.int64]:
    import pandas as pd

    values = column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column
    try:
        return pd.factorize(values, sort=True)[0].astype(np.int64)
    except TypeError:
        raise RecipeError(
            f"Step {step}: rows of one entity share a time, and their values of {column.name!r} are of several types, which have no order. "
            "Convert them first: Cast."
        ) from None


def _latest(is_start: npt.NDArray[np.bool_]) -> Positions:
    """Give for each position the last start at or before it."""
    return np.maximum.accumulate(np.where(is_start, np.arange(len(is_start)), 0))
