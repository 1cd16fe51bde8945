"""Steps that look at earlier rows of the same entity, and at no other row: for before ingestion, where the whole history is at hand.

A row sees itself and rows of its entity with a strictly earlier time. It never sees another row of its own time, and
nothing depends on the order in which rows come.
"""

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import ANYTHING, NUMBERS, Columns, choose, floats, named, named_all, require, require_new, with_columns
from treering.recipes.steps import Learned, Step
from treering.recipes.timeline import Histories, Positions, Timeline
from treering.recipes.windows import STATISTICS, of_windows
from treering.schema.times import microseconds

if TYPE_CHECKING:
    import pandas as pd


class _HistoryStep(Step[Learned]):
    __slots__ = ()
    looks_across_rows = True
    columns: Columns
    by: Columns
    order_by: str

    def __post_init__(self) -> None:
        for part in ("columns", "by"):
            object.__setattr__(self, part, named_all(self.name, part, getattr(self, part)))
        if not isinstance(self.order_by, str):
            raise InvalidDefinitionError(f"{self.name} has order_by={self.order_by!r}; give the name of the one column that says when.")

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, and those that say whose they are and when."""
        columns = (*self._columns, *self._by, self.order_by)
        require(self.name, columns, frame)
        require_new(self.name, self.added, frame)
        return tuple(dict.fromkeys(columns))

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Work the columns out; rows keep their order and index."""
        require(self.name, learned.columns, frame)
        histories = Histories.of(self.name, frame, self._by, self.order_by)
        return with_columns(frame, {name: self._made(frame, column, histories) for name, column in zip(self._names_out, self._columns, strict=True)})

    @abstractmethod
    def _made(self, frame: "pd.DataFrame", column: str, histories: Histories) -> "pd.Series[Any]": ...

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that are new."""
        return self._names_out

    @property
    @abstractmethod
    def _names_out(self) -> tuple[str, ...]: ...

    @property
    def _columns(self) -> tuple[str, ...]:
        return named(self.columns) or ()

    @property
    def _by(self) -> tuple[str, ...]:
        return named(self.by) or ()

    def feature_names_out(self, names: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
        """The columns that went in, then the new ones."""
        return (*names, *self.added)


@dataclass(frozen=True, slots=True)
class FillForward(_HistoryStep):
    """Fill a gap with the entity's latest earlier value; before its first there is none, and the gap stays.

    Of several values of one earlier time the greatest counts. Rows whose key has a null are no entity's, and stay.

    Attributes:
        columns: the columns to fill.
        by: the columns that tell entities apart.
        order_by: the column of datetimes or numbers that says when.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> frame = pd.DataFrame({"origin": ["EWR", "JFK", "EWR"], "hour": [1, 2, 3], "gust": [20.0, None, None]})
    >>> Recipe([FillForward("gust", by="origin", order_by="hour")]).fit_transform(frame)["gust"].tolist()
    [20.0, nan, 20.0]
    """

    columns: Columns
    by: Columns
    order_by: str

    def __post_init__(self) -> None:
        _HistoryStep.__post_init__(self)
        key = next((name for name in (*self._by, self.order_by) if name in self._columns), None)
        if key is not None:
            raise InvalidDefinitionError(f"FillForward fills {key!r} and reads histories by it. Drop it from one of the two.")

    @property
    def added(self) -> tuple[str, ...]:
        """None: the columns are filled where they are."""
        return ()

    @property
    def _names_out(self) -> tuple[str, ...]:
        return self._columns

    def _made(self, frame: "pd.DataFrame", column: str, histories: Histories) -> "pd.Series[Any]":
        given = frame[column].notna().to_numpy(dtype=bool)
        if given.all():
            return frame[column]
        line = histories.timeline(frame[column])
        places = np.arange(len(line.order))
        latest = np.maximum.accumulate(np.where(given[line.order], places, -1))
        earlier = np.where(line.ends > line.starts, latest[line.ends - 1], -1)
        sources = np.where(given[line.order], places, np.where(earlier >= line.starts, earlier, -1))
        return _taken(frame[column], line, sources)


@dataclass(frozen=True, slots=True)
class Lag(_HistoryStep):
    """Add `<column>_lag_<periods>`: the value of the entity's n-th earlier row; null where there is none.

    Rows of one time do not see each other: each sees the same earlier rows. Earlier rows of one time count in the
    order of their values, null first. Whole numbers and booleans become pandas' nullable ones.

    Attributes:
        columns: the columns to look back at.
        by: the columns that tell entities apart.
        order_by: the column of datetimes or numbers that says when.
        periods: how many rows back, 1 or more; there is no looking forward.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> frame = pd.DataFrame({"plane": ["N1", "N2", "N1"], "landed": [3, 2, 1], "delay": [5.0, 7.0, 9.0]})
    >>> Recipe([Lag("delay", by="plane", order_by="landed")]).fit_transform(frame)["delay_lag_1"].tolist()
    [9.0, nan, nan]
    """

    columns: Columns
    by: Columns
    order_by: str
    periods: int = 1

    def __post_init__(self) -> None:
        _HistoryStep.__post_init__(self)
        if type(self.periods) is not int or self.periods < 1:
            raise InvalidDefinitionError(f"Lag has periods={self.periods!r}; give a whole number from 1 on: a step looks backwards only.")

    @property
    def _names_out(self) -> tuple[str, ...]:
        return tuple(f"{column}_lag_{self.periods}" for column in self._columns)

    def _made(self, frame: "pd.DataFrame", column: str, histories: Histories) -> "pd.Series[Any]":
        line = histories.timeline(frame[column])
        sources = line.ends - self.periods
        return _taken(_nullable(frame[column]), line, np.where(sources >= line.starts, sources, -1))


@dataclass(frozen=True, slots=True)
class Rolling(_HistoryStep):
    """Add `<column>_<statistic>_<window>`: a statistic of the entity's latest rows, the row itself among them; nulls are passed over.

    Including the row is honest for features of that record, which becomes known with it; leave it out where the value is
    what a model is to foretell. Other rows of its time are never included, and where a window of rows cuts through rows
    of one time, those with the greatest values are in. A window without values is null, and so is "std" of a single one.

    Attributes:
        columns: numbers or booleans; for "count" any.
        by: the columns that tell entities apart.
        order_by: the column of datetimes or numbers that says when.
        window: a number of rows, or a duration such as "24h": rows that are less than that older, as pandas has it.
        statistic: "mean", "sum", "min", "max", "count" or "std" (of a sample).
        include_current: whether the row itself is in its window; 3 rows are then itself and two earlier, and else three earlier.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> frame = pd.DataFrame({"plane": ["N1", "N1", "N1"], "landed": [1, 2, 3], "delay": [4.0, 8.0, 30.0]})
    >>> Recipe([Rolling("delay", by="plane", order_by="landed", window=2)]).fit_transform(frame)["delay_mean_2"].tolist()
    [4.0, 6.0, 19.0]
    """

    columns: Columns
    by: Columns
    order_by: str
    window: int | str
    statistic: Literal["mean", "sum", "min", "max", "count", "std"] = "mean"
    include_current: bool = True

    def __post_init__(self) -> None:
        _HistoryStep.__post_init__(self)
        if self.statistic not in STATISTICS:
            raise InvalidDefinitionError(f"Rolling has statistic={self.statistic!r}. There are: {', '.join(map(repr, STATISTICS))}.")
        if type(self.include_current) is not bool:
            raise InvalidDefinitionError(f"Rolling has include_current={self.include_current!r}; it is True or False.")
        is_text = isinstance(self.window, str)
        if not is_text and type(self.window) is not int:
            raise InvalidDefinitionError(f"Rolling has window={self.window!r}; give a number of rows, or a duration as text such as '24h'.")
        if (microseconds(str(self.window), "window") if is_text else int(self.window)) < 1:
            raise InvalidDefinitionError(f"Rolling has window={self.window!r}, in which no row lies; give 1 or more rows, or a duration such as '24h'.")

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, and those that say whose they are and when."""
        choose(self.name, self._columns, ANYTHING if self.statistic == "count" else NUMBERS, frame)
        return _HistoryStep.choose(self, frame)

    @property
    def _names_out(self) -> tuple[str, ...]:
        window = re.sub(r"[^a-zA-Z0-9]+", "_", str(self.window)).strip("_")
        return tuple(f"{column}_{self.statistic}_{window}" for column in self._columns)

    def _made(self, frame: "pd.DataFrame", column: str, histories: Histories) -> "pd.Series[Any]":
        import pandas as pd

        line = histories.timeline(frame[column])
        values = self._values(frame, column)[line.order]
        found = of_windows(STATISTICS[self.statistic], values, self._starts(line, histories), line.ends, include_current=self.include_current)
        return pd.Series(line.in_frame_order(found.astype("int64") if self.statistic == "count" else found), index=frame.index)

    def _values(self, frame: "pd.DataFrame", column: str) -> Any:
        if self.statistic == "count":
            return np.where(frame[column].isna(), np.nan, 1.0)
        return floats(self.name, frame, column).ravel()

    def _starts(self, line: Timeline, histories: Histories) -> Positions:
        if isinstance(self.window, int):
            return np.maximum(line.starts, line.ends - (self.window - self.include_current))
        if histories.per_microsecond is None:
            raise RecipeError(
                f"Step Rolling has the window {self.window!r}, and column {self.order_by!r} holds plain numbers, no times. "
                f"Give a number of rows, or turn the column into datetimes first: ParseTimes({self.order_by!r})."
            )
        return line.younger_than(microseconds(self.window, "window") * histories.per_microsecond)


def _taken(column: "pd.Series[Any]", line: Timeline, sources: Positions) -> "pd.Series[Any]":
    """Give each row the value of the row at a position of the timeline; -1 is null."""
    import pandas as pd
    from pandas.api.extensions import take

    rows = line.in_frame_order(np.where(sources < 0, -1, line.order[sources]))
    return pd.Series(take(column.array, rows, allow_fill=True), index=column.index, name=column.name, dtype=column.dtype)


def _nullable(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Give a column of whole numbers or booleans a type that holds nulls, whether it needs one or not."""
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else ""
    nullable: Any = {"i": "Int64", "u": "UInt64", "b": "boolean"}.get(kind, column.dtype)
    return column.astype(nullable)
