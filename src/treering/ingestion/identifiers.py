"""Identifiers as people give them: a list, lists by column, or a frame."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from treering.errors import KeyTypeError
from treering.schema.feature_group import FeatureGroupDefinition
from treering.storage.record_keys import cast_key

Identifiers = Mapping[str, Iterable[Any]] | Iterable[Any]
"""Values of a key: a list; lists by column, or a frame, where several columns make the key."""


def identifier_columns(identifiers: Identifiers, names: Sequence[str], definition: FeatureGroupDefinition) -> list[pa.ChunkedArray]:
    """Read identifiers as one column per part of a key, of the group's types.

    Args:
        identifiers: what was given.
        names: the key's columns.
        definition: the group's.

    Raises:
        KeyTypeError: for anything but lists of equal length, one per column of the key, with values of its type.
    """
    group = definition.name
    given = _by_column(identifiers, names, group)
    if set(given) != set(names):
        raise KeyTypeError(f"Records of {group!r} are identified by {', '.join(names)}; these identifiers name {', '.join(map(str, given)) or 'nothing'}.")
    columns = [_column(given[name], name, group) for name in names]
    if len({len(column) for column in columns}) > 1:
        raise KeyTypeError(
            f"The identifiers of {group!r} have lists of different lengths: {', '.join(f'{n}: {len(c)}' for n, c in zip(names, columns, strict=True))}."
        )
    what = f"The column {{!r}} of these identifiers of {group!r}"
    return [cast_key(column, definition.schema[name].arrow_type, what.format(name), name) for name, column in zip(names, columns, strict=True)]


def _by_column(identifiers: Identifiers, names: Sequence[str], group: str) -> Mapping[str, Any]:
    if isinstance(identifiers, Mapping):
        return identifiers
    if hasattr(identifiers, "__arrow_c_stream__") and hasattr(identifiers, "columns"):
        table = pa.table(identifiers)
        return {name: table[name] for name in table.column_names if name in names}
    if len(names) > 1:
        raise KeyTypeError(
            f"Records of {group!r} are identified by several columns: give lists by column, {{{', '.join(f'{name!r}: [...]' for name in names)}}}."
        )
    return {names[0]: identifiers}


def _column(values: Any, name: str, group: str) -> pa.ChunkedArray:
    if isinstance(values, pa.ChunkedArray):
        return values
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise KeyTypeError(f"Identifiers of {group!r} are a list, such as [{values!r}], and not {values!r} itself.")
    try:
        return pa.chunked_array([pa.array(values if isinstance(values, Sequence) else list(values))])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise KeyTypeError(f"The identifiers of {group!r} in column {name!r} are of different kinds: {str(error).rstrip('.')}.") from error
