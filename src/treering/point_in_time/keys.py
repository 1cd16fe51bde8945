"""The keys of labels, and where each key's slice is in a run."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from treering.schema.feature_group import FeatureGroupDefinition
from treering.storage.record_keys import cast_key
from treering.storage.sorting import Integers


def label_key_columns(table: pa.Table, on: Sequence[str], definition: FeatureGroupDefinition) -> list[pa.ChunkedArray]:
    """Read the key columns of labels, as the types of the group's entity."""
    return [
        cast_key(table[name], definition.schema[entity].arrow_type, f"Label column {name!r}", entity)
        for name, entity in zip(on, definition.entity, strict=True)
    ]


def slices_by_code(codes_of_slices: Integers, starts: Integers, rows: int, count: int) -> tuple[Integers, Integers]:
    """Where the slice of every distinct label key begins and ends in a run; empty slices for keys that it lacks."""
    ends = np.concatenate([starts[1:], [rows]]) if len(starts) else starts
    start_of, end_of = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    wanted = codes_of_slices >= 0
    start_of[codes_of_slices[wanted]] = starts[wanted]
    end_of[codes_of_slices[wanted]] = ends[wanted]
    return start_of, end_of
