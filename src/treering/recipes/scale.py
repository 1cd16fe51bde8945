"""Steps that bring numbers to a common scale."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from treering.errors import RecipeError
from treering.recipes.columns import NUMBERS, Columns, choose, floats, named, with_columns
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
                # Sums depend on how values lie in memory.
                values = np.ascontiguousarray(floats(self.name, chunk, column))
                if not np.isnan(values).all():
                    # What overflows is refused below.
                    with np.errstate(over="ignore", invalid="ignore"):
                        scaler.partial_fit(values)
        return self._scaling(scalers)

    def _scaling(self, scalers: Mapping[str, Any]) -> Scaling:
        for column, scaler in scalers.items():
            if not hasattr(scaler, self.saved[0]):
                raise RecipeError(f"Step {self.name} cannot learn from column {column!r}: it holds no values. Leave it out, or fit on rows that have some.")
            # MinMax multiplies by the scale, which is 0 where the range is infinite.
            if not scaler.scale_[0] or not np.isfinite([getattr(scaler, name)[0] for name in self.saved]).all():
                raise RecipeError(
                    f"Step {self.name} cannot learn from column {column!r}: its values are too large for sums of 64-bit floats. Clip or drop them first."
                )
        return Scaling(tuple(scalers), {name: tuple(float(getattr(scaler, name)[0]) for scaler in scalers.values()) for name in self.saved})

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
        return with_columns(frame, scaled)


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


@dataclass(frozen=True, slots=True)
class Robust(_Scaler):
    """Scale each column to median 0 and a distance of 1 between its quartiles over the rows of fit, so that outliers hardly count. Nulls stay null.

    Attributes:
        columns: None means every column of numbers that are not booleans.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> Recipe([Robust("delay")]).fit_transform(pd.DataFrame({"delay": [0.0, 2.0, 4.0, 6.0, 9000.0]}))["delay"].tolist()
    [-1.0, -0.5, 0.0, 0.5, 2249.0]
    """

    columns: Columns = None
    saved = ("center_", "scale_")

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", named(self.columns))

    def _scaler(self) -> Any:
        return sklearn("preprocessing").RobustScaler()

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Scaling:
        """Learn quartiles, which need all values of a column: one column in memory at a time."""
        scalers = {}
        for column in columns:
            values = np.concatenate([floats(self.name, chunk, column) for chunk in chunks])
            with np.errstate(over="ignore", invalid="ignore"):
                scalers[column] = self._scaler() if np.isnan(values).all() else self._scaler().fit(values)
        return self._scaling(scalers)
