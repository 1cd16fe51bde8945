"""Lookups without a store: the same rules over frames and files as they are."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from treering.errors import FeatureGroupNotFoundError, InvalidDefinitionError
from treering.ingestion.check import Checker
from treering.ingestion.quarantine import BadRows
from treering.point_in_time.history import History
from treering.point_in_time.labels import Labels
from treering.point_in_time.local import LookupResult, look_up
from treering.schema.feature_group import (
    API_INVOCATION_TIME,
    COMMIT,
    EVENT_TIME,
    INGESTION,
    IS_DELETED,
    KNOWN_AT,
    ROW,
    SYSTEM_COLUMNS,
    WRITE_TIME,
    DateMeaning,
    FeatureGroupDefinition,
    Static,
    TimeZone,
    define,
)
from treering.schema.times import Duration
from treering.schema.types import FeatureType, Schema
from treering.schema.view import Lookup
from treering.settings import Settings
from treering.sources.batches import Source, locate
from treering.sources.source import open_source
from treering.storage.runs import RunInMemory
from treering.storage.sorting import run_order


@dataclass(frozen=True, slots=True)
class Records:
    """A frame or file of records, and what its columns mean: a feature group that is not stored.

    Attributes:
        source: whatever `FeatureGroup.ingest` takes.
        event_time: the column with the time of the event, or `tr.STATIC`; left out, the only time column there is.
        entity: the columns that labels look up by; left out, the columns that the lookup names in `on`.
        record_identifier, available_after, available_at, time_zone, date_means: as for a feature group.
        schema: the columns' types; left out, they are inferred.
    """

    source: Any
    event_time: str | Static | None = None
    entity: str | Iterable[str] = ()
    record_identifier: str | Iterable[str] = ()
    available_after: Duration | None = None
    available_at: str | None = None
    time_zone: str | TimeZone | None = None
    date_means: DateMeaning | Duration | None = None
    schema: Schema | None = None


def system_clock() -> int:
    """Tell the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def lookup(
    labels: Labels,
    lookups: Sequence[Lookup],
    sources: Mapping[str, Any],
    *,
    settings: Settings | None = None,
    clock: Callable[[], int] = system_clock,
) -> LookupResult:
    """Look features up in frames and files, by the same rules as in a store.

    Args:
        labels: the rows to answer.
        lookups: what to look up; each names one of the sources as its group.
        sources: by name, `tr.Records`, or a frame or file whose only time column is the event time.
        settings: how a bucket is reached.
        clock: tells the time in microseconds; records count as written now.

    Raises:
        FeatureGroupNotFoundError: for a lookup that names no source.
        BadRowsError: for rows that a feature group could not take.

    >>> import pandas as pd
    >>> import treering as tr
    >>> weather = pd.DataFrame({"origin": ["JFK"], "at": pd.to_datetime(["2013-01-01T10:00Z"]), "temp": [39.0]})
    >>> flights = pd.DataFrame({"origin": ["JFK"], "departs": pd.to_datetime(["2013-01-01T10:30Z"])})
    >>> result = tr.lookup(tr.Labels(flights, time="departs"), [tr.Lookup("weather", on="origin")], {"weather": weather})
    >>> result.to_pandas()["temp"].tolist()
    [39.0]
    """
    settings = settings or Settings.load()
    opened: dict[str, History] = {}

    def history_of(one: Lookup) -> History:
        if one.group not in sources:
            raise FeatureGroupNotFoundError.among("source", one.group, sources, "the sources")
        if one.as_of is not None or one.as_of_time is not None:
            raise InvalidDefinitionError(f"The lookup of {one.group!r} asks for as_of, which needs a store: frames and files have no commits.")
        if one.group not in opened:
            given = sources[one.group]
            opened[one.group] = _history(one, given if isinstance(given, Records) else Records(given), settings, clock())
        return opened[one.group]

    return look_up(labels.read(settings), lookups, history_of)


def _history(one: Lookup, records: Records, settings: Settings, now: int) -> History:
    source = open_source(records.source, settings)
    schema = records.schema or Schema.of(source.arrow_schema())
    definition = define(
        one.group,
        entity=records.entity or one.on,
        event_time=_event_time(one.group, records, schema),
        schema=schema,
        record_identifier=records.record_identifier,
        available_after=records.available_after,
        available_at=records.available_at,
        time_zone=records.time_zone,
        date_means=records.date_means,
    )
    table = _checked(definition, source, now)
    table = table.take(pa.array(run_order(table, definition.entity)))
    return History(definition, [RunInMemory(table, definition.entity)], 1, origin=lambda ingestion, position: locate(source.parts(), position))


def _event_time(group: str, records: Records, schema: Schema) -> str | Static:
    if records.event_time is not None:
        return records.event_time
    times = [feature.name for feature in schema if feature.type is FeatureType.TIMESTAMP]
    if len(times) == 1:
        return times[0]
    found = f"it has {len(times)} time columns ({', '.join(times)})" if times else "it has no time column"
    raise InvalidDefinitionError(
        f"Which column of {group!r} is its event time? {found.capitalize()}. "
        f"Say so with tr.Records(..., event_time=...), or event_time=tr.STATIC if its records are known always."
    )


def _checked(definition: FeatureGroupDefinition, source: Source, now: int) -> pa.Table:
    checker = Checker(definition, source.arrow_schema(definition.schema))
    tables, bad, rows = [], BadRows(), 0
    for batch in source.batches(definition.schema):
        good = checker.check(batch)
        rows += good.table.num_rows + len(good.bad_rows)
        bad.add(good.bad_rows, source.parts())
        columns = (*good.table.columns, good.event_time, good.known_at, pa.array(good.positions))
        tables.append(pa.table(columns, names=[*good.table.column_names, EVENT_TIME, KNOWN_AT, ROW]))
    if bad.count:
        raise bad.refusal(rows, source.description, definition.name, can_quarantine=False)
    constants = {API_INVOCATION_TIME: now, WRITE_TIME: now, IS_DELETED: False, COMMIT: 1, INGESTION: ""}
    table = pa.concat_tables(tables) if tables else _empty(definition)
    for name, value in constants.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value, SYSTEM_COLUMNS[name]), table.num_rows))
    return table.select(definition.run_schema().names)


def _empty(definition: FeatureGroupDefinition) -> pa.Table:
    schema = definition.run_schema()
    return schema.empty_table().select([*definition.schema.names, EVENT_TIME, KNOWN_AT, ROW])
