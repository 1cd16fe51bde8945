"""Casts a source's columns to feature types: what loses nothing is cast, what cannot be cast is a bad row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.schema.types import Feature, FeatureType
from treering.sources.bad_rows import Violation, rows_where

_EXACT = 2.0**53
_OVERFLOW = 2.0**63


@dataclass(frozen=True, slots=True)
class Cast:
    """A column as its feature's type.

    Attributes:
        values: null where the column is null or has a problem.
        problems: the rows that have no such value.
        nans: where NaN of a fractional feature became null; None if nowhere.
        infinities: where a fractional feature is infinite; None if nowhere.
    """

    values: pa.Array
    problems: tuple[Violation, ...] = ()
    nans: np.ndarray | None = None
    infinities: np.ndarray | None = None


_Caster = Callable[[pa.Array, Feature], Cast]
_Test = Callable[[pa.DataType], bool]


def caster_of(type: pa.DataType, wanted: FeatureType) -> _Caster | None:
    """Choose how a plain Arrow type becomes a feature type; None if it cannot be meant."""
    if pa.types.is_null(type):
        return _cast_as_it_is
    return next((caster for holds, caster in _CASTERS[wanted] if holds(type)), None)


def plain(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Give a column as one array, without dictionary."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def plain_type(type: pa.DataType) -> pa.DataType:
    """The type that `plain` makes of a type."""
    return type.value_type if pa.types.is_dictionary(type) else type


def _cast_as_it_is(column: pa.Array, feature: Feature) -> Cast:
    return Cast(column.cast(feature.arrow_type))


def _cast_unsigned(column: pa.Array, feature: Feature) -> Cast:
    large = pc.greater(column, pa.scalar(2**63 - 1, pa.uint64()))
    return Cast(pc.if_else(large, None, column).cast(pa.int64()), _problems((rows_where(large), "integer overflow"), feature=feature))


def _cast_floats_to_integers(column: pa.Array, feature: Feature) -> Cast:
    numbers = column.cast(pa.float64())
    values = numbers.fill_null(float("nan")).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        is_fraction = ~np.isnan(values) & ((values != np.floor(values)) | np.isinf(values))
        is_overflow = ~is_fraction & (np.abs(values) >= _OVERFLOW)
        is_inexact = ~is_fraction & ~is_overflow & (np.abs(values) >= _EXACT)
    absent = np.isnan(values) | is_fraction | is_overflow | is_inexact
    problems = _problems(
        (np.flatnonzero(is_fraction), "not an Integral"),
        (np.flatnonzero(is_overflow), "integer overflow"),
        (np.flatnonzero(is_inexact), "whole float beyond 2^53"),
        feature=feature,
    )
    return Cast(pa.array(np.where(absent, 0, values).astype(np.int64), mask=absent), problems)


def _cast_decimals_to_integers(column: pa.Array, feature: Feature) -> Cast:
    numbers = column.to_pylist()
    is_fraction = [number is not None and number != number.to_integral_value() for number in numbers]
    is_overflow = [number is not None and not -(2**63) <= number < 2**63 for number in numbers]
    values = [None if n is None or f or o else int(n) for n, f, o in zip(numbers, is_fraction, is_overflow, strict=True)]
    problems = _problems((np.flatnonzero(is_fraction), "not an Integral"), (np.flatnonzero(is_overflow), "integer overflow"), feature=feature)
    return Cast(pa.array(values, pa.int64()), problems)


def _cast_fractionals(column: pa.Array, feature: Feature) -> Cast:
    numbers = column.cast(pa.float64(), safe=False)
    is_nan, is_infinite = pc.is_nan(numbers), pc.is_inf(numbers)
    nans, infinities = (rows if len(rows) else None for rows in (rows_where(is_nan), rows_where(is_infinite)))
    return Cast(numbers if nans is None else pc.if_else(is_nan, None, numbers), nans=nans, infinities=infinities)


def _cast_bytes(column: pa.Array, feature: Feature) -> Cast:
    """Read bytes as text; text that says it is UTF-8 and is not is found here too."""
    as_bytes = column.cast(pa.binary())
    try:
        return Cast(as_bytes.cast(pa.string()))
    except pa.ArrowInvalid:
        texts = as_bytes.to_pylist()
    bad = np.array([row for row, text in enumerate(texts) if text is not None and not _is_utf8(text)], dtype=np.int64)
    mask = np.zeros(len(texts), dtype=bool)
    mask[bad] = True
    return Cast(pc.if_else(pa.array(mask), None, as_bytes).cast(pa.string()), _problems((bad, "not UTF-8"), feature=feature))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _cast_vectors(column: pa.Array, feature: Feature) -> Cast:
    assert feature.dimension is not None
    lists = column.cast(pa.list_(column.type.value_type))
    lengths = pc.list_value_length(lists)
    is_wrong_length = pc.not_equal(lengths, feature.dimension).fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    owners = np.repeat(np.arange(len(lists)), lengths.fill_null(0).to_numpy(zero_copy_only=False))
    elements = lists.flatten().cast(pa.float32(), safe=False)
    has_null, has_infinite = (np.zeros(len(lists), dtype=bool) for _ in range(2))
    has_null[owners[rows_where(pc.is_null(elements))]] = True
    has_infinite[owners[rows_where(pc.invert(pc.is_finite(elements)))]] = True
    problems = _problems(
        (np.flatnonzero(is_wrong_length), f"vector not of {feature.dimension} elements"),
        (np.flatnonzero(has_null & ~is_wrong_length), "vector with a null element"),
        (np.flatnonzero(has_infinite & ~has_null & ~is_wrong_length), "vector with an element that is not finite"),
        feature=feature,
    )
    absent = is_wrong_length | has_null | has_infinite | lists.is_null().to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(np.where(absent, 0, feature.dimension)))).astype(np.int32)
    kept = elements.filter(pa.array(~absent[owners]))
    return Cast(pa.ListArray.from_arrays(pa.array(offsets), kept, type=feature.arrow_type, mask=pa.array(absent)), problems)


def _problems(*found: tuple[np.ndarray, str], feature: Feature) -> tuple[Violation, ...]:
    return tuple(Violation(rows, reason, feature.name) for rows, reason in found if len(rows))


def _is_vector(type: pa.DataType) -> bool:
    is_list = any(test(type) for test in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
    return is_list and bool(pa.types.is_floating(type.value_type) or pa.types.is_integer(type.value_type))


def is_text(type: pa.DataType) -> bool:
    """Tell whether a type holds text, in any of Arrow's forms."""
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type))


def _is_bytes(type: pa.DataType) -> bool:
    return any(test(type) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


_CASTERS: Mapping[FeatureType, tuple[tuple[_Test, _Caster], ...]] = {
    FeatureType.INTEGRAL: (
        (pa.types.is_uint64, _cast_unsigned),
        (pa.types.is_integer, _cast_as_it_is),
        (pa.types.is_floating, _cast_floats_to_integers),
        (pa.types.is_decimal, _cast_decimals_to_integers),
    ),
    FeatureType.FRACTIONAL: tuple((test, _cast_fractionals) for test in (pa.types.is_floating, pa.types.is_integer, pa.types.is_decimal)),
    FeatureType.STRING: ((is_text, _cast_bytes), (_is_bytes, _cast_bytes)),
    FeatureType.BOOLEAN: ((pa.types.is_boolean, _cast_as_it_is),),
    FeatureType.VECTOR: ((_is_vector, _cast_vectors),),
}
