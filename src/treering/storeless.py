"""Lookups without a store: the same rules over frames and files as they are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from treering.clock import system_clock
from treering.errors import FeatureGroupNotFoundError, FeatureNotFoundError, InvalidDefinitionError
from treering.ingestion.check import Checker
from treering.ingestion.quarantine import BadRows
from treering.point_in_time.history import History
from treering.point_in_time.labels import Labels
from treering.point_in_time.local import LookupResult, look_up, rows_of
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
from treering.schema.view import Lookup, lookups_of
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


def lookup(
    labels: Labels,
    lookups: Lookup | Sequence[Lookup],
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
    asked = lookups_of(lookups)
    if not isinstance(sources, Mapping):
        raise InvalidDefinitionError("The sources are a mapping by name: {'weather': frame}.")
    opened: dict[str, History] = {}

    def history_of(one: Lookup) -> History:
        if one.group not in sources:
            raise FeatureGroupNotFoundError.among("source", one.group, sources, "the sources")
        if one.as_of is not None or one.as_of_time is not None:
            raise InvalidDefinitionError(f"The lookup of {one.group!r} asks for as_of, which needs a store: frames and files have no commits.")
        if one.group not in opened:
            given = sources[one.group]
            records = given if isinstance(given, Records) else Records(given)
            opened[one.group] = _history(records, [other for other in asked if other.group == one.group], settings, clock())
        return opened[one.group]

    return look_up(rows_of(labels, settings), asked, history_of)


def _history(records: Records, lookups: Sequence[Lookup], settings: Settings, now: int) -> History:
    group = lookups[0].group
    source = open_source(records.source, settings)
    columns = source.arrow_schema()
    entity = _entity(records, lookups, columns.names)
    needed = _needed(records, lookups, entity)
    if needed is not None:
        for name in sorted(needed.difference(columns.names)):
            raise FeatureNotFoundError.among("column", name, columns.names, f"source {group!r}")
        undeclared = records.event_time is None
        columns = pa.schema([column for column in columns if column.name in needed or (undeclared and _is_time(column.type))])
    schema = records.schema or Schema.of(columns)
    definition = define(
        group,
        entity=entity,
        event_time=_event_time(group, records, schema),
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


def _entity(records: Records, lookups: Sequence[Lookup], names: Sequence[str]) -> tuple[str, ...]:
    """Choose the key: the one that is declared, or the first `on` whose columns the source has."""
    if records.entity:
        return (records.entity,) if isinstance(records.entity, str) else tuple(records.entity)
    for one in lookups:
        if one.on and all(name in names for name in one.on):
            return one.on
    group = lookups[0].group
    missing = [name for name in lookups[0].on if name not in names]
    why = f"It has no {' or '.join(map(repr, missing))}, which the labels call their key. " if missing else ""
    raise InvalidDefinitionError(f"Which columns of {group!r} are its key? {why}Say so with tr.Records(..., entity=...); its columns are {', '.join(names)}.")


def _needed(records: Records, lookups: Sequence[Lookup], entity: Sequence[str]) -> set[str] | None:
    """The columns that lookups read, so that a frame may have others of any kind; None where a lookup asks for all."""
    if any(one.features is None for one in lookups):
        return None
    identifier = (records.record_identifier,) if isinstance(records.record_identifier, str) else tuple(records.record_identifier)
    clocks = [name for name in (records.event_time, records.available_at) if isinstance(name, str)]
    return {*entity, *identifier, *clocks, *(name for one in lookups for name in one.features or ())}


def _is_time(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(arrow_type) or pa.types.is_date(arrow_type))


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
    names = definition.schema.names
    columns = source.arrow_schema(definition.schema)
    checker = Checker(definition, pa.schema([column for column in columns if column.name in names]))
    tables, bad, rows = [], BadRows(), 0
    for batch in source.batches(definition.schema):
        good = checker.check(replace(batch, table=batch.table.select([name for name in batch.table.column_names if name in names])))
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
