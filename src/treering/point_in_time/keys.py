"""Keys as numbers: label keys and stored keys become positions in one list of distinct keys."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import KeyTypeError
from treering.schema.feature_group import FeatureGroupDefinition
from treering.storage.sorting import Integers, integers

_LARGEST_EXACT_FLOAT = 2**53


def _is_text(arrow_type: pa.DataType) -> bool:
    return any(test(arrow_type) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_zoned(arrow_type: pa.DataType) -> bool:
    return pa.types.is_timestamp(arrow_type) and arrow_type.tz is not None


_COMPARABLE = {
    pa.int64(): (pa.types.is_integer, "whole numbers"),
    pa.string(): (_is_text, "text"),
    pa.bool_(): (pa.types.is_boolean, "booleans"),
    pa.timestamp("us", tz="UTC"): (_is_zoned, "times with a zone"),
}


def cast_key(column: pa.ChunkedArray, wanted: pa.DataType, name: str, entity: str) -> pa.ChunkedArray:
    """Turn a label's key column into the entity's type; NaN and null are null.

    Raises:
        KeyTypeError: where a value would have to be changed to be compared.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return column.cast(wanted)
    test, description = _COMPARABLE[wanted]
    if wanted == pa.int64() and pa.types.is_floating(column.type):
        return _whole(column, name, entity)
    if not test(column.type):
        raise KeyTypeError(f"Label column {name!r} is {column.type} and is looked up as {entity!r}, which holds {description}. Cast the label column.")
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid as error:
        raise KeyTypeError(f"Label column {name!r} cannot be looked up as {entity!r}: {error}. Cast the label column.") from error


def _whole(column: pa.ChunkedArray, name: str, entity: str) -> pa.ChunkedArray:
    values = column.cast(pa.float64())
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    wrong = pc.or_(pc.not_equal(values, pc.floor(values)), pc.greater_equal(pc.abs(values), float(_LARGEST_EXACT_FLOAT)))
    if pc.any(wrong).as_py():
        first = values.filter(wrong)[0].as_py()
        raise KeyTypeError(
            f"Label column {name!r} holds {first!r} and is looked up as {entity!r}, which holds whole numbers: "
            "only whole floats below 2**53 are taken for integers. Cast the label column to integers."
        )
    return values.cast(pa.int64())


@dataclass(frozen=True, slots=True)
class LabelKeys:
    """The keys of label rows.

    Attributes:
        codes: per label row, the position of its key among the distinct keys; -1 where a part of the key is null.
        count: how many distinct keys there are.
    """

    codes: Integers
    count: int
    _parts: tuple[pa.Array, ...]
    _pairs: tuple[pa.Array, ...]

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray]) -> "LabelKeys":
        """Number the keys that columns hold, one column per part of the key."""
        encoded = [column.combine_chunks().dictionary_encode() for column in columns]
        codes, count = encoded[0].indices, len(encoded[0].dictionary)
        pairs = []
        for part in encoded[1:]:
            numbered = _paired(codes, part.indices, len(part.dictionary)).dictionary_encode()
            codes, count = numbered.indices, len(numbered.dictionary)
            pairs.append(numbered.dictionary)
        return cls(integers(pc.fill_null(codes, -1)), count, tuple(array.dictionary for array in encoded), tuple(pairs))

    def codes_of(self, columns: Sequence[pa.ChunkedArray | pa.Array]) -> Integers:
        """Number stored keys by the label keys they equal; -1 where no label asks for them."""
        indices = [_one(pc.index_in(column, value_set=part)) for column, part in zip(columns, self._parts, strict=True)]
        codes = indices[0]
        for index, part, pairs in zip(indices[1:], self._parts[1:], self._pairs, strict=True):
            codes = pc.index_in(_paired(codes, index, len(part)), value_set=pairs)
        return integers(pc.fill_null(codes, -1))

    def extremes(self) -> tuple[object, object] | None:
        """The least and the greatest first part of any key; None where there is no key."""
        extremes = pc.min_max(self._parts[0])
        low, high = extremes["min"].as_py(), extremes["max"].as_py()
        return None if low is None else (low, high)


def _one(array: pa.ChunkedArray | pa.Array) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _paired(left: pa.Array, right: pa.Array, count: int) -> pa.Array:
    """Fold two numbers into one; null where either is null."""
    return pc.add(pc.multiply(left.cast(pa.int64()), count), right.cast(pa.int64()))


def label_key_columns(table: pa.Table, on: Sequence[str], definition: FeatureGroupDefinition) -> list[pa.ChunkedArray]:
    """Read the key columns of labels, as the types of the group's entity."""
    return [cast_key(table[name], definition.schema[entity].arrow_type, name, entity) for name, entity in zip(on, definition.entity, strict=True)]


def slices_by_code(codes_of_slices: Integers, starts: Integers, rows: int, count: int) -> tuple[Integers, Integers]:
    """Where the slice of every distinct label key begins and ends in a run; empty slices for keys that it lacks."""
    ends = np.concatenate([starts[1:], [rows]]) if len(starts) else starts
    start_of, end_of = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    wanted = codes_of_slices >= 0
    start_of[codes_of_slices[wanted]] = starts[wanted]
    end_of[codes_of_slices[wanted]] = ends[wanted]
    return start_of, end_of
