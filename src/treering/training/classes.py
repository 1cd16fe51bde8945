"""The classes of a target: which values the train split has, the position that stands for each, and what its rows weigh."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import TrainingError, did_you_mean
from treering.training.parameters import BALANCED, ClassValue

# Each class costs a tree a round; a target of more values is a mistake for an amount or an identifier.
MAXIMUM_CLASSES = 1_000
_SHOWN = 10

Codes = npt.NDArray[np.float32]


def count_values(target: str, columns: Iterable[pa.Array]) -> Counter[ClassValue | float]:
    """Count the rows of each value of a target, whole numbers as such however they are stored.

    Raises:
        TrainingError: for more values than a model may have classes.
    """
    counts: Counter[ClassValue | float] = Counter()
    for column in columns:
        counts.update({_plain(pair["values"]): pair["counts"] for pair in pc.value_counts(_comparable(column)).to_pylist()})
        if len(counts) > MAXIMUM_CLASSES:
            raise TrainingError(
                f"The target {target!r} has more than {MAXIMUM_CLASSES:,} values, too many for classes. For an amount take an objective such as reg:squarederror."
            )
    return counts


def _comparable(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    is_broken = pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    return pc.cast(column, pa.float64(), safe=False) if is_broken else column


def _plain(value: object) -> ClassValue | float:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    assert isinstance(value, str | int)
    return value


def is_class(value: ClassValue | float) -> TypeGuard[ClassValue]:
    """Whether a value can name a class: text, a boolean, or a whole number."""
    return not isinstance(value, float)


def shown(values: Iterable[ClassValue | float]) -> str:
    """List some values, sorted, with how many more there are."""
    ordered = sorted(values)
    more = f" and {len(ordered) - _SHOWN:,} more" if len(ordered) > _SHOWN else ""
    return f"{', '.join(repr(value) for value in ordered[:_SHOWN])}{more}"


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a target in order; a class's position is the number that stands for it in the model.

    Attributes:
        values: sorted; of two, the second is the positive one.
        rows: of each in the train split.
    """

    values: tuple[ClassValue, ...]
    rows: tuple[int, ...]

    @classmethod
    def of(cls, counts: Mapping[ClassValue, int]) -> "Classes":
        """Order the values that were counted.

        >>> Classes.of({"late": 3, "early": 5})
        Classes(values=('early', 'late'), rows=(5, 3))
        """
        values = tuple(sorted(counts))
        return cls(values, tuple(counts[value] for value in values))

    @property
    def are_positions(self) -> bool:
        """Whether the values are 0, 1, 2, ... themselves."""
        return [str(value) for value in self.values] == [str(position) for position in range(len(self.values))]

    def positions(self, column: pa.Array) -> Codes:
        """Give each value's position; NaN where a value is no class."""
        comparable = _comparable(column)
        found = pc.index_in(comparable, value_set=pa.array(self.values).cast(comparable.type))
        positions: Codes = pc.cast(found, pa.float32()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        return positions

    def weights(self, wanted: str | Mapping[ClassValue, float]) -> Codes:
        """Say what a row of each class weighs.

        >>> Classes(("early", "late"), (6, 2)).weights("balanced").tolist()
        [0.6666666865348816, 2.0]

        Args:
            wanted: "balanced", rows / (classes * rows of the class), as scikit-learn defines it; or weights by class,
                1 where none is named.

        Raises:
            TrainingError: for a class that is none, and for weights that are all 0.
        """
        if isinstance(wanted, str):
            assert wanted == BALANCED
            return (sum(self.rows) / (len(self.rows) * np.array(self.rows, dtype=np.float64))).astype(np.float32)
        # As texts: True and 1 are equal in Python and different classes here.
        by_text = {str(value): weight for value, weight in wanted.items()}
        for name in by_text:
            if name not in map(str, self.values):
                raise TrainingError(f"`class_weight` names {name!r}, which is no class of the train split. {did_you_mean(name, map(str, self.values))}")
        weights = np.array([by_text.get(str(value), 1.0) for value in self.values], dtype=np.float32)
        if not weights.any():
            raise TrainingError("`class_weight` gives every class the weight 0, so no row counts. Give one a weight above 0.")
        return weights

    def __str__(self) -> str:
        described = [f"{value!r} ({rows:,} rows)" for value, rows in zip(self.values[:_SHOWN], self.rows, strict=False)]
        more = [f"{len(self.values) - _SHOWN:,} more"] if len(self.values) > _SHOWN else []
        return ", ".join(described + more) + (f"; {self.values[1]!r} is the positive one" if len(self.values) == 2 else "")
