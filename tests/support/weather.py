"""A small feature group to ingest into: weather by airport and hour. Also a process of its own: `python -m support.weather <root> <token>...`."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

import treering as tr
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.feature_group import FeatureGroup
from treering.storage.documents import Documents
from treering.storage.shelf import Shelf
from treering.storeless import system_clock

HOUR = 3_600_000_000
START = 1_700_000_000_000_000
START_TEXT = "2023-11-14T22:13:20Z"
NAME = "weather"
SCHEMA = tr.Schema.of(
    pa.schema([("origin", pa.string()), ("observed_at", pa.timestamp("us", tz="UTC")), ("temperature", pa.float64())]),
)


def rows(*given: tuple[str | None, int | None, float | None]) -> pa.Table:
    """Weather: airport, hours since the start, temperature."""
    origins, hours, temperatures = zip(*given, strict=True) if given else ((), (), ())
    times = pa.array([None if hour is None else START + hour * HOUR for hour in hours], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.table({"origin": pa.array(origins, pa.string()), "observed_at": times, "temperature": pa.array(temperatures, pa.float64())})


def in_batches_of_one(table: pa.Table) -> pa.Table:
    return pa.Table.from_batches([batch for row in range(len(table)) for batch in table.slice(row, 1).to_batches()])


def create_weather(groups: FeatureGroups, **options: Any) -> FeatureGroup:
    return groups.create(NAME, **{"entity": "origin", "event_time": "observed_at", "schema": SCHEMA} | options)


def groups_over(objects: Any, settings: tr.Settings | None = None, clock: Callable[[], int] = system_clock) -> FeatureGroups:
    """The feature groups of a store, put together as `Store` does, over objects of the test's own."""
    return FeatureGroups(Shelf(objects, Documents(objects, clock), settings or tr.Settings(), clock))


def records(group: FeatureGroup, **selection: Any) -> list[tuple[Any, ...]]:
    """What counts in the group: airport, hour, temperature."""
    return _tuples(group.to_arrow(**selection))


def all_records(group: FeatureGroup) -> list[tuple[Any, ...]]:
    """Every record that was ever written, sorted by its text."""
    return sorted(_tuples(group.to_arrow(include_duplicates=True)), key=str)


def known_at(group: FeatureGroup, origin: str) -> dict[float | None, int]:
    """When each temperature of an airport became known, in microseconds."""
    history = group.history(origin)
    return dict(zip(history["temperature"].to_pylist(), history["_known_at"].cast(pa.int64()).to_pylist(), strict=True))


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    hours = [(micros - START) / HOUR for micros in table["observed_at"].cast(pa.int64()).to_pylist()]
    return list(zip(table["origin"].to_pylist(), hours, table["temperature"].to_pylist(), strict=True))


def main(root: str, tokens: Sequence[str]) -> None:
    """Ingest one row per token, and print the reports, a line each."""
    group = tr.Store(root).feature_groups[NAME]
    for number, token in enumerate(tokens):
        report = group.ingest(rows((token, number, float(number))), token=token)
        sys.stdout.write(json.dumps(report.to_json()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
