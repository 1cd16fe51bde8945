"""Corrections: later records for an identifier and event time that the table holds already."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.schema.feature_group import API_INVOCATION_TIME, EVENT_TIME, KNOWN_AT, TIMESTAMP, FeatureGroupDefinition
from treering.storage.runs import Run, bounds_of, may_hold
from treering.storage.snapshot import StoredRun
from treering.storage.sorting import Integers, integers, run_order


def with_corrections_known_late(
    chunk: pa.Table, definition: FeatureGroupDefinition, stored_runs: Sequence[StoredRun], open_run: Callable[[StoredRun], Run]
) -> pa.Table:
    """Make every correction in a chunk known no earlier than its api invocation time, and put the chunk back in order."""
    late = np.zeros(chunk.num_rows, dtype=bool)
    bounds = {name: bounds_of(chunk[name]) for name in (*definition.entity, EVENT_TIME)}
    for stored in stored_runs:
        if may_hold(stored, bounds):
            late |= _held_by(chunk, definition, open_run(stored))
    known, received = integers(chunk[KNOWN_AT]), integers(chunk[API_INVOCATION_TIME])
    late &= received > known
    if not late.any():
        return chunk
    corrected = pa.array(np.where(late, received, known)).cast(TIMESTAMP)
    chunk = chunk.set_column(chunk.schema.get_field_index(KNOWN_AT), KNOWN_AT, corrected)
    return chunk.take(pa.array(run_order(chunk, definition.entity)))


def _held_by(chunk: pa.Table, definition: FeatureGroupDefinition, run: Run) -> npt.NDArray[np.bool_]:
    key = (*definition.record_identifier, EVENT_TIME)
    first = definition.entity[0]
    low, high = pc.min_max(chunk[first]).values()
    wanted = [pc.unique(chunk[name]) for name in key]
    ours = _codes(chunk, key, wanted)
    held = np.zeros(chunk.num_rows, dtype=bool)
    for group in run.groups_between(first, low.as_py(), high.as_py()):
        theirs = _codes(run.read(key, [group]), key, wanted)
        held |= np.isin(ours, theirs[theirs >= 0])
    return held


def _codes(table: pa.Table, key: Sequence[str], wanted: Sequence[pa.Array]) -> Integers:
    """Number each row's key by the positions of its parts among the wanted values; -1 where a part is not among them."""
    codes = np.zeros(table.num_rows, dtype=np.int64)
    absent = np.zeros(table.num_rows, dtype=bool)
    for name, values in zip(key, wanted, strict=True):
        index = pc.index_in(table[name], value_set=values)
        absent |= np.asarray(index.is_null().to_numpy())
        codes = codes * len(values) + integers(index)
    codes[absent] = -1
    return codes
