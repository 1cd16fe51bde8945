"""Steps that fill missing values or hold numbers within bounds, and steps that drop rows."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import (
    ANYTHING,
    BOOLEANS,
    NUMBERS,
    QUANTITIES,
    TEXT,
    VALUES,
    ColumnKind,
    Columns,
    choose,
    is_boolean,
    is_number,
    is_whole,
    named,
    objects,
    require,
    with_columns,
)
from treering.recipes.expression import Expression
from treering.recipes.scikit_learn import sklearn
from treering.recipes.steps import Learned, Step

if TYPE_CHECKING:
    import pandas as pd

Constant = str | int | float | bool

_STRATEGIES: Mapping[Constant, ColumnKind] = MappingProxyType({"mean": NUMBERS, "median": NUMBERS, "most_frequent": VALUES})
_CONSTANTS: Mapping[type, ColumnKind] = MappingProxyType({str: TEXT, int: NUMBERS, float: NUMBERS, bool: BOOLEANS})


@dataclass(frozen=True, slots=True)
class Fillings(Learned):
    """The value that fills each column's gaps."""

    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class FillMissing(Step[Fillings]):
    """Fill missing values with what the rows of fit say, or with a constant.

    Attributes:
        columns: None means all that fit: numbers for "mean", "median" and a number; text for text; booleans for one.
        with_: "mean", "median" or "most_frequent" (the least of several), or the constant itself.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> recipe = Recipe([FillMissing("seats", with_="median")]).fit(pd.DataFrame({"seats": [50.0, 60.0, 190.0]}))
    >>> recipe.transform(pd.DataFrame({"seats": [None, 55.0]}))["seats"].tolist()
    [60.0, 55.0]
    """

    columns: Columns = None
    with_: Constant = "mean"
    learned_type = Fillings

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        if type(self.with_) not in _CONSTANTS or (isinstance(self.with_, float) and not math.isfinite(self.with_)):
            raise InvalidDefinitionError(
                f"FillMissing fills with {', '.join(map(repr, _STRATEGIES))}, or with text, a finite number or a boolean, not {self.with_!r}."
            )

    @property
    def is_fitted_step(self) -> bool:
        """Unless a constant fills."""
        return self.with_ in _STRATEGIES

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column that can hold what fills."""
        kind = _STRATEGIES[self.with_] if self.is_fitted_step else _CONSTANTS[type(self.with_)]
        return choose(self.name, self.columns, kind, frame)

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Fillings:
        """Learn what fills each column, one column in memory at a time."""
        if not self.is_fitted_step:
            return Fillings(columns, (self.with_,) * len(columns))
        return Fillings(columns, tuple(self._statistic(column, chunks) for column in columns))

    def _statistic(self, column: str, chunks: "Iterable[pd.DataFrame]") -> Constant:
        import pandas as pd

        values = pd.concat([chunk[column] for chunk in chunks])
        if values.isna().all():
            raise RecipeError(f"Step {self.name} cannot learn from column {column!r}: it holds no values. Leave it out, or fill it with a constant.")
        imputer = sklearn("impute").SimpleImputer(strategy=self.with_)
        cells = values.to_numpy(dtype="float64", na_value=np.nan).reshape(-1, 1) if is_number(values.dtype) else objects(values)
        statistic = imputer.fit(cells).statistics_[0]
        value: Constant = statistic.item() if isinstance(statistic, np.generic) else statistic
        return value

    def transform(self, frame: "pd.DataFrame", learned: Fillings) -> "pd.DataFrame":
        """Fill the gaps; a column without any keeps its type."""
        require(self.name, learned.columns, frame)
        return with_columns(frame, {column: self._filled(frame[column], value) for column, value in zip(learned.columns, learned.values, strict=True)})

    def _filled(self, column: "pd.Series[Any]", value: Constant) -> "pd.Series[Any]":
        import pandas as pd

        if not column.isna().any():
            return column
        if (isinstance(value, float) and is_number(column.dtype)) or (type(value) is not bool and is_boolean(column.dtype)):
            return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), index=column.index, name=column.name).fillna(value)
        if isinstance(column.dtype, pd.CategoricalDtype):
            return column.astype(object).fillna(value)
        try:
            return column.fillna(value)
        except (TypeError, ValueError, OverflowError):
            raise _too_narrow(self.name, column, value) from None


def _too_narrow(step: str, column: "pd.Series[Any]", value: Constant) -> RecipeError:
    return RecipeError(
        f"Step {step} cannot put {value!r} into column {column.name!r}, which is {column.dtype}. Cast it in an earlier step, or give another value."
    )


@dataclass(frozen=True, slots=True)
class DropMissing(Step[Learned]):
    """Drop the rows in which a column is null; the others keep their index.

    Attributes:
        columns: None means every column: a row stays only if it has no null at all.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([DropMissing("speed")]).fit_transform(pd.DataFrame({"speed": [None, 430.0]})).index.tolist()
    [1]
    """

    columns: Columns = None
    drops_rows = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or all."""
        return choose(self.name, self.columns, ANYTHING, frame)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Drop rows with a null."""
        require(self.name, learned.columns, frame)
        return frame.dropna(subset=list(learned.columns))


@dataclass(frozen=True, slots=True)
class Filter(Step[Learned]):
    """Keep the rows that satisfy an expression; they keep their index. A row where a null decides does not; what is divided by zero is null.

    Attributes:
        expression: comparisons (`< <= == != > >=`, `in [...]`, `not in [...]`), joined by `and`, `or`, `not`, of column
            names, numbers, text, True and False, with `+ - * / // %` on numbers. A name that is not a Python name
            stands in backticks. Nothing else is read, so an expression from outside cannot run code.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> flights = pd.DataFrame({"origin": ["EWR", "JFK", "LGA"], "delay": [90.0, 10.0, None]})
    >>> Recipe([Filter("origin in ['EWR', 'LGA'] and delay / 60 > 1")]).fit_transform(flights).index.tolist()
    [0]
    """

    expression: str
    drops_rows = True

    def __post_init__(self) -> None:
        Expression.parse(self.expression)

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the columns that the expression names."""
        columns = Expression.parse(self.expression).columns
        require(self.name, columns, frame)
        return columns

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Keep the rows that satisfy the expression."""
        require(self.name, learned.columns, frame)
        return frame[Expression.parse(self.expression).rows(frame)]


@dataclass(frozen=True, slots=True)
class DropDuplicates(Step[Learned]):
    """Keep one of the rows that agree in some columns, where null agrees with null; it keeps its index and its place.

    Attributes:
        columns: None means every column: only rows that are the same in all of them are duplicates.
        keep: which stays, by the order of the rows: the "last", as what was written last counts, or the "first".

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([DropDuplicates("flight")]).fit_transform(pd.DataFrame({"flight": [15, 27, 15]})).index.tolist()
    [1, 2]
    """

    columns: Columns = None
    keep: Literal["last", "first"] = "last"
    drops_rows = True
    looks_across_rows = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        if self.keep not in ("last", "first"):
            raise InvalidDefinitionError(f"DropDuplicates has keep={self.keep!r}; it is 'last' or 'first'.")

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or all."""
        return choose(self.name, self.columns, ANYTHING, frame)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Drop all but one of the rows that agree."""
        require(self.name, learned.columns, frame)
        try:
            return frame.drop_duplicates(list(learned.columns), keep=self.keep)
        except TypeError as error:
            raise RecipeError(f"Step {self.name} cannot compare the values of {', '.join(map(repr, learned.columns))} ({error}). Name other columns.") from None


@dataclass(frozen=True, slots=True)
class Clip(Step[Learned]):
    """Hold numbers within bounds that you name: what lies beyond one becomes that bound. Nulls stay null.

    Attributes:
        columns: None means every column of numbers that are not booleans.
        low: the least value; None means no bound.
        high: the greatest value; None means no bound. A bound with a fraction makes floats of whole numbers.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([Clip("delay", low=0, high=180)]).fit_transform(pd.DataFrame({"delay": [-5, 20, 900]}))["delay"].tolist()
    [0, 20, 180]
    """

    columns: Columns = None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        for name, bound in (("low", self.low), ("high", self.high)):
            if bound is not None and (type(bound) not in (int, float) or not math.isfinite(bound)):
                raise InvalidDefinitionError(f"Clip has {name}={bound!r}; give a finite number, or None for no bound.")
        if self.low is None and self.high is None:
            raise InvalidDefinitionError("Clip has no bound. Give low=, high=, or both.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InvalidDefinitionError(f"Clip has low={self.low!r} above high={self.high!r}. Exchange them.")

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column of numbers that are not booleans."""
        return choose(self.name, self.columns, QUANTITIES, frame)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Hold the columns within the bounds."""
        choose(self.name, learned.columns, QUANTITIES, frame)
        return with_columns(frame, {column: self._clipped(frame[column]) for column in learned.columns})

    def _clipped(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        if is_whole(column.dtype):
            column = column.astype(_wide_enough(column.dtype, (self.low, self.high)))
        if self.low is not None:
            column = self._bounded(column, column < self.low, self.low)
        if self.high is not None:
            column = self._bounded(column, column > self.high, self.high)
        return column

    def _bounded(self, column: "pd.Series[Any]", is_beyond: "pd.Series[bool]", bound: float) -> "pd.Series[Any]":
        whole = int(bound) if is_whole(column.dtype) else bound
        try:
            return column.mask(is_beyond.fillna(value=False).astype(bool), whole)
        except (TypeError, ValueError, OverflowError):
            raise _too_narrow(self.name, column, whole) from None


def _wide_enough(dtype: Any, bounds: Iterable[float | None]) -> Any:
    """Choose a type for whole numbers and what bounds them; it depends on no value, so that all batches get one type."""
    from pandas.api import types

    if any(isinstance(bound, float) and not bound.is_integer() for bound in bounds):
        return "float64"
    nullable = "Int64" if types.is_extension_array_dtype(dtype) else "int64"
    return nullable if dtype.itemsize < np.dtype("int64").itemsize else dtype
