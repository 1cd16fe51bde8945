"""Ingestion: a CSV file into a store, beside pyarrow's plain conversion of it to Parquet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import csv

import treering as tr
from contestants.answers import by_number
from contestants.data import START, TIME, YEAR, times
from contestants.warm import warm_up

_CITIES = ("Amsterdam", "Bergen", "Cork", "Dresden", "Evora", "Faro", "Ghent", "Hull")
_TYPES = {
    "account": pa.int64(),
    "paid_at": TIME,
    "payment": pa.int64(),
    "city": pa.string(),
    "reference": pa.string(),
    "items": pa.int64(),
    **{f"amount_{number}": pa.float64() for number in range(6)},
}

Work = Callable[[], list[Path]]


def make(data: Path, scale: float) -> None:
    """Write a CSV file of 2 million payments in order of time."""
    rows = int(2_000_000 * scale)
    random = np.random.default_rng(11)
    columns: dict[str, Any] = {
        "account": random.integers(0, rows // 10, rows),
        "paid_at": pc.strftime(times(START + np.arange(rows) * (YEAR // rows) // 1_000_000 * 1_000_000), "%Y-%m-%dT%H:%M:%SZ"),
        "payment": np.arange(rows),
        "city": pa.array(_CITIES).take(pa.array(random.integers(0, len(_CITIES), rows))),
        "reference": pa.array(random.integers(10**9, 10**10, rows)).cast(pa.string()),
        "items": random.integers(1, 40, rows),
        **{f"amount_{number}": np.round(random.gamma(2.0, 50.0, rows), 2) for number in range(6)},
    }
    options = csv.WriteOptions(quoting_style="needed")
    csv.write_csv(pa.table({name: columns[name] for name in _TYPES}), data / "payments.csv", options)


def treering(data: Path, scratch: Path) -> Work:
    """`group.ingest` of the file into a new store: checked, sorted, checksummed, durable."""
    warm_up(scratch)
    schema = tr.Schema.of(pa.schema(list(_TYPES.items())))
    group = tr.Store(scratch / "store").feature_groups.create(
        "payments", entity="account", record_identifier=["account", "payment"], event_time="paid_at", schema=schema
    )

    def work() -> list[Path]:
        group.ingest(data / "payments.csv")
        return sorted((scratch / "store").glob("feature-groups/*/data/*.parquet"))

    return work


def pyarrow(data: Path, scratch: Path, *, compression: str) -> Work:
    """`csv.open_csv` with the same types into a `ParquetWriter`, batch by batch, nothing else."""
    import pyarrow.parquet as pq

    target = scratch / "payments.parquet"

    def work() -> list[Path]:
        reader = csv.open_csv(data / "payments.csv", convert_options=csv.ConvertOptions(column_types=_TYPES))
        with pq.ParquetWriter(target, reader.schema, compression=compression) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return [target]

    return work


def answer(files: list[Path]) -> dict[str, Any]:
    """Digest the source's columns as they stand in the files, in the order of the payments."""
    return by_number(ds.dataset([str(file) for file in files]).to_table(columns=list(_TYPES)), "payment")
