"""The table of one feature group: immutable runs, made visible by atomic commits that Iceberg's readers understand."""

import secrets
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import pyarrow as pa

from treering.errors import AlreadyExistsError, CommitConflictError, RelocatedTableError
from treering.storage.catalog import Catalog, Version
from treering.storage.commit_log import CommitLog
from treering.storage.manifests import Manifests
from treering.storage.objects import Objects
from treering.storage.snapshot import Commit, NewRun, Snapshot, StoredRun
from treering.storage.table_metadata import (
    FOLD_AT,
    HISTORY,
    RETAINED,
    CommitPlan,
    Metadata,
    append_summary,
    arrow_schema,
    column_names,
    commits_of,
    first_metadata,
    with_columns,
    with_identity,
    with_location,
    with_retained,
    with_snapshot,
)

__all__ = ["Commit", "NewRun", "OfflineTable", "Snapshot", "StoredRun"]

T = TypeVar("T")
_LONGEST_PAUSE_SECONDS = 1.0
_NO_SUMMARY: Mapping[str, str] = MappingProxyType({})


def _no_fold(commits: Sequence[Commit]) -> None:
    """Let commits leave the metadata without a word."""


class OfflineTable:
    """One table, in one folder of a store.

    Args:
        objects: the store's objects.
        folder: the key of the table's folder.
        clock: tells the time in microseconds.
        commit_attempts: how often a commit that other writers outran is tried.
        on_fold: called with commits before their snapshots leave the metadata. From then on `append` does not know their ingestions any
            more, so each must have left a durable mark of its own.
        pause: waits that many seconds between two tries.
    """

    def __init__(
        self,
        objects: Objects,
        folder: str,
        *,
        clock: Callable[[], int],
        commit_attempts: int = 64,
        on_fold: Callable[[Sequence[Commit]], None] = _no_fold,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._objects = objects
        self._folder = folder
        self._clock = clock
        self._commit_attempts = commit_attempts
        self._on_fold = on_fold
        self._pause = pause
        self._catalog = Catalog(objects, folder)
        self._manifests = Manifests(objects, folder)
        self._history = CommitLog(objects, folder)
        self._snapshot: Snapshot | None = None

    @classmethod
    def create(cls, objects: Objects, folder: str, schema: pa.Schema, *, clock: Callable[[], int]) -> "OfflineTable":
        """Create an empty table.

        Raises:
            AlreadyExistsError: if there is a table in that folder.
        """
        table = cls(objects, folder, clock=clock)
        metadata = with_identity(first_metadata(objects.uri(folder), schema, clock()))
        if not table._catalog.add(Version(1, metadata)):
            raise AlreadyExistsError(f"There is a table in {objects.uri(folder)} already.")
        return table

    def snapshot(self) -> Snapshot:
        """Read the state after the last commit; cheap where nothing changed since the last call."""
        version = self._catalog.current()
        known = self._snapshot
        if known is None or known.version != version.number:
            known = self._snapshot_of(version)
            self._snapshot = known
        return known

    def append(
        self,
        ingestion: str,
        runs: Callable[[Snapshot], Sequence[NewRun] | None],
        *,
        summary: Mapping[str, str] = _NO_SUMMARY,
    ) -> Commit | None:
        """Make runs visible, all of them or none.

        Args:
            ingestion: an id that makes the call safe to repeat: if a commit that the metadata still hold carries it, nothing is added.
            runs: says what to add to a state of the table; called again for each state that the commit is tried on. An empty answer makes a
                commit without rows; None makes no commit.
            summary: what to keep about the append, as short texts.

        Returns:
            The commit, new or found; None where `runs` said so.

        Raises:
            CommitConflictError: if other writers came first on every try.
            OutcomeUnknownError: if the storage cannot say whether it landed; repeat the call with the same ingestion.
            RelocatedTableError: if the table was written for another place.
        """
        return self._commit(lambda version: self._appended(version, ingestion, runs, summary))

    def evolve(self, schema: pa.Schema) -> None:
        """Add the columns of a schema that the table does not have, at its end; a run is written with their ids only afterwards.

        Raises:
            SchemaMismatchError: for a column that the table has with another type.
        """
        self._commit(lambda version: (with_columns(version.metadata, schema), None))

    def relocate(self) -> None:
        """Make the place where the table stands its own: what other readers and writers go by is written anew."""
        self._commit(self._relocated, anywhere=True)

    def check_writable(self) -> None:
        """Refuse before any work is done where a commit cannot land.

        Raises:
            ReadOnlyStoreError: if the store was opened to read.
            RelocatedTableError: if the table was written for another place.
        """
        self._objects.check_writable()
        self._check_place(self._catalog.current().metadata)

    def arrow_schema_with_ids(self) -> pa.Schema:
        """Make the schema that runs are written with: Iceberg's readers find columns by the ids in it."""
        return arrow_schema(self._catalog.current().metadata)

    def commits(self) -> list[Commit]:
        """Read all commits since the table was created, oldest first."""
        metadata = self._catalog.current().metadata
        return [*self._folded(metadata), *commits_of(metadata)]

    def commit_at(self, time_us: int) -> int:
        """Find the last commit at or before a time in microseconds; 0 if there is none."""
        metadata = self._catalog.current().metadata
        commits = commits_of(metadata)
        if not commits or commits[0].committed_at > time_us:
            commits = self._folded(metadata)
        position = bisect_right(commits, time_us, key=lambda commit: commit.committed_at)
        return commits[position - 1].number if position else 0

    def _commit(self, change: Callable[[Version], tuple[Metadata | None, T]], *, anywhere: bool = False) -> T:
        for attempt in range(self._commit_attempts):
            version = self._catalog.current()
            if not anywhere:
                self._check_place(version.metadata)
            changed, result = change(version)
            if changed is None or self._catalog.add(Version(version.number + 1, with_identity(changed))):
                return result
            self._pause(_jittered(attempt))
        where = self._objects.uri(self._folder)
        raise CommitConflictError(f"Other writers came first {self._commit_attempts} times in {where}; nothing was committed. Try again.")

    def _appended(
        self, version: Version, ingestion: str, runs: Callable[[Snapshot], Sequence[NewRun] | None], summary: Mapping[str, str]
    ) -> tuple[Metadata | None, Commit | None]:
        for commit in commits_of(version.metadata):
            if commit.ingestion == ingestion:
                self._catalog.confirm()
                return None, commit
        new = runs(self._snapshot_of(version))
        if new is None:
            return None, None
        plan = CommitPlan.after(version.metadata, self._clock())
        manifest_list = self._manifests.append(version.metadata, plan, new)
        written = append_summary(version.metadata, ingestion, [run.rows for run in new], summary)
        metadata = with_snapshot(version.metadata, plan, manifest_list, written)
        commit = commits_of(metadata)[-1]
        if len(metadata["snapshots"]) >= FOLD_AT:
            metadata = self._fold(metadata, RETAINED)
        return metadata, commit

    def _relocated(self, version: Version) -> tuple[Metadata | None, None]:
        if self._is_here(version.metadata):
            return None, None
        location = self._objects.uri(self._folder)
        manifest_list = self._manifests.relocate(version.metadata, location)
        folded = self._fold(version.metadata, 1) if len(version.metadata["snapshots"]) > 1 else version.metadata
        return with_location(folded, location, manifest_list), None

    def _fold(self, metadata: Metadata, retained: int) -> Metadata:
        leaving = commits_of(metadata)[:-retained]
        self._on_fold(leaving)
        return with_retained(metadata, retained, self._history.extended(metadata["properties"].get(HISTORY, ""), leaving))

    def _folded(self, metadata: Metadata) -> list[Commit]:
        return self._history.read(metadata["properties"].get(HISTORY, ""))

    def _snapshot_of(self, version: Version) -> Snapshot:
        metadata = version.metadata
        return Snapshot(version.number, metadata["last-sequence-number"], self._manifests.runs(metadata), column_names(metadata))

    def _is_here(self, metadata: Metadata) -> bool:
        return bool(metadata["location"] == self._objects.uri(self._folder))

    def _check_place(self, metadata: Metadata) -> None:
        if not self._is_here(metadata):
            raise RelocatedTableError(
                f"The table in {self._objects.uri(self._folder)} was written for {metadata['location']}. "
                "Open it read-only, or call store.relocate() to make this place its own."
            )


def _jittered(attempt: int) -> float:
    longest = min(0.01 * (1 << attempt), _LONGEST_PAUSE_SECONDS)
    return longest * secrets.randbelow(1000) / 1000
