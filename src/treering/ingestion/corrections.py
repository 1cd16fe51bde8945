"""Corrections: later records for an identifier and event time that the table holds already."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from treering.schema.feature_group import API_INVOCATION_TIME, EVENT_TIME, KNOWN_AT, TIMESTAMP, FeatureGroupDefinition
from treering.storage.record_keys import KeyCodes
from treering.storage.runs import Run, bounds_of, may_hold
from treering.storage.snapshot import StoredRun
from treering.storage.sorting import integers, run_order, starts_of_slices


def with_corrections_known_late(
    chunk: pa.Table, definition: FeatureGroupDefinition, stored_runs: Sequence[StoredRun], open_run: Callable[[StoredRun], Run]
) -> tuple[pa.Table, int]:
    """Make every correction in a chunk known no earlier than its api invocation time, and put the chunk back in order.

    Returns:
        The chunk, and how many of its records become known later for being corrections.
    """
    bounds = {name: bounds_of(chunk[name]) for name in (*definition.entity, EVENT_TIME)}
    overlapping = [stored for stored in stored_runs if may_hold(stored, bounds)]
    if not overlapping:
        return chunk, 0
    identity = (*definition.record_identifier, EVENT_TIME)
    keys = KeyCodes.of([chunk[name] for name in identity])
    held = np.zeros(keys.count, dtype=bool)
    for stored in overlapping:
        _note_held(held, keys, identity, open_run(stored))
    late = held[keys.codes]
    known, received = integers(chunk[KNOWN_AT]), integers(chunk[API_INVOCATION_TIME])
    late &= received > known
    if not late.any():
        return chunk, 0
    corrected = pa.array(np.where(late, received, known)).cast(TIMESTAMP)
    chunk = chunk.set_column(chunk.schema.get_field_index(KNOWN_AT), KNOWN_AT, corrected)
    return chunk.take(pa.array(run_order(chunk, definition.entity))), int(np.count_nonzero(late))


def repeated_records(chunk: pa.Table, definition: FeatureGroupDefinition) -> int:
    """Count the records of a chunk in run order that share identifier and event time with another, of which only the last counts."""
    identity = [chunk[name] for name in (*definition.record_identifier, EVENT_TIME)]
    distinct = KeyCodes.of(identity).count if definition.has_wider_identifier else len(starts_of_slices(identity))
    return int(chunk.num_rows) - distinct


def _note_held(held: npt.NDArray[np.bool_], keys: KeyCodes, identity: Sequence[str], run: Run) -> None:
    """Note which of the keys a run holds."""
    extremes = keys.extremes()
    for group in [] if extremes is None else run.groups_between(identity[0], *extremes):
        rows = run.read(identity, [group])
        codes = keys.codes_of([rows[name] for name in identity])
        held[codes[codes >= 0]] = True
