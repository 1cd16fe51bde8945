"""A step that takes times apart: into year, month, weekday, hour, or places on their circles."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError, did_you_mean
from treering.recipes.columns import ColumnKind, Columns, Floats, choose, named, require_new, with_columns
from treering.recipes.steps import Learned, Step
from treering.schema.feature_group import TimeZone

if TYPE_CHECKING:
    import pandas as pd


def _is_time(dtype: Any) -> bool:
    from pandas.api import types

    return types.is_datetime64_any_dtype(dtype)


TIMES = ColumnKind("times (ParseTimes makes them of text)", found=_is_time, accepted=_is_time)

_PARTS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "year": lambda clock: clock.dt.year,
        "quarter": lambda clock: clock.dt.quarter,
        "month": lambda clock: clock.dt.month,
        "week": lambda clock: clock.dt.isocalendar()["week"],
        "day": lambda clock: clock.dt.day,
        "day_of_year": lambda clock: clock.dt.day_of_year,
        "weekday": lambda clock: clock.dt.day_of_week,
        "hour": lambda clock: clock.dt.hour,
        "minute": lambda clock: clock.dt.minute,
    }
)

# The first value of each part that comes round again, and how many it has: a year has 365 days or 366.
_CYCLES: Mapping[str, tuple[int, Callable[[Any], Any]]] = MappingProxyType(
    {
        "month": (1, lambda _: 12),
        "day_of_year": (1, lambda clock: _floats(clock.dt.is_leap_year) + 365),
        "weekday": (0, lambda _: 7),
        "hour": (0, lambda _: 24),
        "minute": (0, lambda _: 60),
    }
)


@dataclass(frozen=True, slots=True)
class DateParts(Step[Learned]):
    """Replace times by their parts, as 64-bit floats in columns called `column_part` behind the others; a null time has null parts.

    Attributes:
        columns: None means every column of times.
        parts: year, quarter, month, week (of the ISO year), day, day_of_year, weekday (Monday is 0), hour, minute.
        cycles: whether parts that come round again (month, day_of_year, weekday, hour, minute) become a sine and a cosine,
            `column_part_sin` and `column_part_cos`, so that 23 o'clock lies beside midnight.
        time_zone: whose clock is read, as an IANA name; None reads UTC. Times without a zone are refused unless it is given, and are
            taken to be written on that clock.
        keep: whether the times stay beside their parts.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> frame = pd.DataFrame({"departed": pd.to_datetime(["2013-01-01T02:30Z"])})
    >>> Recipe([DateParts("departed", parts=("day", "hour"), time_zone="America/New_York")]).fit_transform(frame)
       departed_day  departed_hour
    0          31.0           21.0
    """

    columns: Columns = None
    parts: str | Sequence[str] = ("year", "month", "day", "weekday", "hour")
    cycles: bool = False
    time_zone: str | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        object.__setattr__(self, "parts", (self.parts,) if isinstance(self.parts, str) else tuple(self.parts))
        for part in self.parts:
            if part not in _PARTS:
                raise InvalidDefinitionError(f"DateParts knows no part {part!r}. {did_you_mean(str(part), _PARTS)}")
        if not self.parts or len(set(self.parts)) < len(self.parts):
            raise InvalidDefinitionError(f"DateParts has parts={self.parts!r}; give at least one, and each once.")
        if self.time_zone is not None:
            TimeZone(self.time_zone)

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column of times; none of their parts may be there already."""
        columns = self._with_zones(choose(self.name, self.columns, TIMES, frame), frame)
        require_new(self.name, self._names(columns), frame)
        return columns

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Put the parts behind the other columns."""
        self._with_zones(choose(self.name, learned.columns, TIMES, frame), frame)
        values = (part for column in learned.columns for part in self._values(self._clock(frame[column])))
        kept = frame if self.keep else frame.drop(columns=list(learned.columns))
        return with_columns(kept, dict(zip(self._names(learned.columns), values, strict=True)))

    def feature_names_out(self, names: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
        """The other columns, then the parts."""
        kept = names if self.keep else tuple(name for name in names if name not in learned.columns)
        return (*kept, *self._names(learned.columns))

    def _is_cycle(self, part: str) -> bool:
        return self.cycles and part in _CYCLES

    def _names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        endings = [ending for part in self.parts for ending in ((f"{part}_sin", f"{part}_cos") if self._is_cycle(part) else (part,))]
        return tuple(f"{column}_{ending}" for column in columns for ending in endings)

    def _with_zones(self, columns: tuple[str, ...], frame: "pd.DataFrame") -> tuple[str, ...]:
        for column in columns:
            if self.time_zone is None and frame[column].dt.tz is None:
                raise RecipeError(
                    f"Step {self.name}: the times of column {column!r} have no zone, and a guess could be hours off. "
                    "Say on which clock they were written: DateParts(..., time_zone='America/New_York')."
                )
        return columns

    def _clock(self, column: "pd.Series[Any]") -> Any:
        return column if column.dt.tz is None else column.dt.tz_convert(self.time_zone or "UTC")

    def _values(self, clock: Any) -> Iterable[Floats]:
        for part in self.parts:
            values = _floats(_PARTS[part](clock))
            if self._is_cycle(part):
                first, count = _CYCLES[part]
                angle = 2 * np.pi * (values - first) / count(clock)
                yield from (np.sin(angle), np.cos(angle))
            else:
                yield values


def _floats(values: Any) -> Floats:
    found: Floats = values.to_numpy(dtype="float64", na_value=np.nan)
    return found
