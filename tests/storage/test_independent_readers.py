"""Other engines open a table by its path, without treering, and see the same rows."""

import json
import subprocess
import sys
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pytest
from pyiceberg.table import StaticTable

from support.tables import FOLDER, SCHEMA, append, constantly, write_run
from support.ticking import Ticking
from treering.local_s3 import LocalS3
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import OfflineTable
from treering.storage.roots import open_objects

RUNS, ROWS = 70, 3


@pytest.fixture
def objects(any_root: str) -> Objects:
    return open_objects(any_root, Settings())


@pytest.fixture
def table(objects: Objects) -> OfflineTable:
    table = OfflineTable.create(objects, FOLDER, SCHEMA, clock=Ticking())
    table.append("empty", constantly())
    for number in range(RUNS - 1):
        append(objects, table, f"r{number}", ROWS)
    table.evolve(SCHEMA.append(pa.field("colour", pa.string())))
    run = write_run(objects, table, "last", ROWS, colour="red")
    table.append("last", constantly(run))
    return table


@pytest.fixture
def newest(objects: Objects, table: OfflineTable) -> str:
    return objects.uri(f"{FOLDER}/metadata/v{table.snapshot().version}.metadata.json")


@pytest.fixture
def iceberg_options(objects: Objects) -> dict[str, str]:
    options = objects.storage_options()
    if not options:
        return {}
    client = options["client_kwargs"]
    return {
        "s3.endpoint": client["endpoint_url"],
        "s3.region": client["region_name"],
        "s3.access-key-id": options["key"],
        "s3.secret-access-key": options["secret"],
    }


def test_pyiceberg_reads_it(newest: str, iceberg_options: dict[str, str]):
    rows = StaticTable.from_metadata(newest, properties=iceberg_options).scan().to_arrow()
    assert rows.num_rows == RUNS * ROWS
    assert rows["vector"].type == SCHEMA.field("vector").type
    assert sorted(set(rows["colour"].to_pylist()), key=str) == [None, "red"]


def test_pyiceberg_prunes_by_our_statistics(newest: str, iceberg_options: dict[str, str]):
    table = StaticTable.from_metadata(newest, properties=iceberg_options)
    assert len(list(table.scan(row_filter="id == 'r7'").plan_files())) == 1
    assert len(list(table.scan(row_filter="amount > 99").plan_files())) == 0
    assert table.scan(row_filter="id == 'r7' and time > '1970-01-01T00:00:00.000001+00:00'").to_arrow()["amount"].to_pylist() == [2.0]


def test_every_file_keeps_the_sequence_number_of_its_commit(newest: str, iceberg_options: dict[str, str]):
    entries = StaticTable.from_metadata(newest, properties=iceberg_options).inspect.entries().to_pylist()
    numbers = [(entry["sequence_number"], entry["file_sequence_number"]) for entry in entries]
    assert numbers == [(commit, commit) for commit in range(2, RUNS + 2)]


def test_pyiceberg_travels_in_time(newest: str, iceberg_options: dict[str, str]):
    table = StaticTable.from_metadata(newest, properties=iceberg_options)
    snapshots = table.snapshots()
    assert [snapshot.sequence_number for snapshot in snapshots] == list(range(RUNS + 2 - len(snapshots), RUNS + 2))
    assert table.scan(snapshot_id=snapshots[-2].snapshot_id).to_arrow().num_rows == (RUNS - 1) * ROWS


def test_polars_reads_it(newest: str, iceberg_options: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")
    seen = pl.scan_iceberg(newest, storage_options=iceberg_options or None).select(pl.len(), pl.col("amount").sum()).collect()
    assert seen.row(0) == (RUNS * ROWS, RUNS * 3.0)


@pytest.fixture
def clickhouse(objects: Objects, request: pytest.FixtureRequest) -> Callable[[str], list]:
    """Asks ClickHouse; in a process of its own, for it reads only below its working folder."""
    pytest.importorskip("chdb", reason="chdb is for Linux only")
    if objects.root.startswith("s3://"):
        s3: LocalS3 = request.getfixturevalue("s3")
        source = f"icebergS3('{s3.endpoint}/{objects.root.removeprefix('s3://')}/{FOLDER}', '{s3.access_key}', '{s3.secret_key}')"
    else:
        source = f"icebergLocal('{objects.root}/{FOLDER}')"

    def ask(columns: str) -> list:
        code = "import chdb, sys; print(chdb.query(sys.argv[1], 'JSONCompactEachRow'))"
        done = subprocess.run([sys.executable, "-c", code, f"SELECT {columns} FROM {source}"], cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def test_clickhouse_reads_it_by_the_folder_alone(table: OfflineTable, clickhouse: Callable[[str], list]):
    assert clickhouse("count(), sum(amount), countIf(colour = 'red'), max(length(vector))") == [RUNS * ROWS, RUNS * 3, ROWS, 2]


def test_clickhouse_reads_a_table_without_rows(objects: Objects, clickhouse: Callable[[str], list]):
    table = OfflineTable.create(objects, FOLDER, SCHEMA, clock=Ticking())
    assert clickhouse("count()") == [0]
    table.append("empty", constantly())
    assert clickhouse("count()") == [0]
