"""Many runs: the same records in one ingestion, and in up to a thousand that nobody compacted."""

from pathlib import Path

import numpy as np

import treering as tr
from contestants.data import START, YEAR, create_group, feature_names, read_labels, records, write_labels
from contestants.engines import Work
from contestants.warm import warm_up

_FEATURES = 10
_COUNTS = (1, 10, 100, 1_000)


def make(data: Path, scale: float) -> None:
    """Ingest the same million records in 1, 10, 100 and 1,000 pieces, in order of time."""
    rows, entities, labels = (int(size * scale) for size in (1_000_000, 100_000, 200_000))
    random = np.random.default_rng(13)
    event_times = START + np.arange(rows) * (YEAR // rows)
    table = records("f", random.integers(0, entities, rows), event_times, _FEATURES, seed=17)
    for count in _COUNTS:
        group = create_group(tr.Store(data / f"store-{count}"), "f", _FEATURES)
        for piece in range(count):
            low, high = rows * piece // count, rows * (piece + 1) // count
            group.ingest(table.slice(low, high - low))
    write_labels(data, random.integers(0, entities, labels), START + random.integers(0, YEAR, labels))


def treering(data: Path, scratch: Path, *, runs: int) -> Work:
    """`store.lookup`; the store is opened outside, the runs' footers are read within the work."""
    warm_up(scratch)
    store = tr.Store(data / f"store-{runs}", read_only=True)
    labels = tr.Labels(read_labels(data), time="label_time")
    return lambda: store.lookup(labels, [tr.Lookup("f", on="k", features=feature_names("f", _FEATURES))]).to_arrow()
