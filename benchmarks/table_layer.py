"""Many small commits: treering's table layer beside pyiceberg's own transactions, on a folder and on a local S3 server.

    python benchmarks/table_layer.py --json table_layer.json

pyiceberg runs with its SQL catalog (`pip install 'pyiceberg[sql-sqlite]'`) in memory; without it only treering is measured.
"""

import argparse
import json
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from treering.local_s3 import LocalS3
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import NewRun, OfflineTable
from treering.storage.roots import open_objects

FOLDER = "feature-groups/bench-00000000"
SCHEMA = pa.schema([("id", pa.string()), ("time", pa.timestamp("us", tz="UTC"))] + [(f"f{number}", pa.float64()) for number in range(10)])
POINTS = (1, 10, 100, 300, 1_000)
RATIO_LIMIT = 3.0
RETAINED = 32


class Timing(NamedTuple):
    """Seconds that one commit took; the processor's are what the disk and busy neighbours do not blur."""

    wall: float
    cpu: float


def wall_clock() -> int:
    """Tell the time in microseconds."""
    return time.time_ns() // 1000


def rows(name: str) -> pa.Table:
    """Make the ten rows of one small append."""
    return pa.table({"id": [name] * 10, "time": pa.array(range(10), SCHEMA.field("time").type)} | {f"f{number}": [1.0] * 10 for number in range(10)})


def write_run(objects: Objects, schema: pa.Schema, name: str) -> NewRun:
    """Write a run that is not visible yet."""
    path = f"data/{name}.parquet"
    with objects.output(f"{FOLDER}/{path}") as file:
        pq.write_table(rows(name).cast(schema), file)
    return NewRun(path, 10, objects.size(f"{FOLDER}/{path}") or 0, {"id": (name, name), "time": (0, 9)}, {"id": 0, "time": 0})


def treering_appends(root: str, appends: int) -> Iterator[Timing]:
    """Time each commit; the run is written before the watch starts."""
    objects = open_objects(root, Settings())
    table = OfflineTable.create(objects, FOLDER, SCHEMA, clock=wall_clock)
    schema = table.arrow_schema_with_ids()
    for number in range(appends):
        run = write_run(objects, schema, f"r{number}")
        yield timed(lambda name=f"i{number}", run=run: table.append(name, lambda snapshot: [run]))


def pyiceberg_appends(root: str, appends: int, *, tamed: bool) -> Iterator[Timing]:
    """The same through pyiceberg; tamed: merged manifests, and all but 32 snapshots expired after each commit."""
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog("bench", uri="sqlite:///:memory:", warehouse=root)
    catalog.create_namespace("n")
    properties = {"commit.manifest-merge.enabled": "true", "commit.manifest.min-count-to-merge": "16"} if tamed else {}
    table = catalog.create_table("n.t", SCHEMA, properties=properties)
    for number in range(appends):
        path = f"{root}/r{number}.parquet"
        pq.write_table(rows(f"r{number}"), path)
        yield timed(lambda path=path: pyiceberg_commit(table, path, tamed))


def pyiceberg_commit(table: Any, path: str, tamed: bool) -> None:
    """Make one file visible."""
    table.add_files([path], check_duplicate_files=False)
    old = [snapshot.snapshot_id for snapshot in table.snapshots()[:-RETAINED]] if tamed else []
    if old:
        table.maintenance.expire_snapshots().by_ids(old).commit()


def timed(work: Callable[[], object]) -> Timing:
    """Time one commit."""
    start, cpu_start = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - start, time.process_time() - cpu_start)


def profile(timings: Iterable[Timing]) -> dict[str, dict[str, float]]:
    """Milliseconds at some points, each the median of the nine commits around it."""
    taken = list(timings)
    around = {point: taken[max(0, point - 5) : point + 4] if point > 1 else taken[:1] for point in POINTS if point <= len(taken)}
    return {
        "wall": {str(point): milliseconds(one.wall for one in near) for point, near in around.items()},
        "cpu": {str(point): milliseconds(one.cpu for one in near) for point, near in around.items()},
    }


def milliseconds(seconds: Iterable[float]) -> float:
    """Take the median."""
    return round(1000 * statistics.median(seconds), 2)


def processes(root: str, writers: int, appends: int) -> dict[str, float]:
    """Let processes append to one table at once, and count what landed."""
    objects = open_objects(root, Settings())
    table = OfflineTable.create(objects, FOLDER, SCHEMA, clock=wall_clock)
    start = time.perf_counter()
    command = [sys.executable, __file__, "--worker", root, "--appends", str(appends)]
    codes = [one.wait() for one in [subprocess.Popen(command) for _ in range(writers)]]
    taken = time.perf_counter() - start
    landed = {run.path for run in table.snapshot().runs}
    wanted = writers * appends
    if set(codes) != {0} or len(landed) != wanted or len(table.commits()) != wanted:
        raise SystemExit(f"Of {wanted} appends {len(landed)} landed; exit codes {set(codes)}.")
    return {"appends": wanted, "landed": len(landed), "seconds": round(taken, 1), "appends_per_second": round(wanted / taken, 1)}


def work(root: str, appends: int) -> None:
    """Append as one of many processes."""
    objects = open_objects(root, Settings())
    table = OfflineTable(objects, FOLDER, clock=wall_clock)
    schema = table.arrow_schema_with_ids()
    for _ in range(appends):
        name = secrets.token_hex(8)
        run = write_run(objects, schema, name)
        table.append(name, lambda snapshot, run=run: [run])


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run everything."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(LocalS3(f"{folder}/s3"))
        server.create_bucket("bench")
        os.environ |= server.environment()
        commits = {
            "treering, folder": profile(treering_appends(f"{folder}/ours", arguments.appends)),
            "treering, S3": profile(treering_appends("s3://bench/ours", arguments.appends)),
            **pyiceberg_measured(folder, arguments),
        }
        together = {
            "treering, folder": processes(f"{folder}/many", arguments.writers, 25),
            "treering, S3": processes("s3://bench/many", arguments.writers, 25),
        }
    return {"commit_milliseconds": commits, "writers": arguments.writers, "together": together}


def pyiceberg_measured(folder: str, arguments: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """Measure the peer, where it is installed."""
    try:
        import sqlalchemy  # noqa: F401
    except ImportError:
        print("pyiceberg's SQL catalog needs: pip install 'pyiceberg[sql-sqlite]'; it is left out.", file=sys.stderr)
        return {}
    found = {}
    for name, tamed, appends in (("pyiceberg, tamed, folder", True, arguments.appends), ("pyiceberg, plain, folder", False, arguments.plain_appends)):
        root = Path(folder) / secrets.token_hex(4)
        root.mkdir()
        found[name] = profile(pyiceberg_appends(str(root), appends, tamed=tamed))
    return found


def machine() -> dict[str, Any]:
    """Say where and with what it was measured."""
    packages = {name: version(name) for name in ("pyarrow", "pyiceberg", "obstore")}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent).stdout.strip()
    return {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(), "commit": commit, **packages}


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    for kind, title in (("wall", "milliseconds of commit number"), ("cpu", "of these, processor")):
        print(f"{title:<32}" + "".join(f"{point:>9}" for point in POINTS))
        for name, found in result["commit_milliseconds"].items():
            print(f"{name:<32}" + "".join(f"{found[kind].get(str(point), '-'):>9}" for point in POINTS))
    print(f"\n{result['writers']} processes, 25 appends each")
    for name, found in result["together"].items():
        print(f"{name:<32} {found['landed']} of {found['appends']} landed in {found['seconds']} s, {found['appends_per_second']} a second")


def main() -> None:
    """Measure, print, and fail where the thousandth commit got dear."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--appends", type=int, default=1_000)
    parser.add_argument("--plain-appends", type=int, default=300, help="pyiceberg as it comes is slow: 1,000 take six minutes")
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker, arguments.appends)
        return
    result = {"machine": machine(), **measured(arguments)}
    show(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))
    check(result["commit_milliseconds"])


def check(commits: dict[str, dict[str, dict[str, float]]]) -> None:
    """Hold treering to its limit."""
    walls = {name: found["wall"] for name, found in commits.items() if name.startswith("treering")}
    ratios = {name: wall["1000"] / wall["10"] for name, wall in walls.items() if "1000" in wall}
    if any(ratio > RATIO_LIMIT for ratio in ratios.values()):
        raise SystemExit(f"The 1,000th commit costs more than {RATIO_LIMIT} times the 10th: {ratios}")


if __name__ == "__main__":
    main()
