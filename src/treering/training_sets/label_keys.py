"""What label rows are about: the values of some columns as texts, and rows with equal values numbered as groups."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import FeatureNotFoundError, InvalidDefinitionError, LabelsError

Groups = npt.NDArray[np.int64]


def numbered_groups(table: pa.Table, columns: Sequence[str]) -> Groups:
    """Number the rows from 0 by their values in some columns together; -1 where one is null.

    >>> numbered_groups(pa.table({"plane": ["N2", "N1", "N2", None]}), ["plane"]).tolist()
    [0, 1, 0, -1]
    """
    groups, is_null = np.zeros(table.num_rows, dtype=np.int64), np.zeros(table.num_rows, dtype=bool)
    for name in columns:
        encoded = _plain(table[name]).dictionary_encode()
        is_null |= encoded.is_null().to_numpy(zero_copy_only=False)
        codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        # Numbered anew after every column: the product of the counts of many columns would overflow.
        _, groups = np.unique(groups * (len(encoded.dictionary) + 1) + codes, return_inverse=True)
    groups[is_null] = -1
    return groups


def known_groups(labels: pa.Table, columns: Sequence[str], split: object) -> tuple[Groups, list[str]]:
    """Number the rows as groups, and write each group's values as one text.

    Raises:
        FeatureNotFoundError: for a column that the labels do not have.
        InvalidDefinitionError: for a column of a type that cannot tell rows apart.
        LabelsError: for a row without a value.
    """
    for name in columns:
        check_column(labels, name)
        # Of no rows: whether the type has texts at all.
        texts(labels[name].slice(0, 0), name)
    groups = numbered_groups(labels, columns)
    lacking = int((groups < 0).sum())
    if lacking:
        raise LabelsError(
            f"{lacking:,} of {labels.num_rows:,} label rows have no value in {' or '.join(map(repr, columns))}, so {split!r} cannot place them. "
            "Fill them, drop these rows, or split by another column."
        )
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    written = [texts(labels[name].take(first), name).to_pylist() for name in columns]
    return groups, [json.dumps(values, ensure_ascii=False, separators=(",", ":")) for values in zip(*written, strict=True)]


def check_column(labels: pa.Table, name: str) -> None:
    """Refuse a column that the labels do not have.

    Raises:
        FeatureNotFoundError: with the nearest name.
    """
    if name not in labels.column_names:
        raise FeatureNotFoundError.among("column", name, labels.column_names, "the labels")


def texts(values: pa.ChunkedArray | pa.Array, name: str) -> pa.Array:
    """Write every value as text, alike for all types that hold it: 5, 5.0 and "5" are "5"; times are ISO 8601 in UTC.

    >>> texts(pa.array([5.0, 0.5, None]), "id").to_pylist()
    ['5', '0.5', None]

    Raises:
        InvalidDefinitionError: for values that have no such text, such as lists.
    """
    plain = _plain(values)
    for is_type, write in _WRITERS:
        if is_type(plain.type):
            return write(plain)
    raise InvalidDefinitionError(f"Column {name!r} holds {plain.type}, which cannot tell rows apart. Split by a column of text, numbers, dates or booleans.")


def value_text(value: object) -> str:
    """Write one Python value as `texts` writes it in a column."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number_text(value) if isinstance(value, float) else str(value)


def quoted(values: Sequence[object], most: int = 5) -> str:
    """List a few values for a message."""
    return ", ".join([*map(repr, values[:most]), *([f"and {len(values) - most:,} more"] if len(values) > most else [])])


def _plain(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not pa.types.is_floating(array.type):
        return array
    # -0.0 plus 0.0 is 0.0: the two are equal, and Arrow numbers them as two values.
    numbers = pc.add(array.cast(pa.float64()), 0.0)
    return pc.if_else(pc.is_nan(numbers), None, numbers)


def _number_texts(array: pa.Array) -> pa.Array:
    return pa.array([None if value is None else _number_text(float(value)) for value in array.to_pylist()], pa.string())


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _time_texts(array: pa.Array) -> pa.Array:
    return pc.strftime(array.cast(pa.timestamp("us"), safe=False), "%Y-%m-%dT%H:%M:%SZ")


def _is_simple(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date, pa.types.is_null)
    return any(test(kind) for test in tests)


_WRITERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (pa.types.is_floating, _number_texts),
    (pa.types.is_decimal, _number_texts),
    (pa.types.is_timestamp, _time_texts),
    (_is_simple, lambda array: array.cast(pa.string())),
)
