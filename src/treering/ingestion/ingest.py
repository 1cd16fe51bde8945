"""An ingestion: read, check, sort, write, commit. All of it becomes visible, or nothing."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import InvalidDefinitionError, OutcomeUnknownError, ReadOnlyStoreError, StorageError, TokenReusedError
from treering.ingestion.check import Checker
from treering.ingestion.landing import Landing, PendingRuns
from treering.ingestion.ledger import SUMMARY_KEY, document_of, ingestion_id
from treering.ingestion.progress import progress
from treering.ingestion.quarantine import BadRows, quarantine_key
from treering.ingestion.report import IngestionReport
from treering.schema.feature_group import API_INVOCATION_TIME, EVENT_TIME, INGESTION, IS_DELETED, KNOWN_AT, ROW, WRITE_TIME
from treering.sources.batches import Part, Source
from treering.storage.snapshot import Commit, NewRun, Snapshot
from treering.storage.sorted_spool import SortedSpool

OnBadRows = Literal["error", "quarantine"]


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to ingest.

    Attributes:
        token: makes the call safe to repeat: the same token writes once.
        on_bad_rows: "error" refuses the whole source; "quarantine" keeps bad rows apart and takes the others.
        rewrites_history: corrections are known when the group's declarations say, as other records are.
        allow_missing: columns that the source may lack; they become null.
    """

    token: str | None = None
    on_bad_rows: OnBadRows = "error"
    rewrites_history: bool = False
    allow_missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.on_bad_rows not in ("error", "quarantine"):
            raise InvalidDefinitionError(f"on_bad_rows is 'error' or 'quarantine', not {self.on_bad_rows!r}.")
        if self.token is not None and not 1 <= len(self.token) <= 256:
            raise InvalidDefinitionError(f"A token has 1 to 256 characters; this one has {len(self.token)}.")


def ingest(landing: Landing, source: Source, options: IngestOptions) -> IngestionReport:
    """Take a source's rows into a feature group.

    Raises:
        SchemaMismatchError: for columns that are not the group's.
        BadRowsError: for rows that the group cannot take, unless they go to quarantine.
        TokenReusedError: for a token that came with other content before.
    """
    landing.check_writable()
    started, received = time.perf_counter(), landing.clock()
    ingestion = ingestion_id(options.token)
    earlier = landing.ledger.find(ingestion) if options.token is not None else None
    if earlier is not None:
        return _repeated(earlier, _digest_of(source), options.token)
    key = quarantine_key(landing.folder, ingestion) if options.on_bad_rows == "quarantine" else None
    with landing.spool() as spool:
        with BadRows(landing.objects, key) as bad:
            checked = _Checked(bad)
            _check(landing, source, options, spool, checked)
            if bad.count and key is None:
                raise bad.refusal(checked.rows, source.description, landing.definition.name, can_quarantine=True)
        constants = {API_INVOCATION_TIME: received, WRITE_TIME: landing.clock(), IS_DELETED: False, INGESTION: ingestion}
        pending = PendingRuns(landing, ingestion, spool, constants, rewrites_history=options.rewrites_history)
        report = _report(landing, source, options, ingestion, checked)
        return commit(landing, pending, report, source.parts(), started)


def commit(landing: Landing, pending: PendingRuns, report: IngestionReport, parts: Sequence[Part], started: float) -> IngestionReport:
    """Make pending runs visible, and record what was done.

    Args:
        landing: where to.
        pending: the runs.
        report: what is known before the commit.
        parts: where the rows came from.
        started: `time.perf_counter()` at the call, for the report's seconds.
    """

    def runs_for(snapshot: Snapshot) -> Sequence[NewRun] | None:
        landing.check_living()
        # Another call with this token may have landed, and left the metadata since.
        landed = report.token is not None and landing.ledger.find(report.ingestion) is not None
        return None if landed else pending.for_base(snapshot)

    landing.table.evolve(landing.definition.run_schema())
    runs = pending.for_base(landing.table.snapshot())
    attempt = secrets.token_hex(8)
    seconds = round(time.perf_counter() - started, 3)
    written = replace(report, bytes_written=sum(run.bytes for run in runs), seconds=seconds, notes=(*report.notes, *pending.notes))
    document = {"attempt": attempt, "report": written.to_json(), "parts": landing.ledger.parts(parts, attempt)}
    done = landing.table.append(report.ingestion, runs_for, summary={SUMMARY_KEY: json.dumps(document)})
    recorded = landing.ledger.find(report.ingestion) if done is None else document_of(done)
    if done is None or recorded is None or recorded["attempt"] != attempt:
        return _repeated(recorded or document, report.digest, report.token)
    return _recorded(landing, done, replace(written, commit=done.number))


def _recorded(landing: Landing, done: Commit, report: IngestionReport) -> IngestionReport:
    """Write the ingestion's document; the commit stands without it, so an error here must not invite a second try."""
    try:
        landing.ledger.record(done)
    except (StorageError, OutcomeUnknownError, ReadOnlyStoreError) as error:
        note = f"the rows are in, and safe to read; the ingestion's own document will be written with a later commit ({error})"
        return replace(report, notes=(*report.notes, note))
    return report


@dataclass(slots=True)
class _Checked:
    """What checking a source came to."""

    bad: BadRows
    rows: int = 0
    nans: int = 0
    infinities: int = 0
    first: int | None = None
    last: int | None = None

    def notes(self) -> tuple[str, ...]:
        kinds = ((self.nans, "NaN became null"), (self.infinities, "infinite values were kept"))
        return tuple(f"{count:,} {what}" for count, what in kinds if count)


def _check(landing: Landing, source: Source, options: IngestOptions, spool: SortedSpool, checked: _Checked) -> None:
    definition = landing.definition
    checker = Checker(definition, source.arrow_schema(definition.schema), allow_missing=options.allow_missing)
    with progress(f"Ingesting {source.description}", source.total_bytes) as show:
        for batch in source.batches(definition.schema):
            good = checker.check(batch)
            checked.rows += good.table.num_rows + len(good.bad_rows)
            checked.bad.add(good.bad_rows, source.parts())
            checked.nans += good.nans
            checked.infinities += good.infinities
            if good.table.num_rows:
                _note_times(checked, good.event_time)
                columns = (*good.table.columns, good.event_time, good.known_at, pa.array(good.positions))
                spool.add(pa.table(columns, names=[*good.table.column_names, EVENT_TIME, KNOWN_AT, ROW]))
            show(source.bytes_read)


def _note_times(checked: _Checked, event_time: pa.Array) -> None:
    extremes = pc.min_max(event_time.cast(pa.int64()))
    first, last = extremes["min"].as_py(), extremes["max"].as_py()
    checked.first = first if checked.first is None else min(first, checked.first)
    checked.last = last if checked.last is None else max(last, checked.last)


def _report(landing: Landing, source: Source, options: IngestOptions, ingestion: str, checked: _Checked) -> IngestionReport:
    static = landing.definition.is_static
    return IngestionReport(
        group=landing.definition.name,
        ingestion=ingestion,
        commit=0,
        rows=checked.rows - checked.bad.count,
        rejected=checked.bad.reasons,
        rejected_lines=checked.bad.lines,
        first_event_time=None if static else checked.first,
        last_event_time=None if static else checked.last,
        source=source.description,
        digest=source.digest(),
        bytes_written=0,
        seconds=0.0,
        notes=checked.notes(),
        token=options.token,
        quarantine=checked.bad.kept_as,
    )


def _digest_of(source: Source) -> str:
    for _ in source.batches():
        pass
    return source.digest()


def _repeated(document: dict[str, Any], digest: str, token: str | None) -> IngestionReport:
    """Answer a call whose token was used before: with the first report, or, for other content, an error."""
    first = IngestionReport.from_json(document["report"])
    if first.digest != digest:
        raise TokenReusedError(
            f"Token {token!r} was used before, in {first.group!r}, for {first.source} with other content (commit {first.commit}). "
            "Nothing was written. Give every ingestion a token of its own."
        )
    return replace(first, reused=True)
