"""The same lookup by several engines: features of groups, as known at each label's time."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

import treering as tr
from contestants.data import feature_names, read_labels, run_files
from contestants.warm import warm_up

Work = Callable[[], pa.Table]


def treering(data: Path, scratch: Path, *, groups: str, features: int) -> Work:
    """`store.lookup`, defaults: page checksums verified, outcomes counted, rows in the labels' order."""
    warm_up(scratch)
    store = tr.Store(data / "store", read_only=True)
    labels = tr.Labels(read_labels(data), time="label_time")
    lookups = [tr.Lookup(group, on="k", features=feature_names(group, features)) for group in groups.split()]
    return lambda: store.lookup(labels, lookups).to_arrow()


def duckdb(data: Path, scratch: Path, *, groups: str, features: int) -> Work:
    """`ASOF LEFT JOIN` over the same files, all cores, rows in any order, fetched as Arrow."""
    import os

    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {os.cpu_count()}; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    connection.register("labels", read_labels(data))
    columns = [f"{group}.{feature}" for group in groups.split() for feature in feature_names(group, features)]
    joins = [
        f"ASOF LEFT JOIN read_parquet({run_files(data, group)}) {group} ON labels.k = {group}.k AND labels.label_time >= {group}.t" for group in groups.split()
    ]
    query = f"SELECT labels.*, {', '.join(columns)} FROM labels {' '.join(joins)}"
    return lambda: connection.sql(query).to_arrow_table()


def polars(data: Path, scratch: Path, *, groups: str, features: int) -> Work:
    """`join_asof` over the same files, which stand in its order already; the labels are sorted as it asks."""
    import polars as pl

    labels = pl.from_arrow(read_labels(data))
    assert isinstance(labels, pl.DataFrame)

    def work() -> pa.Table:
        joined = labels.lazy().sort("label_time")
        for group in groups.split():
            records = pl.scan_parquet(run_files(data, group)).select("k", pl.col("t").alias(group), *feature_names(group, features))
            joined = joined.join_asof(records, left_on="label_time", right_on=group, by="k", check_sortedness=False).drop(group)
        return joined.collect().to_arrow()

    return work
