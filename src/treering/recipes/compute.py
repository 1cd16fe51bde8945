"""The step that computes a column from an expression of others."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering.errors import InvalidDefinitionError
from treering.recipes.columns import require, require_new, with_columns
from treering.recipes.expression import Expression
from treering.recipes.steps import Learned, Step
from treering.schema.names import check_column_names

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Compute(Step[Learned]):
    """Add a column that an expression gives, or replace one. It looks at each row by itself.

    Numbers that are not whole come as floats, conditions as pandas' nullable booleans. Where a null goes into arithmetic,
    or a column divides by zero, the result is null; it is never infinite.

    Attributes:
        column: the name of the column, by the rule for feature names.
        expression: arithmetic or a condition, in the words of `Filter`: column names, numbers, text, `+ - * / // %`,
            comparisons, `and`, `or`, `not`. Nothing else is read, so an expression from outside cannot run code.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> flights = pd.DataFrame({"distance": [200.0, 90.0], "air_time": [40.0, 0.0]})
    >>> Recipe([Compute("miles_per_hour", "distance / air_time * 60")]).fit_transform(flights)["miles_per_hour"].tolist()
    [300.0, nan]
    """

    column: str
    expression: str

    def __post_init__(self) -> None:
        if not isinstance(self.column, str):
            raise InvalidDefinitionError(f"Compute has column={self.column!r}; give the name of the column as text: Compute('speed', 'distance / air_time').")
        check_column_names((self.column,), "column")
        Expression.parse(self.expression)

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the columns that the expression names."""
        columns = Expression.parse(self.expression).columns
        require(self.name, columns, frame)
        if self.column not in frame.columns:
            require_new(self.name, (self.column,), frame)
        return columns

    def transform(self, frame: "pd.DataFrame", learned: Learned) -> "pd.DataFrame":
        """Compute the column; a new one comes last, a replaced one stays in its place."""
        require(self.name, learned.columns, frame)
        return with_columns(frame, {self.column: Expression.parse(self.expression).values(frame)})

    def feature_names_out(self, names: tuple[str, ...], learned: Learned) -> tuple[str, ...]:
        """The columns that went in, and the new one."""
        return names if self.column in names else (*names, self.column)
