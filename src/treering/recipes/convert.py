"""Steps that change the type of columns, strictly: a value that the type does not hold is an error that names its row, never a null."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import InvalidDefinitionError, RecipeError, SchemaMismatchError
from treering.recipes.columns import ANYTHING, Columns, choose, is_boolean, is_number, named, named_all, require, rows_text, with_columns
from treering.recipes.steps import Learned, Step
from treering.schema.arrow import pandas_column
from treering.schema.feature_group import TimeZone
from treering.schema.types import FeatureType
from treering.sources.bad_rows import Violation
from treering.sources.csv_values import Words, typed
from treering.sources.times import WHAT_TO_DO, event_times

if TYPE_CHECKING:
    import pandas as pd

_EXACT, _GREATEST = 2**53, 2**63 - 1
# As in CSV files.
_WORDS = Words((), ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0"))
_TARGETS: Mapping[str, pa.DataType] = MappingProxyType({"Integral": pa.int64(), "Fractional": pa.float64(), "String": pa.string(), "Boolean": pa.bool_()})
# The types of pandas, without nulls and with some.
_PANDAS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"Integral": ("int64", "Int64"), "Fractional": ("float64", "float64"), "String": ("str", "str"), "Boolean": ("bool", "boolean")}
)

Casted = tuple[pa.Array, Iterable[Violation]]
Numbers = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class _Conversion(Step[Learned]):
    __slots__ = ()
    columns: Columns

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named_all(self.name, "columns", self.columns))

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns."""
        return choose(self.name, self.columns, ANYTHING, frame)

    def _arrow(self, column: "pd.Series[Any]") -> pa.Array:
        try:
            values = pandas_column(column, str(column.name))
        except SchemaMismatchError as error:
            raise RecipeError(f"Step {self.name}: {error}") from None
        plain = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        plain = plain.dictionary_decode() if pa.types.is_dictionary(plain.type) else plain
        return pc.if_else(pc.is_nan(plain), None, plain) if pa.types.is_floating(plain.type) else plain

    def _refuse(self, column: "pd.Series[Any]", problems: Iterable[Violation], what_to_do: Mapping[str, str]) -> None:
        for problem in problems:
            if len(problem.rows):
                rows = "1 row" if len(problem.rows) == 1 else f"{len(problem.rows):,} rows"
                raise RecipeError(
                    f"Step {self.name}: {problem.reason} in {rows} of column {column.name!r}: {rows_text(column, problem.rows)}. "
                    f"{what_to_do.get(problem.reason, 'Mend or drop what cannot be read in an earlier step.')}"
                )


@dataclass(frozen=True, slots=True)
class Cast(_Conversion):
    """Give columns another type. Text is read as it is in CSV files: "12" and "12.0" are whole numbers, "12.5" is refused as one.

    Attributes:
        columns: of text, numbers or booleans; a category counts as its values. Nulls stay null.
        to: "Integral" (64-bit; pandas' nullable Int64 where there are nulls), "Fractional" (64-bit float), "String" (whole
            floats without a point; "true" and "false") or "Boolean" (of 0, 1, true and false, the words also in
            capitals or with one).

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([Cast("seats", "Integral")]).fit_transform(pd.DataFrame({"seats": ["12", "55"]}))["seats"].tolist()
    [12, 55]
    >>> Recipe([Cast("seats", "Integral")]).fit_transform(pd.DataFrame({"seats": ["12", "12.5"]}))
    Traceback (most recent call last):
    treering.errors.RecipeError: Step Cast: not an Integral in 1 row of column 'seats': '12.5' (row 1). Mend or drop ...
    """

    columns: Columns
    to: Literal["Integral", "Fractional", "String", "Boolean"]

    def __post_init__(self) -> None:
        _Conversion.__post_init__(self)
        if self.to not in _TARGETS:
            raise InvalidDefinitionError(f"Cast has to={self.to!r}. There are: {', '.join(map(repr, _TARGETS))}; ParseTimes reads times.")
        object.__setattr__(self, "to", str(self.to))

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Cast the columns, or refuse the first that holds something else."""
        require(self.name, learned.columns, frame)
        return with_columns(frame, {column: self._casted(frame[column]) for column in learned.columns})

    def _casted(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        import pandas as pd

        plain, target = self._arrow(_as_text_if_mixed(column)), _TARGETS[self.to]
        caster = next((caster for holds, caster in _CASTERS if holds(plain.type)), None)
        if caster is None:
            raise RecipeError(f"Step {self.name} takes text, numbers and booleans; column {column.name!r} holds {plain.type}. ParseTimes reads times.")
        values, problems = caster(plain, target, str(column.name))
        self._refuse(column, problems, {})
        without_nulls, with_nulls = _PANDAS[self.to]
        if values.null_count == 0 or without_nulls == with_nulls:
            return pd.Series(values.to_pandas(), dtype=without_nulls).set_axis(column.index)
        return pd.Series(values.to_pandas(integer_object_nulls=True), dtype=with_nulls).set_axis(column.index)


def _as_text_if_mixed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Write the numbers and booleans among text as text, as tables have them that were typed by hand."""
    if column.dtype != np.dtype("object") or not any(isinstance(value, str) for value in column):
        return column
    return column.map(
        lambda value: str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value, na_action="ignore"
    )


def _from_text(texts: pa.Array, target: pa.DataType, column: str) -> Casted:
    return typed(texts.cast(pa.string()), target, column, _WORDS)


def _from_decimals(numbers: pa.Array, target: pa.DataType, column: str) -> Casted:
    return _from_text(numbers.cast(pa.string()), target, column)


def _from_booleans(flags: pa.Array, target: pa.DataType, column: str) -> Casted:
    return (flags.cast(pa.uint8()).cast(target) if pa.types.is_floating(target) else flags.cast(target)), ()


def _from_numbers(numbers: pa.Array, target: pa.DataType, column: str) -> Casted:
    given = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    refused = [(mask, reason) for mask, reason in _REFUSED[target](given) if mask.any()]
    bad = reduce(np.logical_or, (mask for mask, _ in refused), np.zeros(len(given), dtype=bool))
    values = pc.if_else(pa.array(bad), None, numbers).cast(target)
    return values, [Violation(np.flatnonzero(mask), reason, column) for mask, reason in refused]


def _not_integral(numbers: Numbers) -> Iterable[tuple[Mask, str]]:
    if numbers.dtype.kind != "f":
        return [(numbers > _GREATEST, "integer overflow")]
    is_whole = np.floor(numbers) == numbers
    return [(~is_whole, "not an Integral"), (is_whole & (np.abs(numbers) >= _EXACT), "whole float beyond 2^53")]


def _not_fractional(numbers: Numbers) -> Iterable[tuple[Mask, str]]:
    return [] if numbers.dtype.kind == "f" else [((numbers > _EXACT) | (numbers < -_EXACT), "whole number beyond 2^53")]


def _not_boolean(numbers: Numbers) -> Iterable[tuple[Mask, str]]:
    return [((numbers != 0) & (numbers != 1), "not a Boolean")]


_REFUSED: Mapping[pa.DataType, Callable[[Numbers], Iterable[tuple[Mask, str]]]] = MappingProxyType(
    {pa.int64(): _not_integral, pa.float64(): _not_fractional, pa.bool_(): _not_boolean, pa.string(): lambda _: []}
)


def _is_text(type: pa.DataType) -> bool:
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type))


def _is_number(type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type) or pa.types.is_floating(type))


_CASTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array, pa.DataType, str], Casted]], ...] = (
    (pa.types.is_null, lambda values, target, _: (values.cast(target), ())),
    (_is_text, _from_text),
    (pa.types.is_boolean, _from_booleans),
    (_is_number, _from_numbers),
    (pa.types.is_decimal, _from_decimals),
)

# Not those that depend on the machine's language or zone, nor weeks.
_FORMAT = re.compile(r"(?:[^%]|%[aAbBdfHIjmMpSwyYz%])+")
_YEAR = re.compile(r"%[Yy]")
_CLOCK = re.compile(r"%[HIMSf]")


@dataclass(frozen=True, slots=True)
class ParseTimes(_Conversion):
    """Turn text into moments, as pandas datetimes of microseconds in UTC. What is finer is rounded up, as for event times.

    A time that is written with its zone is converted. One without a zone is refused until `time_zone` says which is meant,
    and so is a local time that does not exist or occurs twice, unless the zone says which is meant. Nulls stay null.

    Attributes:
        columns: of text or of datetimes.
        time_zone: the zone of times that are written without one: an IANA name, or a `tr.TimeZone`.
        format: how the text is written, as `datetime.strptime` has it, such as "%d.%m.%Y %H:%M"; None means ISO 8601.
        date_means: for dates without a time: "start_of_day" or "end_of_day", in the time zone.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> recipe = Recipe([ParseTimes("left_at", time_zone="America/New_York")])
    >>> recipe.fit_transform(pd.DataFrame({"left_at": ["2013-01-01 05:17"]}))["left_at"].tolist()
    [Timestamp('2013-01-01 10:17:00+0000', tz='UTC')]
    """

    columns: Columns
    time_zone: TimeZone | str | None = None
    format: str | None = None
    date_means: Literal["start_of_day", "end_of_day"] | None = None

    def __post_init__(self) -> None:
        _Conversion.__post_init__(self)
        zone = self.time_zone
        made = TimeZone(**zone) if isinstance(zone, Mapping) else None if zone is None else TimeZone.of(zone)
        object.__setattr__(self, "time_zone", made)
        if self.format is not None and (not isinstance(self.format, str) or "%" not in self.format or not _FORMAT.fullmatch(self.format)):
            raise InvalidDefinitionError(
                f"ParseTimes has format={self.format!r}; write one such as '%d.%m.%Y %H:%M'. Zones are read by %z, as +0100; their names by time_zone=."
            )
        if self.format is not None and not _YEAR.search(self.format):
            raise InvalidDefinitionError(f"ParseTimes has format={self.format!r}, which has no year: a moment needs one. Write %Y where it stands.")
        if self.date_means not in (None, *_DAY_OFFSETS):
            raise InvalidDefinitionError(f"ParseTimes has date_means={self.date_means!r}; it is 'start_of_day' or 'end_of_day'.")

    def parameters_json(self) -> dict[str, Any]:
        """Write the parameters; the time zone with what its doubtful times mean."""
        zone = asdict(self.time_zone) if isinstance(self.time_zone, TimeZone) else None
        return {"columns": list(named(self.columns) or ()), "time_zone": zone, "format": self.format, "date_means": self.date_means}

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Read the columns, or refuse the first that holds something else."""
        require(self.name, learned.columns, frame)
        return with_columns(frame, {column: self._parsed(frame[column]) for column in learned.columns})

    def _parsed(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        import pandas as pd

        if column.isna().all():
            return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us, UTC]")
        if is_number(column.dtype) or is_boolean(column.dtype):
            raise RecipeError(f"Step {self.name} reads text and datetimes; column {column.name!r} is {column.dtype}. Say what its numbers count with tr.step.")
        zone = self.time_zone if isinstance(self.time_zone, TimeZone) else None
        date_means = None if self.date_means is None else _DAY_OFFSETS[self.date_means]
        try:
            written = self._by_format(column)
            converted = event_times(written, FeatureType.TIMESTAMP, zone, date_means, round_up=True, name=str(column.name))
        except SchemaMismatchError as error:
            raise RecipeError(f"Step {self.name}: {error}") from None
        self._refuse(column, converted.problems, WHAT_TO_DO)
        return pd.Series(converted.values.to_pandas()).set_axis(column.index)

    def _by_format(self, column: "pd.Series[Any]") -> pa.Array:
        """Read text that is not ISO 8601 into Arrow times, local ones where it names no zone, and dates where it names no hour."""
        import pandas as pd

        plain = self._arrow(column)
        if self.format is None or not _is_text(plain.type):
            return plain
        texts = pd.Series(plain.to_pandas(), dtype=object)
        try:
            parsed = pd.to_datetime(texts, format=self.format, errors="coerce", utc="%z" in self.format)
        except (ValueError, re.error) as error:
            raise RecipeError(f"Step {self.name} cannot read by format={self.format!r} ({error}). Mend the format.") from None
        unread = np.flatnonzero(parsed.isna().to_numpy() & plain.is_valid().to_numpy(zero_copy_only=False))
        self._refuse(column, [Violation(unread, f"not written as {self.format}", str(column.name))], {})
        times = pa.Array.from_pandas(parsed)
        return times if _CLOCK.search(self.format) else times.cast(pa.date32())


_DAY_OFFSETS: Mapping[str, int] = MappingProxyType({"start_of_day": 0, "end_of_day": 86_400_000_000})
