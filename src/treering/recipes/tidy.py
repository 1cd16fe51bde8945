"""Steps that put columns in order: their names, which there are, and the white space around their text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import ANYTHING, TEXT, Columns, choose, is_text, named, named_all, require, with_columns
from treering.recipes.steps import Learned, Step
from treering.schema.names import check_column_names

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Rename(Step[Learned]):
    """Give columns other names, all at once; they keep their places.

    Attributes:
        names: the new names by the old ones. A new name follows the rule for feature names.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> list(Recipe([Rename({"Air Time": "air_time"})]).fit_transform(pd.DataFrame({"Air Time": [60], "day": [1]})))
    ['air_time', 'day']
    """

    names: Mapping[str, str]

    def __post_init__(self) -> None:
        if not isinstance(self.names, Mapping) or not self.names:
            raise InvalidDefinitionError("Rename takes the new names by the old ones: Rename({'Air Time': 'air_time'}).")
        named(self.names)
        check_column_names(self.names.values(), "column")
        object.__setattr__(self, "names", dict(self.names))

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the columns with the old names, where the others leave the new ones free."""
        require(self.name, self.names, frame)
        taken = {str(name).lower(): name for name in frame.columns if name not in self.names}
        for old, new in self.names.items():
            if new.lower() in taken:
                raise RecipeError(
                    f"Step {self.name} makes {new!r} of {old!r}, and the frame that reaches it has {taken[new.lower()]!r} already. "
                    "Rename or drop that column too."
                )
        return tuple(self.names)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Rename the columns."""
        require(self.name, learned.columns, frame)
        return frame.rename(columns=dict(self.names))

    def feature_names_out(self, names: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
        """The columns under their new names."""
        return tuple(self.names.get(name, name) for name in names)


@dataclass(frozen=True, slots=True)
class Strip(Step[Learned]):
    """Take off the white space around text. Text that is empty, or becomes so, stays empty text; nulls stay null.

    Attributes:
        columns: None means every column of text. A category becomes text; values of other types in a column stay.
        empty_is_null: whether text of which nothing is left becomes null.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([Strip("tailnum")]).fit_transform(pd.DataFrame({"tailnum": ["N14228 ", " "]}))["tailnum"].tolist()
    ['N14228', '']
    """

    columns: Columns = None
    empty_is_null: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))
        if type(self.empty_is_null) is not bool:
            raise InvalidDefinitionError(f"Strip has empty_is_null={self.empty_is_null!r}; it is True or False.")

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column of text."""
        return choose(self.name, self.columns, TEXT, frame)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Strip the columns."""
        require(self.name, learned.columns, frame)
        return with_columns(frame, {column: self._stripped(frame[column]) for column in learned.columns})

    def _stripped(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        import pandas as pd

        values = column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column
        if not is_text(values.dtype):
            # A column of which a batch holds nothing but nulls may come as floats.
            return values
        if values.dtype != np.dtype("object"):
            stripped = values.str.strip()
        else:
            stripped = values.map(lambda value: value.strip() if isinstance(value, str) else value).astype(object)
        return stripped.mask((stripped == "").fillna(value=False).astype(bool)) if self.empty_is_null else stripped


class _Selection(Step[Learned]):
    __slots__ = ()
    columns: Columns

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named_all(self.name, "columns", self.columns))

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns."""
        return choose(self.name, self.columns, ANYTHING, frame)

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Select the columns."""
        require(self.name, learned.columns, frame)
        return frame[list(self.feature_names_out(tuple(frame.columns), learned))]


@dataclass(frozen=True, slots=True)
class DropColumns(_Selection):
    """Drop columns, and keep the others.

    Attributes:
        columns: those to drop.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> list(Recipe([DropColumns("note")]).fit_transform(pd.DataFrame({"note": ["a"], "delay": [2.0]})))
    ['delay']
    """

    columns: Columns

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, where any other is left."""
        columns = _Selection.choose(self, frame)
        if len(columns) == len(frame.columns):
            raise RecipeError("Step DropColumns drops every column of the frame that reaches it. Leave one.")
        return columns

    def feature_names_out(self, names: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
        """The other columns."""
        return tuple(name for name in names if name not in learned.columns)


@dataclass(frozen=True, slots=True)
class KeepColumns(_Selection):
    """Keep columns, in the order in which you name them, and drop the others.

    Attributes:
        columns: those to keep.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> list(Recipe([KeepColumns(["delay", "day"])]).fit_transform(pd.DataFrame({"day": [1], "note": ["a"], "delay": [2.0]})))
    ['delay', 'day']
    """

    columns: Columns

    def feature_names_out(self, names: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
        """The named columns."""
        return learned.columns
