"""Corrections: later records for an identifier and event time that the table holds already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    bounds = {name: bounds_of(chunk[name]) for name in (*definition.entity, EVENT_TIME)}
    overlapping = [stored for stored in stored_runs if may_hold(stored, bounds)]
    if not overlapping:
        return chunk
    numbering = _Numbering.of(chunk, (*definition.record_identifier, EVENT_TIME))
    ours, late = numbering.codes(chunk), np.zeros(chunk.num_rows, dtype=bool)
    for stored in overlapping:
        late |= _held_by(chunk, definition.entity[0], numbering, ours, open_run(stored))
    known, received = integers(chunk[KNOWN_AT]), integers(chunk[API_INVOCATION_TIME])
    late &= received > known
    if not late.any():
        return chunk
    corrected = pa.array(np.where(late, received, known)).cast(TIMESTAMP)
    chunk = chunk.set_column(chunk.schema.get_field_index(KNOWN_AT), KNOWN_AT, corrected)
    return chunk.take(pa.array(run_order(chunk, definition.entity)))


def _held_by(chunk: pa.Table, first: str, numbering: "_Numbering", ours: Integers, run: Run) -> npt.NDArray[np.bool_]:
    low, high = pc.min_max(chunk[first]).values()
    held = np.zeros(chunk.num_rows, dtype=bool)
    for group in run.groups_between(first, low.as_py(), high.as_py()):
        theirs = numbering.codes(run.read(numbering.key, [group]))
        held |= np.isin(ours, theirs[theirs >= 0])
    return held


_WIDEST = 2**62


@dataclass(frozen=True, slots=True)
class _Numbering:
    """Numbers for the keys of one table, by which the same keys are found in another.

    Attributes:
        key: the columns.
        values: by column, its distinct values.
        prefixes: by column, the numbers that occur for the columns before it, where their range had to be narrowed; else None.
    """

    key: tuple[str, ...]
    values: tuple[pa.Array, ...]
    prefixes: tuple[Integers | None, ...]

    @classmethod
    def of(cls, table: pa.Table, key: Sequence[str]) -> "_Numbering":
        """Number the keys of a table so that the numbers fit in 64 bits, however many combinations of values there could be."""
        codes, span = np.zeros(table.num_rows, dtype=np.int64), 1
        values, prefixes = [], list[Integers | None]()
        for name in key:
            known, prefix = pc.unique(table[name]), None
            if span > _WIDEST // max(len(known), 1):
                prefix, codes = np.unique(codes, return_inverse=True)
                span = len(prefix)
            codes = codes * len(known) + integers(pc.index_in(table[name], value_set=known))
            span *= len(known)
            values.append(known)
            prefixes.append(prefix)
        return cls(tuple(key), tuple(values), tuple(prefixes))

    def codes(self, table: pa.Table) -> Integers:
        """The number of each row's key; -1 for a key that has none."""
        codes = np.zeros(table.num_rows, dtype=np.int64)
        absent = np.zeros(table.num_rows, dtype=bool)
        for name, known, prefix in zip(self.key, self.values, self.prefixes, strict=True):
            if prefix is not None:
                place = np.minimum(np.searchsorted(prefix, codes), len(prefix) - 1)
                absent |= prefix[place] != codes
                codes = place
            index = pc.index_in(table[name], value_set=known)
            absent |= np.asarray(index.is_null().to_numpy())
            codes = codes * len(known) + integers(index)
        codes[absent] = -1
        return codes
