"""One-hot encoding: a column of 0 and 1 for each category."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.categories import Codes, Value, cells, check_maximum, present, sorted_categories
from treering.recipes.columns import CATEGORIES, Columns, choose, named
from treering.recipes.scikit_learn import sklearn
from treering.recipes.steps import Learned, Step

if TYPE_CHECKING:
    import pandas as pd

MAXIMUM_NAME = 64


@dataclass(frozen=True, slots=True)
class OneHotCategories(Learned):
    """The categories that have a column of their own, the rare ones that share one, and the names of the columns.

    Attributes:
        own: for each column, sorted.
        rare: for each column; empty unless a maximum was exceeded.
        names: for each column, of its output columns: one for each category, and one for the rare ones if there are any.
    """

    own: tuple[tuple[Value, ...], ...]
    rare: tuple[tuple[Value, ...], ...]
    names: tuple[tuple[str, ...], ...]

    def items(self) -> Iterator[tuple[str, tuple[Value, ...], tuple[Value, ...], tuple[str, ...]]]:
        """Go through the columns."""
        return zip(self.columns, self.own, self.rare, self.names, strict=True)


@dataclass(frozen=True, slots=True)
class OneHot(Step[OneHotCategories]):
    """Replace each column by a column of 0 and 1 for each category of fit. A null is 0 in all of them.

    An output column is called `column_category`, with `_` for what a feature's name cannot hold; where that is taken or
    too long, it ends in a digest of the category.

    Attributes:
        columns: None means every column of text.
        unknown: what a category does that fit did not see: "ignore" makes it 0 in all columns, "error" refuses it.
        maximum_categories: output columns of one column at most: the rarest categories share the last,
            `column_infrequent`, as scikit-learn's `max_categories`.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([OneHot("engine")]).fit_transform(pd.DataFrame({"engine": ["Turbo-fan", "4 Cycle"]}))
       engine_4_Cycle  engine_Turbo-fan
    0               0                 1
    1               1                 0
    """

    columns: Columns = None
    unknown: Literal["ignore", "error"] = "ignore"
    maximum_categories: int | None = None
    learned_type = OneHotCategories

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        if self.unknown not in ("ignore", "error"):
            raise InvalidDefinitionError(f"OneHot has unknown={self.unknown!r}; it is 'ignore' or 'error'.")
        check_maximum(self.name, self.maximum_categories)

    @property
    def is_fitted_step(self) -> bool:
        """Always: the categories are the values."""
        return True

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column of text."""
        return choose(self.name, self.columns, CATEGORIES, frame)

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> OneHotCategories:
        """Learn the categories of each column, one column in memory at a time."""
        taken = {str(name).lower() for name in next(iter(chunks)).columns}
        own, rare, names = [], [], []
        for column in columns:
            frequent, infrequent = self._categories(column, chunks)
            own.append(frequent)
            rare.append(infrequent)
            names.append(tuple(_output_name(column, category, taken) for category in (*frequent, *(("infrequent",) if infrequent else ()))))
        return OneHotCategories(columns, tuple(own), tuple(rare), tuple(names))

    def _categories(self, column: str, chunks: "Iterable[pd.DataFrame]") -> tuple[tuple[Value, ...], tuple[Value, ...]]:
        values = np.concatenate([present(chunk[column]) for chunk in chunks])
        encoder = sklearn("preprocessing").OneHotEncoder(max_categories=self.maximum_categories)
        every = sorted_categories(self.name, column, encoder, values, "categories_")
        infrequent = None if self.maximum_categories is None else encoder.infrequent_categories_[0]
        rare = () if infrequent is None else tuple(infrequent.tolist())
        return tuple(category for category in every if category not in rare), rare

    def transform(self, frame: "pd.DataFrame", learned: OneHotCategories) -> "pd.DataFrame":
        """Put the columns of 0 and 1, as 64-bit integers, behind the others."""
        import pandas as pd

        choose(self.name, learned.columns, CATEGORIES, frame)
        blocks = [self._block(frame[column], own, rare) for column, own, rare, _ in learned.items()]
        names = [name for group in learned.names for name in group]
        encoded = pd.DataFrame(np.concatenate(blocks, axis=1), index=frame.index, columns=names)
        return pd.concat([frame.drop(columns=list(learned.columns)), encoded], axis=1)

    def _block(self, column: "pd.Series[Any]", own: tuple[Value, ...], rare: tuple[Value, ...]) -> Codes:
        block = np.zeros((len(column), len(own) + bool(rare)), dtype=np.int64)
        values = present(column)
        if self.unknown == "error":
            self._refuse_unknown(column, {*own, *rare})
        if len(values):
            categories = cells(own)
            encoder = sklearn("preprocessing").OneHotEncoder(categories=[categories.ravel()], handle_unknown="ignore", sparse_output=False, dtype=np.int64)
            block[column.notna().to_numpy(), : len(own)] = encoder.fit(categories).transform(values)
        if rare:
            block[:, -1] = column.isin(list(rare))
        return block

    def _refuse_unknown(self, column: "pd.Series[Any]", known: set[Value]) -> None:
        unknown = [value for value in present(column).ravel() if value not in known]
        if unknown:
            raise RecipeError(
                f"Step {self.name}: column {column.name!r} holds {unknown[0]!r}, which fit did not see ({len(unknown)} such rows). "
                "Fit on rows that have it, or use unknown='ignore'."
            )

    def feature_names_out(self, names: tuple[str, ...], learned: OneHotCategories) -> tuple[str, ...]:
        """The other columns, then those of 0 and 1."""
        kept = [name for name in names if name not in learned.columns]
        return (*kept, *(name for group in learned.names for name in group))


def _output_name(column: str, category: Value, taken: set[str]) -> str:
    """Choose a name that follows the rule for features and differs from those taken by more than case; take it."""
    # A column of whole numbers with gaps is one of floats: its 2.0 is the 2 of a column without.
    shown = int(category) if isinstance(category, float) and category.is_integer() else category
    name = re.sub(r"[^a-zA-Z0-9-]+", "_", f"{column}_{shown}").strip("_-")
    if len(name) <= len(column) or len(name) > MAXIMUM_NAME or name.lower() in taken:
        digest = hashlib.sha256(repr(category).encode("utf-8", "backslashreplace")).hexdigest()[:8]
        name = f"{name[: MAXIMUM_NAME - 9]}_{digest}"
    taken.add(name.lower())
    return name
