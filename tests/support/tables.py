"""Small tables for tests, and a process of its own that appends to one: `python -m support.tables <root> <writer> <appends>`."""

import sys
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import NewRun, OfflineTable
from treering.storage.roots import open_objects

FOLDER = "feature-groups/orders-0a1b2c3d"
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("amount", pa.float64()),
        ("vector", pa.list_(pa.field("element", pa.float32(), nullable=False))),
    ]
)


def wall_clock() -> int:
    return time.time_ns() // 1000


def write_run(objects: Objects, table: OfflineTable, name: str, rows: int = 1, **extra: Any) -> NewRun:
    """Write a run of `rows` rows whose amounts are 0, 1, 2...; `extra` are constant columns."""
    schema = table.arrow_schema_with_ids()
    times = pa.array(range(rows), pa.timestamp("us", tz="UTC"))
    content = {"id": [name] * rows, "time": times, "amount": [float(row) for row in range(rows)], "vector": [[1.0, 2.0]] * rows}
    content |= {column: [value] * rows for column, value in extra.items()}
    content |= {column: pa.nulls(rows, schema.field(column).type) for column in schema.names if column not in content}
    path = f"data/{name}.parquet"
    with objects.output(f"{FOLDER}/{path}") as file:
        pq.write_table(pa.table(content, schema=schema), file)
    bounds = {"id": (name, name), "time": (0, rows - 1), "amount": (0.0, float(rows - 1))}
    return NewRun(path, rows, objects.size(f"{FOLDER}/{path}") or 0, bounds, {"id": 0, "time": 0, "amount": 0})


def append(objects: Objects, table: OfflineTable, name: str, rows: int = 1) -> int:
    """Write a run and append it; the ingestion has the run's name."""
    run = write_run(objects, table, name, rows)
    return table.append(name, constantly(run)).number


def constantly(*runs: NewRun) -> Callable[[object], list[NewRun]]:
    return lambda snapshot: list(runs)


def main(root: str, writer: str, appends: str) -> None:
    objects = open_objects(root, Settings())
    table = OfflineTable(objects, FOLDER, clock=wall_clock)
    for number in range(int(appends)):
        append(objects, table, f"w{writer}-{number}")


if __name__ == "__main__":
    main(*sys.argv[1:])
