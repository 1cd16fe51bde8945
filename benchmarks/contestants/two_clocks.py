"""Two clocks: records that became known long after their events, all of one key."""

from pathlib import Path

import numpy as np

import treering as tr
from contestants.data import START, create_group, feature_names, read_labels, records, run_files, times, write_labels
from contestants.engines import Work
from contestants.warm import warm_up

_SECOND, _DAY = 1_000_000, 86_400_000_000
_FEATURES = 4


def make(data: Path, scale: float) -> None:
    """Make the same 200,000 records twice: known at their events, and all backfilled afterwards, the latest event first."""
    rows, labels = int(200_000 * scale), int(100_000 * scale)
    event_times = START + np.arange(rows) * 60 * _SECOND
    backfilled = event_times[-1] + _DAY + np.arange(rows)[::-1] * _SECOND
    store = tr.Store(data / "store")
    for name, known in (("prompt", event_times), ("late", backfilled)):
        table = records(name, np.zeros(rows, dtype=np.int64), event_times, _FEATURES, seed=3)
        create_group(store, name, _FEATURES, available_at="known").ingest(table.append_column("known", times(known)))
    random = np.random.default_rng(5)
    # A third each: while the events happen, while they are backfilled, afterwards.
    spans = ((event_times[0], event_times[-1]), (backfilled.min(), backfilled.max()), (backfilled.max(), backfilled.max() + _DAY))
    moments = np.concatenate([random.integers(low, high, labels // 3) for low, high in spans])
    write_labels(data, np.zeros(len(moments), dtype=np.int64), random.permutation(moments))


def treering(data: Path, scratch: Path, *, group: str) -> Work:
    """`store.lookup` of one group."""
    warm_up(scratch)
    store = tr.Store(data / "store", read_only=True)
    labels = tr.Labels(read_labels(data), time="label_time")
    names = {feature: f"f{number}" for number, feature in enumerate(feature_names(group, _FEATURES))}
    return lambda: store.lookup(labels, [tr.Lookup(group, on="k", features=names)]).to_arrow()


def duckdb(data: Path, scratch: Path) -> Work:
    """Work out, per record, the latest event known by then, with a window; join as of known at; fetch the features by event time."""
    import os

    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {os.cpu_count()}; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    connection.register("labels", read_labels(data))
    columns = ", ".join(f"late.{feature} AS f{number}" for number, feature in enumerate(feature_names("late", _FEATURES)))
    query = f"""
        WITH late AS (SELECT * FROM read_parquet({run_files(data, "late")})),
        known_by AS (SELECT k, known, max(t) OVER (PARTITION BY k ORDER BY known ROWS UNBOUNDED PRECEDING) AS seen FROM late)
        SELECT labels.*, {columns}
        FROM labels
        ASOF LEFT JOIN known_by ON labels.k = known_by.k AND labels.label_time >= known_by.known
        LEFT JOIN late ON late.k = labels.k AND late.t = known_by.seen
    """
    return lambda: connection.sql(query).to_arrow_table()
