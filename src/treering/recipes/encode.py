"""Steps that replace each category by one number."""

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from treering.errors import InvalidDefinitionError
from treering.recipes.categories import Categories, Codes, Value, check_maximum, codes, counted, labels, present
from treering.recipes.columns import CATEGORIES, Columns, Floats, choose, named, with_columns
from treering.recipes.steps import Step

if TYPE_CHECKING:
    import pandas as pd

CategoriesT = TypeVar("CategoriesT", bound=Categories)


class _Encoder(Step[CategoriesT]):
    __slots__ = ()
    columns: Columns

    @property
    def is_fitted_step(self) -> bool:
        """The categories are the values."""
        return True

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column of text."""
        return choose(self.name, self.columns, CATEGORIES, frame)

    def transform(self, frame: "pd.DataFrame", learned: CategoriesT) -> "pd.DataFrame":
        """Put numbers in the place of categories."""
        choose(self.name, learned.columns, CATEGORIES, frame)
        return with_columns(frame, {column: self._numbers(frame[column], position, learned) for position, column in enumerate(learned.columns)})

    @abstractmethod
    def _numbers(self, column: "pd.Series[Any]", position: int, learned: CategoriesT) -> Codes | Floats: ...


@dataclass(frozen=True, slots=True)
class LabelEncode(_Encoder[Categories]):
    """Replace categories by whole numbers: the position among the sorted categories of fit, as scikit-learn's LabelEncoder.

    Attributes:
        columns: None means every column of text.
        unknown: the code of a category that is not known; below 0, so that no category can have it.
        null: the code of a null; below 0.
        categories: those of all columns, in an order that means something, instead of the sorted ones of fit.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> recipe = Recipe([LabelEncode("origin")]).fit(pd.DataFrame({"origin": ["LGA", "EWR", "JFK"]}))
    >>> recipe.transform(pd.DataFrame({"origin": ["EWR", "LGA", "BOS", None]}))["origin"].tolist()
    [0, 2, -1, -2]
    >>> sky = pd.DataFrame({"sky": ["overcast", "clear", "fog"]})
    >>> Recipe([LabelEncode("sky", categories=("clear", "scattered", "overcast"))]).fit_transform(sky)["sky"].tolist()
    [2, 0, -1]
    """

    columns: Columns = None
    unknown: int = -1
    null: int = -2
    categories: Sequence[Value] | None = None
    learned_type = Categories

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        for role, code in (("unknown", self.unknown), ("null", self.null)):
            if type(code) is not int or code >= 0:
                raise InvalidDefinitionError(f"LabelEncode has {role}={code!r}; give a whole number below 0, because categories have the codes from 0 on.")
        if self.categories is not None:
            object.__setattr__(self, "categories", _ordered(self.categories))

    @property
    def is_fitted_step(self) -> bool:
        """Unless the categories are given."""
        return self.categories is None

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Categories:
        """Learn the categories of each column, one column in memory at a time."""
        if self.categories is not None:
            return Categories(columns, (tuple(self.categories),) * len(columns))
        return Categories(columns, tuple(labels(self.name, column, counted(column, chunks)) for column in columns))

    def _numbers(self, column: "pd.Series[Any]", position: int, learned: Categories) -> Codes:
        return codes(column, learned.categories[position], unknown=self.unknown, null=self.null)


def _ordered(categories: object) -> tuple[Value, ...]:
    if isinstance(categories, str) or not isinstance(categories, Iterable):
        raise InvalidDefinitionError(f"LabelEncode has categories={categories!r}; give a list of them, in order: ['low', 'high'].")
    given = tuple(categories)
    for value in given:
        if type(value) not in (str, int, float, bool) or (isinstance(value, float) and not math.isfinite(value)):
            raise InvalidDefinitionError(f"A category of LabelEncode is {value!r}; give text, finite numbers or booleans.")
    if not given or len(set(given)) < len(given):
        raise InvalidDefinitionError(f"LabelEncode has categories={given!r}; give at least one, and each once.")
    return given


@dataclass(frozen=True, slots=True)
class Shares(Categories):
    """Each category's share of the rows of fit, beside the category."""

    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Frequency(_Encoder[Shares]):
    """Replace each category by the share of the rows of fit that have it. One that fit did not see has 0; a null stays null.

    Attributes:
        columns: None means every column of text.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> recipe = Recipe([Frequency("origin")]).fit(pd.DataFrame({"origin": ["EWR", "EWR", "JFK", None]}))
    >>> recipe.transform(pd.DataFrame({"origin": ["EWR", "JFK", "BOS", None]}))["origin"].tolist()
    [0.5, 0.25, 0.0, nan]
    """

    columns: Columns = None
    learned_type = Shares

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Shares:
        """Count each category, one column in memory at a time."""
        categories, shares, rows = [], [], sum(len(chunk) for chunk in chunks)
        for column in columns:
            counts = counted(column, chunks)
            categories.append(labels(self.name, column, counts))
            shares.append(tuple(counts[category] / rows for category in categories[-1]))
        return Shares(columns, tuple(categories), tuple(shares))

    def _numbers(self, column: "pd.Series[Any]", position: int, learned: Shares) -> Floats:
        share_of = dict(zip(learned.categories[position], learned.shares[position], strict=True))
        found = np.full(len(column), np.nan)
        found[column.notna().to_numpy()] = [share_of.get(value, 0.0) for value in present(column).ravel()]
        return found


@dataclass(frozen=True, slots=True)
class Category(_Encoder[Categories]):
    """Replace categories by codes for a trainer that takes categories as such: XGBoost is told which columns hold them.

    A code is the position among the sorted categories, as a 64-bit float; a null, a category that fit did not see and one that is too
    rare are NaN.

    Attributes:
        columns: None means every column of text.
        maximum_categories: how many have a code: the most frequent; of equals the first.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> recipe = Recipe([Category("origin")]).fit(pd.DataFrame({"origin": ["LGA", "EWR", "JFK"]}))
    >>> recipe.transform(pd.DataFrame({"origin": ["LGA", "BOS", None]}))["origin"].tolist()
    [2.0, nan, nan]
    >>> recipe.categories_out
    ('origin',)
    """

    columns: Columns = None
    maximum_categories: int | None = None
    learned_type = Categories

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        check_maximum(self.name, self.maximum_categories)

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Categories:
        """Learn the categories of each column, one column in memory at a time."""
        return Categories(columns, tuple(self._categories(column, chunks) for column in columns))

    def _categories(self, column: str, chunks: "Iterable[pd.DataFrame]") -> tuple[Value, ...]:
        counts = counted(column, chunks)
        every = labels(self.name, column, counts)
        if self.maximum_categories is None:
            return every
        frequent = set(sorted(every, key=lambda category: -counts[category])[: self.maximum_categories])
        return tuple(category for category in every if category in frequent)

    def _numbers(self, column: "pd.Series[Any]", position: int, learned: Categories) -> Floats:
        found = codes(column, learned.categories[position], unknown=-1, null=-1).astype("float64")
        found[found < 0] = np.nan
        return found

    def categories_out(self, learned: Categories) -> tuple[str, ...]:
        """The columns that now hold codes."""
        return learned.columns
