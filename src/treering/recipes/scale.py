"""Steps that bring numbers to a common scale."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from treering.errors import RecipeError
from treering.recipes.columns import NUMBERS, Columns, choose, floats, named
from treering.recipes.scikit_learn import sklearn
from treering.recipes.steps import Learned, Step

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Scaling(Learned):
    """What a scaler learned.

    Attributes:
        attributes: scikit-learn's fitted attributes by name, with a number for each column.
    """

    attributes: Mapping[str, tuple[float, ...]]


class _Scaler(Step[Scaling]):
    __slots__ = ()
    learned_type = Scaling
    saved: ClassVar[tuple[str, ...]]
    columns: Columns

    @abstractmethod
    def _scaler(self) -> Any: ...

    @property
    def is_fitted_step(self) -> bool:
        """Always: the scale comes from the values."""
        return True

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take the named columns, or every column of numbers that are not booleans."""
        return choose(self.name, self.columns, NUMBERS, frame)

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Scaling:
        """Learn each column by itself: sums over several at once depend on how they lie in memory."""
        scalers = {column: self._scaler() for column in columns}
        for chunk in chunks:
            for column, scaler in scalers.items():
                values = floats(self.name, chunk, column)
                if not np.isnan(values).all():
                    scaler.partial_fit(values)
        for column, scaler in scalers.items():
            if not hasattr(scaler, self.saved[0]):
                raise RecipeError(f"Step {self.name} cannot learn from column {column!r}: it holds no values. Leave it out, or fit on rows that have some.")
        return Scaling(columns, {name: tuple(float(getattr(scaler, name)[0]) for scaler in scalers.values()) for name in self.saved})

    def transform(self, frame: "pd.DataFrame", learned: Scaling) -> "pd.DataFrame":
        """Scale the columns, as 64-bit floats; nulls stay."""
        scaled = {}
        for position, column in enumerate(learned.columns):
            scaler = self._scaler()
            for name in self.saved:
                setattr(scaler, name, np.array([learned.attributes[name][position]]))
            values = floats(self.name, frame, column)
            # scikit-learn refuses to transform no rows.
            scaled[column] = scaler.transform(values).ravel() if len(values) else values.ravel()
        return frame.assign(**scaled)


@dataclass(frozen=True, slots=True)
class MinMax(_Scaler):
    """Scale each column so that the rows of fit go from 0 to 1; later rows may lie outside. Nulls stay null.

    Attributes:
        columns: None means every column of numbers that are not booleans.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> recipe = Recipe([MinMax("delay")]).fit(pd.DataFrame({"delay": [0.0, 10.0]}))
    >>> recipe.transform(pd.DataFrame({"delay": [5.0, 20.0]}))["delay"].tolist()
    [0.5, 2.0]
    """

    columns: Columns = None
    saved = ("scale_", "min_", "data_min_", "data_max_")

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))

    def _scaler(self) -> Any:
        return sklearn("preprocessing").MinMaxScaler()


@dataclass(frozen=True, slots=True)
class Standard(_Scaler):
    """Scale each column to mean 0 and (population) standard deviation 1 over the rows of fit. Nulls stay null.

    Attributes:
        columns: None means every column of numbers that are not booleans.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([Standard("delay")]).fit_transform(pd.DataFrame({"delay": [0.0, 10.0]}))["delay"].tolist()
    [-1.0, 1.0]
    """

    columns: Columns = None
    saved = ("scale_", "mean_", "var_")

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))

    def _scaler(self) -> Any:
        return sklearn("preprocessing").StandardScaler()
