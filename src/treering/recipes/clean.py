"""Steps that fill missing values, and steps that drop rows."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import ANYTHING, BOOLEANS, NUMBERS, TEXT, VALUES, ColumnKind, Columns, choose, is_number, named, objects, require
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
        return frame.assign(**{column: _filled(frame[column], value) for column, value in zip(learned.columns, learned.values, strict=True)})


def _filled(column: "pd.Series[Any]", value: Constant) -> "pd.Series[Any]":
    import pandas as pd

    if not column.isna().any():
        return column
    if isinstance(value, float) and is_number(column.dtype):
        return column.astype("float64").fillna(value)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(object).fillna(value)
    return column.fillna(value)


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

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Learned:
        """Learn nothing but which columns there are."""
        return Learned(columns)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Drop rows with a null."""
        require(self.name, learned.columns, frame)
        return frame.dropna(subset=list(learned.columns))


@dataclass(frozen=True, slots=True)
class Filter(Step[Learned]):
    """Keep the rows that satisfy an expression; they keep their index. A row where a null decides does not.

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

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Learned:
        """Learn nothing."""
        return Learned(columns)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Keep the rows that satisfy the expression."""
        require(self.name, learned.columns, frame)
        return frame[Expression.parse(self.expression).rows(frame)]
