"""Deletions: records that say, from a moment on, that an identifier has no features."""

import time

import pyarrow as pa

from treering.errors import KeyTypeError, SchemaMismatchError
from treering.ingestion.identifiers import Identifiers, identifier_columns
from treering.ingestion.ingest import commit
from treering.ingestion.landing import Landing, PendingRuns
from treering.ingestion.ledger import Entry, ingestion_id
from treering.ingestion.report import IngestionReport
from treering.schema.feature_group import API_INVOCATION_TIME, EVENT_TIME, INGESTION, IS_DELETED, KNOWN_AT, ROW, TIMESTAMP, WRITE_TIME
from treering.schema.times import FIRST_TIME, MICROSECONDS_PER_SECOND, Moment, microseconds_at, time_text
from treering.schema.types import FeatureType
from treering.sources.batches import Part


def delete(landing: Landing, identifiers: Identifiers, event_time: Moment | None, available_at: Moment | None) -> IngestionReport:
    """Append one deletion per identifier.

    Args:
        landing: the group's place.
        identifiers: a list of record identifiers; lists by column, or a frame, where several columns identify a record.
        event_time: from when on; None only for a static group.
        available_at: when it became known; None means now, or the event time if that is later.

    Raises:
        KeyTypeError: for identifiers of the wrong columns or types.
        SchemaMismatchError: for a missing event time.
    """
    landing.check_writable()
    started, received = time.perf_counter(), landing.clock()
    moment = _event_time(landing, event_time)
    known_at = max(moment, received if available_at is None else microseconds_at(available_at, "availability of the deletion"))
    table = _identified(landing, identifiers)
    rows = table.num_rows
    times = {EVENT_TIME: moment, KNOWN_AT: known_at}
    for name, value in times.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value, TIMESTAMP), rows))
    table = table.append_column(ROW, pa.array(range(rows), pa.int64()))
    if isinstance(landing.definition.event_time, str):
        table = table.append_column(landing.definition.event_time, pa.repeat(_declared(landing, moment), rows))
    ingestion = ingestion_id(None)
    with landing.spool() as spool:
        spool.add(table)
        constants = {API_INVOCATION_TIME: received, WRITE_TIME: landing.clock(), IS_DELETED: True, INGESTION: ingestion}
        pending = PendingRuns(landing, ingestion, spool, constants, rewrites_history=available_at is not None)
        report = _report(landing, ingestion, rows, None if landing.definition.is_static else moment)
        return commit(landing, pending, Entry(report, (Part("a deletion", 0, "row"),)), started)


def _event_time(landing: Landing, event_time: Moment | None) -> int:
    if landing.definition.is_static:
        return FIRST_TIME
    if event_time is None:
        raise SchemaMismatchError(f"A deletion from {landing.definition.name!r} needs an event time: the moment from which the records are gone.")
    return microseconds_at(event_time, "event time of the deletion")


def _declared(landing: Landing, moment: int) -> pa.Scalar:
    """The event time in the form that the group declares: a timestamp, ISO 8601 text, or seconds."""
    feature = landing.definition.schema[str(landing.definition.event_time)]
    forms = {
        FeatureType.TIMESTAMP: moment,
        FeatureType.STRING: time_text(moment).replace(" ", "T"),
        FeatureType.FRACTIONAL: moment / MICROSECONDS_PER_SECOND,
    }
    return pa.scalar(forms[feature.type], feature.arrow_type)


def _identified(landing: Landing, identifiers: Identifiers) -> pa.Table:
    names = landing.definition.record_identifier
    columns = identifier_columns(identifiers, names, landing.definition)
    for name, column in zip(names, columns, strict=True):
        if column.null_count:
            raise KeyTypeError(f"Column {name!r} of the identifiers holds {column.null_count} nulls; nothing was deleted.")
    return pa.table(columns, names=list(names))


def _report(landing: Landing, ingestion: str, rows: int, moment: int | None) -> IngestionReport:
    return IngestionReport(
        group=landing.definition.name,
        ingestion=ingestion,
        commit=0,
        rows=rows,
        rejected={},
        rejected_lines=(),
        first_event_time=moment,
        last_event_time=moment,
        source="a deletion",
        digest="",
        bytes_written=0,
        seconds=0.0,
    )
