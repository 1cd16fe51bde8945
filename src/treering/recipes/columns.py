"""Which columns a step works on: those it names, or all of the kind that it takes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]


def is_number(dtype: Any) -> bool:
    """Whether a pandas type holds numbers that are neither booleans nor complex.

    >>> is_number(np.dtype("int64")), is_number(np.dtype("bool"))
    (True, False)
    """
    from pandas.api import types

    return types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) and not types.is_complex_dtype(dtype)


def is_whole(dtype: Any) -> bool:
    """Whether a pandas type holds whole numbers, with nulls or without.

    >>> is_whole(np.dtype("int64")), is_whole(np.dtype("float64"))
    (True, False)
    """
    from pandas.api import types

    return types.is_integer_dtype(dtype)


def is_boolean(dtype: Any) -> bool:
    """Whether a pandas type holds booleans and nothing else.

    >>> is_boolean(np.dtype("bool"))
    True
    """
    from pandas.api import types

    return types.is_bool_dtype(dtype)


def is_text(dtype: Any) -> bool:
    """Whether a pandas type holds text: its string types, objects, or categories.

    >>> is_text(np.dtype("object")), is_text(np.dtype("datetime64[us]"))
    (True, False)
    """
    import pandas as pd
    from pandas.api import types

    return types.is_string_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype)


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """A kind of column that steps take.

    Attributes:
        name: as an error message says it.
        found: tells by a column's type whether a step that names no columns works on it.
        accepted: tells by a column's type whether a step may name it.

    >>> NUMBERS.found(np.dtype("bool")), NUMBERS.accepted(np.dtype("bool"))
    (False, True)
    """

    name: str
    found: Callable[[Any], bool]
    accepted: Callable[[Any], bool]


def _is_anything(_: Any) -> bool:
    return True


def _is_value(dtype: Any) -> bool:
    return is_number(dtype) or is_boolean(dtype) or is_text(dtype)


QUANTITIES = ColumnKind("numbers", found=is_number, accepted=is_number)
NUMBERS = ColumnKind("numbers", found=is_number, accepted=lambda dtype: is_number(dtype) or is_boolean(dtype))
TEXT = ColumnKind("text", found=is_text, accepted=is_text)
BOOLEANS = ColumnKind("booleans", found=is_boolean, accepted=lambda dtype: is_boolean(dtype) or dtype == np.dtype("object"))
CATEGORIES = ColumnKind("categories (text, numbers or booleans)", found=is_text, accepted=_is_value)
VALUES = ColumnKind("text, numbers or booleans", found=_is_value, accepted=_is_value)
ANYTHING = ColumnKind("any column", found=_is_anything, accepted=_is_anything)


Columns = str | Iterable[str] | None
"""The columns that a step names: one, some, or None for all of the kind that it takes."""


def named(columns: Columns) -> tuple[str, ...] | None:
    """Check the columns that a step names, and return them as a tuple; None stands for all of a kind.

    >>> named("speed")
    ('speed',)

    Raises:
        InvalidDefinitionError: for no column, a column twice, or a name that is not text.
    """
    if columns is None:
        return None
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    if not names:
        raise InvalidDefinitionError("A step names no column. Name some, or leave `columns` out to take all that fit.")
    for name in names:
        if not isinstance(name, str):
            raise InvalidDefinitionError(f"A column of a step is {name!r}; give its name as text.")
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise InvalidDefinitionError(f"A step names column {repeated!r} twice. Drop one of them.")
    return names


def named_all(step: str, part: str, columns: Columns) -> tuple[str, ...]:
    """Check columns that cannot be left out.

    >>> named_all("Cast", "columns", "speed")
    ('speed',)

    Raises:
        InvalidDefinitionError: for None, and as `named`.
    """
    names = named(columns)
    if names is None:
        raise InvalidDefinitionError(f"{step} has {part}=None; name the columns.")
    return names


def choose(step: str, columns: Columns, kind: ColumnKind, frame: "pd.DataFrame") -> tuple[str, ...]:
    """Find the columns that a step works on in this frame.

    >>> import pandas as pd
    >>> choose("MinMax", None, NUMBERS, pd.DataFrame({"carrier": ["UA"], "delay": [2.0]}))
    ('delay',)

    Raises:
        NotFoundError: for a named column that the frame lacks, with the nearest that it has.
        RecipeError: for a named column of another kind, or when no column is of the kind.
    """
    columns = named(columns)
    if columns is None:
        columns = tuple(str(name) for name, dtype in frame.dtypes.items() if kind.found(dtype))
        if not columns:
            raise RecipeError(f"Step {step} takes {kind.name}, and the frame that reaches it has no such column. Name the columns, or drop the step.")
        return columns
    require(step, columns, frame)
    for name in columns:
        if not kind.accepted(frame[name].dtype):
            raise RecipeError(
                f"Step {step} takes {kind.name}; column {name!r} is {frame[name].dtype}. Name other columns, or convert this one in an earlier step."
            )
    return columns


def require(step: str, columns: Iterable[str], frame: "pd.DataFrame") -> None:
    """Refuse a frame that lacks a column.

    >>> import pandas as pd
    >>> require("MinMax", ["dealy"], pd.DataFrame({"delay": [2.0]}))
    Traceback (most recent call last):
    treering.errors.NotFoundError: No column 'dealy' in the frame that reaches step MinMax. Did you mean 'delay'?

    Raises:
        NotFoundError: for the first column that is missing, with the nearest that there is.
    """
    for name in columns:
        if name not in frame.columns:
            raise NotFoundError.among("column", name, map(str, frame.columns), f"the frame that reaches step {step}")


def require_new(step: str, names: Iterable[str], frame: "pd.DataFrame") -> None:
    """Refuse to add a column whose name is taken, or differs from another only by case.

    >>> import pandas as pd
    >>> require_new("Lag", ["Delay"], pd.DataFrame({"delay": [2.0]}))
    Traceback (most recent call last):
    treering.errors.RecipeError: Step Lag adds column 'Delay', and the frame that reaches it has 'delay' already. Rename that column first.

    Raises:
        RecipeError: for the first such name.
    """
    taken = {str(name).lower(): str(name) for name in frame.columns}
    for name in names:
        if name.lower() in taken:
            raise RecipeError(f"Step {step} adds column {name!r}, and the frame that reaches it has {taken[name.lower()]!r} already. Rename that column first.")


def with_columns(frame: "pd.DataFrame", columns: Mapping[str, Any]) -> "pd.DataFrame":
    """Put columns into a copy of a frame: those it has in their places, others last. pandas' `assign` takes none that is called "self".

    >>> import pandas as pd
    >>> with_columns(pd.DataFrame({"self": [1]}), {"self": [2]})["self"].tolist()
    [2]
    """
    changed = frame.copy(deep=False)
    for name, values in columns.items():
        changed[name] = values
    return changed


def rows_text(column: "pd.Series[Any]", positions: "Iterable[int] | npt.NDArray[Any]") -> str:
    """Name the first rows at these positions as a person finds them: their values, and the labels of the index.

    >>> import pandas as pd
    >>> rows_text(pd.Series(["12", "x", "y"], index=[10, 20, 30]), [1, 2])
    "'x' (row 20), 'y' (row 30)"
    """
    places = [int(position) for position in positions]
    values = (value.item() if isinstance(value, np.generic) else value for value in column.iloc[places[:3]])
    shown = [f"{value!r:.60} (row {column.index[place]})" for value, place in zip(values, places, strict=False)]
    more = f" and {len(places) - 3:,} more" if len(places) > 3 else ""
    return ", ".join(shown) + more


def floats(step: str, frame: "pd.DataFrame", column: str) -> Floats:
    """Read a column of numbers as 64-bit floats of shape (rows, 1); nulls are NaN.

    >>> import pandas as pd
    >>> floats("MinMax", pd.DataFrame({"delay": [2, 3]}), "delay")
    array([[2.],
           [3.]])

    Raises:
        RecipeError: for a column of another kind, or one with infinite values.
    """
    choose(step, (column,), NUMBERS, frame)
    values = frame[column].to_numpy(dtype="float64", na_value=np.nan)
    if np.isinf(values).any():
        raise RecipeError(f"Step {step}: column {column!r} holds infinite values. Replace them in an earlier step.")
    return values.reshape(-1, 1)


def objects(column: "pd.Series[Any]") -> Objects:
    """Read a column as Python objects of shape (rows, 1), whatever its type; nulls are NaN.

    >>> import pandas as pd
    >>> objects(pd.Series(["a", None]))
    array([['a'],
           [nan]], dtype=object)
    """
    values = column.to_numpy(dtype=object, copy=True)
    values[column.isna().to_numpy()] = np.nan
    return values.reshape(-1, 1)
