"""A digest of columns' values that does not depend on how they are cut into batches."""

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def digest_of(table: pa.Table) -> str:
    """`sha256:...` of a table's values."""
    digest = ValueDigest()
    digest.update(table)
    return digest.text()


class ValueDigest:
    """SHA-256 over columns: their names, types, lengths, nulls and values."""

    def __init__(self) -> None:
        self._columns: dict[str, _ColumnDigest] = {}
        self._rows = 0

    def update(self, table: pa.Table) -> None:
        """Take in the rows that follow."""
        for name, column in zip(table.column_names, table.columns, strict=True):
            digest = self._columns.setdefault(name, _ColumnDigest())
            for chunk in column.chunks:
                digest.update(chunk)
        self._rows += table.num_rows

    def text(self) -> str:
        """`sha256:...` of all that was taken in."""
        whole = hashlib.sha256(f"{self._rows}\n".encode())
        for name, digest in self._columns.items():
            whole.update(f"{name!r} {digest.text()}\n".encode())
        return f"sha256:{whole.hexdigest()}"


class _ColumnDigest:
    def __init__(self) -> None:
        self._type = ""
        self._rows = 0
        # One stream each, since batches would interleave them differently.
        self._nulls, self._lengths, self._values = (hashlib.sha256() for _ in range(3))
        self._elements: _ColumnDigest | None = None

    def update(self, array: pa.Array) -> None:
        plain = _plain(array)
        self._type = str(plain.type)
        if plain.null_count:
            self._nulls.update(_bytes(np.flatnonzero(plain.is_null().to_numpy(zero_copy_only=False)) + self._rows))
        self._rows += len(plain)
        if pa.types.is_list(plain.type):
            self._lengths.update(_numbers(pc.list_value_length(plain).fill_null(0)))
            self._elements = self._elements or _ColumnDigest()
            self._elements.update(plain.flatten())
        elif pa.types.is_binary(plain.type):
            filled = plain.fill_null(b"")
            self._lengths.update(_numbers(pc.binary_length(filled)))
            self._values.update(_joined(filled))
        elif not pa.types.is_null(plain.type):
            self._values.update(_VALUES.get(plain.type.bit_width if pa.types.is_primitive(plain.type) else 0, _written)(plain))

    def text(self) -> str:
        parts = (self._nulls, self._lengths, self._values)
        return " ".join([self._type, *(part.hexdigest() for part in parts), self._elements.text() if self._elements else ""])


def _plain(array: pa.Array) -> pa.Array:
    """Give one form to values that Arrow can hold in several."""
    if pa.types.is_dictionary(array.type):
        return _plain(array.dictionary_decode())
    if pa.types.is_fixed_size_list(array.type) or pa.types.is_large_list(array.type):
        return array.cast(pa.list_(array.type.value_type))
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_large_binary, pa.types.is_binary_view)
    return array.cast(pa.binary()) if any(test(array.type) for test in is_text) else array


def _joined(array: pa.Array) -> memoryview:
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    return memoryview(data)[offsets[0] : offsets[-1]] if data is not None and len(array) else memoryview(b"")


def _numbers(array: pa.Array) -> memoryview:
    return _bytes(array.to_numpy(zero_copy_only=False))


def _bytes(values: np.ndarray) -> memoryview:
    return np.ascontiguousarray(values).data


def _fixed(bits: int) -> Callable[[pa.Array], memoryview]:
    integer = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[bits]
    return lambda array: _numbers(array.view(integer).fill_null(0))


def _booleans(array: pa.Array) -> memoryview:
    return _numbers(array.cast(pa.int8()).fill_null(0))


def _written(array: pa.Array) -> bytes:
    return "".join(f"{value!r}\n" for value in array.to_pylist()).encode("utf-8", errors="surrogatepass")


_VALUES: Mapping[int, Callable[[pa.Array], memoryview | bytes]] = {1: _booleans, **{bits: _fixed(bits) for bits in (8, 16, 32, 64)}}
