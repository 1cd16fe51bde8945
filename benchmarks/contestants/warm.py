"""Loads what treering loads lazily, by a day's work in a small store of its own, so that no contestant is charged for imports."""

from pathlib import Path

import pyarrow as pa

import treering as tr
from contestants.data import START, create_group, records, times


def warm_up(scratch: Path) -> None:
    """Ingest one record and look it up."""
    entity, moment = pa.array([1]).to_numpy(), pa.array([START]).to_numpy()
    store = tr.Store(scratch / "warm")
    create_group(store, "warm", 1).ingest(records("warm", entity, moment, 1, seed=0))
    store.lookup(tr.Labels(pa.table({"k": entity, "label_time": times(moment)}), time="label_time"), [tr.Lookup("warm", on="k")])
