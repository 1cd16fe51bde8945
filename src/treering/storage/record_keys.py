"""Keys of records: cast to what a group's key is, and numbered, so that composite and text keys are compared as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import KeyTypeError
from treering.storage.sorting import Integers, integers

_LARGEST_EXACT_FLOAT = 2**53


def _is_text(arrow_type: pa.DataType) -> bool:
    return any(test(arrow_type) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_zoned(arrow_type: pa.DataType) -> bool:
    return pa.types.is_timestamp(arrow_type) and arrow_type.tz is not None


_COMPARABLE = {
    pa.int64(): (pa.types.is_integer, "whole numbers", ".astype('Int64')"),
    pa.string(): (_is_text, "text", ".astype('string')"),
    pa.bool_(): (pa.types.is_boolean, "booleans", ".astype('boolean')"),
    pa.timestamp("us", tz="UTC"): (_is_zoned, "times with a zone", "pd.to_datetime(..., utc=True)"),
}


def cast_key(column: pa.ChunkedArray, wanted: pa.DataType, what: str, key: str) -> pa.ChunkedArray:
    """Turn a column of keys into the type of a group's key; NaN and null are null.

    Args:
        column: the values.
        wanted: the Arrow type of the group's key.
        what: what messages call the column, such as "Label column 'origin'".
        key: the name of the group's key column.

    Raises:
        KeyTypeError: where a value would have to be changed to be compared.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return column.cast(wanted)
    if pa.types.is_floating(column.type) and pc.all(pc.is_null(column, nan_is_null=True)).as_py():
        return pa.chunked_array([pa.nulls(len(column), wanted)])
    test, description, cast = _COMPARABLE[wanted]
    if wanted == pa.int64() and pa.types.is_floating(column.type):
        return _whole(column, what, key)
    if not test(column.type):
        raise KeyTypeError(f"{what} is {column.type}, and {key!r} holds {description}. Cast it first, as {cast} does in pandas.")
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid as error:
        raise KeyTypeError(f"{what} cannot be compared with {key!r}: {str(error).rstrip('.')}. Cast it first.") from error


def _whole(column: pa.ChunkedArray, what: str, key: str) -> pa.ChunkedArray:
    values = column.cast(pa.float64())
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    wrong = pc.or_(pc.not_equal(values, pc.floor(values)), pc.greater_equal(pc.abs(values), float(_LARGEST_EXACT_FLOAT)))
    if pc.any(wrong).as_py():
        first = values.filter(wrong)[0].as_py()
        raise KeyTypeError(f"{what} holds {first!r}, and {key!r} holds whole numbers: only whole floats below 2**53 are taken for integers. Cast it first.")
    return values.cast(pa.int64())


@dataclass(frozen=True, slots=True)
class KeyCodes:
    """The keys of some rows as numbers, by which the same keys are found among other rows.

    Attributes:
        codes: per row, the position of its key among the distinct keys; -1 where a part of the key is null.
        count: how many distinct keys there are.
    """

    codes: Integers
    count: int
    _parts: tuple[pa.Array, ...]
    _pairs: tuple[pa.Array, ...]

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray]) -> "KeyCodes":
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
        """Number the keys of other rows by the ones they equal; -1 where they equal none."""
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
