"""An ingestion: read, check, sort, write, commit. All of it becomes visible, or nothing."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import CommitConflictError, InvalidDefinitionError, OutcomeUnknownError, ReadOnlyStoreError, StorageError, TokenReusedError
from treering.ingestion.check import Checker
from treering.ingestion.contents import content_key, is_unchanged
from treering.ingestion.landing import Landing, PendingRuns
from treering.ingestion.ledger import SUMMARY_KEY, Entry, document_of, ingestion_id
from treering.ingestion.progress import progress
from treering.ingestion.quarantine import BadRows, quarantine_key
from treering.ingestion.report import IngestionReport
from treering.ingestion.statistics import Tally
from treering.schema.feature_group import API_INVOCATION_TIME, EVENT_TIME, INGESTION, IS_DELETED, KNOWN_AT, ROW, WRITE_TIME
from treering.schema.fitted import FittedSteps
from treering.sources.batches import Source
from treering.storage.snapshot import Commit, NewRun, Snapshot
from treering.storage.sorted_spool import SortedSpool

OnBadRows = Literal["error", "quarantine"]


class Shaping(Protocol):
    """What shapes rows between their source and the group, such as a recipe; asked when all of them are through."""

    @property
    def digest(self) -> str:
        """`sha256:...` of what was done to the rows."""

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done, in order."""

    def notes(self) -> tuple[str, ...]:
        """What is worth knowing about it."""

    def keep(self, report: IngestionReport) -> FittedSteps | None:
        """Make durable, before the commit, what explains the rows; give the steps that had learned from values."""


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to ingest.

    Attributes:
        token: makes the call safe to repeat: the same token writes once.
        on_bad_rows: "error" refuses the whole source; "quarantine" keeps bad rows apart and takes the others.
        rewrites_history: corrections are known when the group's declarations say, as other records are.
        allow_missing: columns that the source may lack; they become null.
        again: write content that is in already once more.
    """

    token: str | None = None
    on_bad_rows: OnBadRows = "error"
    rewrites_history: bool = False
    allow_missing: tuple[str, ...] = ()
    again: bool = False

    def __post_init__(self) -> None:
        if self.on_bad_rows not in ("error", "quarantine"):
            raise InvalidDefinitionError(f"on_bad_rows is 'error' or 'quarantine', not {self.on_bad_rows!r}.")
        if self.token is not None and not 1 <= len(self.token) <= 256:
            raise InvalidDefinitionError(f"A token has 1 to 256 characters; this one has {len(self.token)}.")


def ingest(landing: Landing, source: Source, options: IngestOptions, shaping: Shaping | None = None) -> IngestionReport:
    """Take a source's rows into a feature group.

    Args:
        landing: the group's place.
        source: where the rows come from.
        options: how to take them.
        shaping: what the rows that the source gives have been through.

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
    held = _held_already(landing, source, options)
    if held is not None:
        return held
    key = quarantine_key(landing.folder, ingestion) if options.on_bad_rows == "quarantine" else None
    with landing.spool() as spool:
        with BadRows(landing.objects, key) as bad:
            checked = _Checked(bad, Tally(landing.definition.schema))
            _check(landing, source, options, spool, checked, "the source" if shaping is None else "the recipe's output")
            if bad.count and key is None:
                raise bad.refusal(checked.rows, source.description, landing.definition.name, can_quarantine=True)
        constants = {API_INVOCATION_TIME: received, WRITE_TIME: landing.clock(), IS_DELETED: False, INGESTION: ingestion}
        pending = PendingRuns(landing, ingestion, spool, constants, rewrites_history=options.rewrites_history)
        report = _report(landing, source, options, ingestion, checked)
        if shaping is not None:
            report = replace(report, recipe=shaping.digest, steps=shaping.steps, notes=(*report.notes, *shaping.notes()))
        fitted = None if shaping is None else shaping.keep(report)
        done = commit(landing, pending, Entry(report, source.parts(), checked.tally.finished(), fitted), started)
        return done if done.reused else _noted(landing, done, source, options)


def commit(landing: Landing, pending: PendingRuns, entry: Entry, started: float) -> IngestionReport:
    """Make pending runs visible, and record what was done.

    Args:
        landing: where to.
        pending: the runs.
        entry: what is known before the commit.
        started: `time.perf_counter()` at the call, for the report's seconds.
    """
    report = entry.report

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
    document = landing.ledger.prepare(replace(entry, report=written), attempt)
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


def _held_already(landing: Landing, source: Source, options: IngestOptions) -> IngestionReport | None:
    """Report the ingestion that brought the same content, if its records certainly still count."""
    snapshot = landing.table.snapshot()
    if options.again or options.token is not None or not snapshot.commit or not landing.contents.may_hold(source.total_bytes):
        return None
    content = source.content()
    ingestion = None if content is None else landing.contents.ingestion_of(_key(landing, content, source, options))
    document = None if ingestion is None else landing.ledger.find(ingestion)
    if document is None:
        return None
    first = IngestionReport.from_json(document["report"])
    if not is_unchanged(first, landing.definition, snapshot):
        return None
    notes = () if first.source == source.description else (f"it came as {first.source}",)
    return replace(first, source=source.description, token=None, reused=True, notes=notes)


def _key(landing: Landing, content: str, source: Source, options: IngestOptions) -> str:
    taken = (sorted(options.allow_missing), options.on_bad_rows, options.rewrites_history)
    return content_key(landing.definition, content, source.manner, *taken)


def _noted(landing: Landing, report: IngestionReport, source: Source, options: IngestOptions) -> IngestionReport:
    """Remember the content that is in now; the rows are safe without it."""
    try:
        landing.contents.note(_key(landing, source.digest(), source, options), report.ingestion, source.total_bytes)
    except (CommitConflictError, StorageError, OutcomeUnknownError, ReadOnlyStoreError) as error:
        return replace(report, notes=(*report.notes, f"the same content again will be written again: it could not be noted that it is in ({error})"))
    return report


@dataclass(slots=True)
class _Checked:
    """What checking a source came to."""

    bad: BadRows
    tally: Tally
    rows: int = 0
    nans: int = 0
    infinities: int = 0
    first: int | None = None
    last: int | None = None

    def notes(self) -> tuple[str, ...]:
        kinds = ((self.nans, "NaN became null"), (self.infinities, "infinite values were kept"))
        return tuple(f"{count:,} {what}" for count, what in kinds if count)


def _check(landing: Landing, source: Source, options: IngestOptions, spool: SortedSpool, checked: _Checked, called: str) -> None:
    definition = landing.definition
    checker = Checker(definition, source.arrow_schema(definition.schema), allow_missing=options.allow_missing, called=called)
    with progress(f"Ingesting {source.description}", source.total_bytes) as show:
        for batch in source.batches(definition.schema):
            good = checker.check(batch)
            checked.rows += good.table.num_rows + len(good.bad_rows)
            checked.bad.add(good.bad_rows, source.parts())
            checked.nans += good.nans
            checked.infinities += good.infinities
            if good.table.num_rows:
                _note_times(checked, good.event_time)
                checked.tally.add(good.table, good.positions)
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
    content = source.content()
    if content is not None:
        return content
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
