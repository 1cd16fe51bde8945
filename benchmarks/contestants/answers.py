"""Answers small enough to compare: digests of results that do not depend on the order of their rows."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROW = "label_row"


def by_label_row(table: pa.Table) -> dict[str, Any]:
    """Digest a lookup's result, put in the order of its label rows."""
    return by_number(table, ROW)


def by_number(table: pa.Table, number: str) -> dict[str, Any]:
    """Digest a table whose rows a column numbers: how many rows, and per column the nulls, the sum and a digest of the values in order."""
    ordered = table.take(pc.sort_indices(table[number]))
    return {"rows": ordered.num_rows} | {name: _column(ordered[name].combine_chunks()) for name in sorted(ordered.column_names)}


def _column(array: pa.Array) -> list[Any]:
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int64())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        text = "\0".join("" if value is None else value for value in array.to_pylist()).encode()
        return [array.null_count, None, hashlib.sha256(text).hexdigest()[:16]]
    values = np.ascontiguousarray(array.fill_null(0).to_numpy(zero_copy_only=False))
    # In the order of the rows, a sum of floats is the same to the last bit.
    return [array.null_count, float(values.sum()), hashlib.sha256(values.tobytes()).hexdigest()[:16]]
