"""Where rows land: runs written from sorted rows, and a commit that makes them visible."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from treering.ingestion.contents import Contents
from treering.ingestion.corrections import repeated_records, with_corrections_known_late
from treering.ingestion.ledger import Ledger
from treering.schema.feature_group import COMMIT, EVENT_TIME, FeatureGroupDefinition
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import NewRun, OfflineTable, Snapshot, StoredRun
from treering.storage.runs import Run, RunWriter, StoredRunReader, may_hold
from treering.storage.sorted_spool import SortedSpool


@dataclass(frozen=True, slots=True)
class Landing:
    """A feature group's place in a store, as an ingestion needs it.

    Attributes:
        objects: the store's.
        folder: the key of the group's folder.
        table: the group's table.
        definition: the group's.
        ledger: the group's ingestions.
        contents: which contents they had.
        settings: how much to keep in memory.
        clock: tells the time in microseconds.
        check_living: raises if the group was dropped meanwhile: what is written to it then would never be seen.
    """

    objects: Objects
    folder: str
    table: OfflineTable
    definition: FeatureGroupDefinition
    ledger: Ledger
    contents: Contents
    settings: Settings
    clock: Callable[[], int]
    check_living: Callable[[], None]

    def check_writable(self) -> None:
        """Refuse before any work is done where nothing could land.

        Raises:
            FeatureGroupNotFoundError: if the group was dropped meanwhile.
            ReadOnlyStoreError: if the store was opened to read.
            RelocatedTableError: if the store was moved, and not relocated.
        """
        self.check_living()
        self.table.check_writable()

    def spool(self) -> SortedSpool:
        """Start a sort that keeps within the settings."""
        return SortedSpool(self.definition.entity, chunk_bytes=self.settings.chunk_bytes, folder=self.settings.temporary_folder)


class PendingRuns:
    """The runs of one ingestion: written for a state of the table, and again if others change what that state meant.

    Args:
        landing: where to.
        ingestion: the ingestion's id.
        spool: its rows, without the constants.
        constants: system columns that are the same for every row.
        rewrites_history: whether corrections are known as if they had always been.
    """

    def __init__(self, landing: Landing, ingestion: str, spool: SortedSpool, constants: Mapping[str, Any], *, rewrites_history: bool) -> None:
        self._landing, self._ingestion, self._spool, self._constants = landing, ingestion, spool, constants
        self._ignores_corrections = rewrites_history or landing.definition.is_static
        self._written: tuple[NewRun, ...] | None = None
        self._base: Snapshot | None = None
        self._corrections = self._repeated = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing about the records that were written last."""
        definition = self._landing.definition
        same = "identifier" if definition.is_static else "identifier and event time"
        kinds = (
            (self._repeated, f"records have the {same} of a later one beside them, which counts in their place"),
            (
                self._corrections,
                "records correct ones that were there: they are known from now on, and rewrites_history=True would make them known as the group declares",
            ),
        )
        return tuple(f"{count:,} {what}" for count, what in kinds if count)

    def for_base(self, snapshot: Snapshot) -> tuple[NewRun, ...]:
        """Give the runs that are right on top of a state of the table."""
        if self._written is None or self._is_outdated(snapshot):
            self._written = self._write(snapshot)
            self._base = snapshot
        return self._written

    def _is_outdated(self, snapshot: Snapshot) -> bool:
        """Whether a run that landed since might hold records which ours correct."""
        if self._ignores_corrections or self._base is None:
            return False
        fresh = [stored for stored in snapshot.runs if stored.commit > self._base.commit]
        keys = (*self._landing.definition.entity, EVENT_TIME)
        return any(may_hold(stored, {key: run.bounds[key] for key in keys}) for stored in fresh for run in self._written or ())

    def _write(self, snapshot: Snapshot) -> tuple[NewRun, ...]:
        landing = self._landing
        with_ids = landing.table.arrow_schema_with_ids()
        schema = pa.schema([with_ids.field(name) for name in with_ids.names if name != COMMIT])
        opened: dict[str, Run] = {}

        def open_run(stored: StoredRun) -> Run:
            if stored.path not in opened:
                opened[stored.path] = StoredRunReader(landing.objects, f"{landing.folder}/{stored.path}", stored, with_ids)
            return opened[stored.path]

        written: list[NewRun] = []
        self._corrections = self._repeated = 0
        chunks = (self._completed(chunk, schema) for chunk in self._spool.chunks())
        chunk = next(chunks, None)
        while chunk is not None:
            path = f"data/{self._ingestion}-{secrets.token_hex(4)}-{len(written):05d}.parquet"
            writer = RunWriter(landing.objects, landing.folder, path, schema, landing.definition.entity, landing.settings.row_group_rows)
            with writer:
                while chunk is not None and writer.rows < landing.settings.run_rows:
                    if not self._ignores_corrections:
                        chunk, late = with_corrections_known_late(chunk, landing.definition, snapshot.runs, open_run)
                        self._corrections += late
                    self._repeated += repeated_records(chunk, landing.definition)
                    writer.write(chunk)
                    chunk = next(chunks, None)
            written.append(writer.finished())
        return tuple(written)

    def _completed(self, chunk: pa.Table, schema: pa.Schema) -> pa.Table:
        columns, present = [], set(chunk.column_names)
        for field in schema:
            if field.name in present:
                columns.append(chunk[field.name].cast(field.type))
            else:
                value = self._constants.get(field.name)
                columns.append(pa.repeat(pa.scalar(value, field.type), chunk.num_rows))
        return pa.table(columns, schema=schema)
