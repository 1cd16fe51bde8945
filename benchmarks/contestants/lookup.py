"""Lookups: many entities with few versions, and few entities with many."""

from pathlib import Path

import numpy as np

import treering as tr
from contestants.data import START, YEAR, create_group, records, write_labels


def make_wide(data: Path, scale: float) -> None:
    """Make 1 M labels, and 3 groups of 5 M rows of 500,000 entities."""
    _make(data, groups=("g0", "g1", "g2"), rows=int(5_000_000 * scale), entities=int(500_000 * scale), features=10, labels=int(1_000_000 * scale))


def make_deep(data: Path, scale: float) -> None:
    """Make 100,000 labels, and one group of 1,000 entities with 5,000 versions each."""
    _make(data, groups=("g0",), rows=int(5_000_000 * scale), entities=1_000, features=4, labels=int(100_000 * scale))


def _make(data: Path, *, groups: tuple[str, ...], rows: int, entities: int, features: int, labels: int) -> None:
    random = np.random.default_rng(7)
    store = tr.Store(data / "store")
    for seed, name in enumerate(groups):
        # Distinct event times: where an ASOF join meets equal ones, it may choose either.
        event_times = START + random.permutation(rows) * (YEAR // rows)
        create_group(store, name, features).ingest(records(name, random.permutation(np.arange(rows) % entities), event_times, features, seed))
    write_labels(data, random.integers(0, entities, labels), START + random.integers(0, YEAR, labels))
