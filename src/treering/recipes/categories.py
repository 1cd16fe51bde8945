"""The categories that a column holds: found, counted and sorted."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import Objects, objects
from treering.recipes.scikit_learn import sklearn
from treering.recipes.steps import Learned

if TYPE_CHECKING:
    import pandas as pd

Value = str | int | float | bool
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Categories(Learned):
    """Each column's categories, in order; a category's position is its code."""

    categories: tuple[tuple[Value, ...], ...]


def present(column: "pd.Series[Any]") -> Objects:
    """Read the values that are not null as Python objects of shape (values, 1).

    >>> import pandas as pd
    >>> present(pd.Series(["EWR", None])).tolist()
    [['EWR']]
    """
    return objects(column[column.notna()])


def cells(categories: tuple[Value, ...]) -> Objects:
    """Put categories into an array of shape (categories, 1), whatever their types.

    >>> cells(("EWR", "JFK")).shape
    (2, 1)
    """
    found = np.empty((len(categories), 1), dtype=object)
    found[:, 0] = categories
    return found


def counted(column: str, chunks: "Iterable[pd.DataFrame]") -> Counter[Value]:
    """Count how many rows have each value; nulls are not counted.

    >>> import pandas as pd
    >>> counted("origin", [pd.DataFrame({"origin": ["EWR", None, "JFK", "EWR"]})])
    Counter({'EWR': 2, 'JFK': 1})
    """
    counts: Counter[Value] = Counter()
    for chunk in chunks:
        counts.update(present(chunk[column]).ravel().tolist())
    return counts


def sorted_categories(step: str, column: str, encoder: Any, values: Objects, attribute: str) -> tuple[Value, ...]:
    """Fit one of scikit-learn's encoders on one column's values, and read the sorted categories back.

    Args:
        step, column: for error messages.
        encoder: unfitted.
        values: none of them null.
        attribute: of the fitted encoder.

    Raises:
        RecipeError: for no values, values of several types, or infinite ones.
    """
    if not len(values):
        raise RecipeError(f"Step {step} cannot learn from column {column!r}: it holds no values. Leave it out, or fill it first.")
    try:
        found = getattr(encoder.fit(values), attribute)
    except TypeError:
        raise RecipeError(f"Step {step}: column {column!r} holds values of several types, which cannot be sorted. Convert them in an earlier step.") from None
    categories: tuple[Value, ...] = tuple((found[0] if attribute == "categories_" else found).tolist())
    if any(isinstance(category, float) and math.isinf(category) for category in categories):
        raise RecipeError(f"Step {step}: column {column!r} holds infinite values, which are no categories. Replace them in an earlier step.")
    return categories


def labels(step: str, column: str, values: Iterable[Value]) -> tuple[Value, ...]:
    """Sort different values as scikit-learn's LabelEncoder does.

    >>> labels("LabelEncode", "origin", {"JFK": 1, "EWR": 2})
    ('EWR', 'JFK')

    Raises:
        RecipeError: for no values, or values of several types.
    """
    return sorted_categories(step, column, sklearn("preprocessing").LabelEncoder(), np.array(list(values), dtype=object), "classes_")


def codes(column: "pd.Series[Any]", known: tuple[Value, ...], *, unknown: int, null: int) -> Codes:
    """Replace each value by its position among those known.

    >>> import pandas as pd
    >>> codes(pd.Series(["JFK", None, "BOS"]), ("EWR", "JFK"), unknown=-1, null=-2).tolist()
    [1, -2, -1]
    """
    found = np.full(len(column), null, dtype=np.int64)
    values = present(column)
    if len(values):
        categories = cells(known)
        encoder = sklearn("preprocessing").OrdinalEncoder(
            categories=[categories.ravel()], handle_unknown="use_encoded_value", unknown_value=unknown, dtype=np.int64
        )
        found[column.notna().to_numpy()] = encoder.fit(categories).transform(values).ravel()
    return found


def check_maximum(step: str, maximum: int | None) -> None:
    """Refuse a number of categories that means nothing.

    Raises:
        InvalidDefinitionError: for less than 2, or what is no whole number.
    """
    if maximum is not None and (type(maximum) is not int or maximum < 2):
        raise InvalidDefinitionError(f"{step} has maximum_categories={maximum!r}; give a whole number from 2 on, or None.")
