"""A store: a folder or a bucket prefix, and nothing else. The one place where the parts are put together."""

import json
import os
import secrets
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from treering.clock import system_clock
from treering.errors import FeatureNotFoundError, ObjectNotFoundError, StoreFormatError
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.feature_group import FeatureGroup
from treering.point_in_time.history import History
from treering.point_in_time.labels import Labels
from treering.point_in_time.local import LookupResult, look_up, rows_of
from treering.schema.times import time_text
from treering.schema.view import Lookup, View, lookups_of
from treering.settings import Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects, create_own
from treering.storage.read_only_objects import ReadOnlyObjects
from treering.storage.roots import open_objects
from treering.storage.shelf import Shelf
from treering.training.runner import TrainingJobs
from treering.training_sets.catalogue import TrainingSets
from treering.views import Views

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_VERSION = 1
_MARKER = "treering.json"


class Store:
    """An open store.

    Attributes:
        feature_groups: the feature groups: create, find, list, search, drop.
        views: named lookups.
        training_sets: versioned training sets.
        training_jobs: training jobs and the models they made.
        settings: what the store was opened with.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        read_only: bool = False,
        settings: Settings | None = None,
        clock: Callable[[], int] = system_clock,
    ) -> None:
        """Open a store, created if there is none.

        Args:
            root: a folder, or `s3://bucket/prefix`.
            read_only: refuse every write, and do not create a store.
            settings: tuning; None reads TREERING_* variables.
            clock: tells the time in microseconds since 1970 UTC.

        Raises:
            StoreFormatError: if there is no store to read, or a newer treering made it.
            ReadOnlyStoreError: if there is no store and one may not write there.
        """
        self.settings = settings or Settings.load()
        objects = open_objects(root, self.settings)
        _open(objects, clock, read_only=read_only)
        objects = ReadOnlyObjects(objects) if read_only else objects
        self._shelf = Shelf(objects, Documents(objects, clock), self.settings, clock)
        self.feature_groups = FeatureGroups(self._shelf)
        self.views = Views(self._shelf, self._check_lookup)
        self.training_sets = TrainingSets(objects, self._shelf.documents, self.lookup, clock)
        self.training_jobs = TrainingJobs(objects, self._shelf.documents, self.settings, clock)

    @property
    def root(self) -> str:
        """Where the store is: an absolute folder path, or `s3://bucket/prefix`."""
        return self._shelf.objects.root

    def lookup(self, labels: Labels, lookups: View | Lookup | Iterable[Lookup]) -> LookupResult:
        """Give every label row the features that were known at its time.

        Args:
            labels: the rows: a frame, a file or a group, with their times.
            lookups: what to look up, in the order of the output columns: a view, or lookups.

        Returns:
            One row per label row, in the given order, with counts of how each ended.

        Raises:
            FeatureGroupNotFoundError: for a group that does not exist.
            LabelsError: for labels that cannot be looked up.
            ColumnCollisionError: for output columns that share a name.
        """
        asked = lookups_of(lookups)
        rows = rows_of(labels, self.settings)
        opened: dict[object, History] = {}
        if rows.history is not None and rows.history.address == self._shelf.objects.uri(rows.history.table):
            opened[rows.history.definition.name, None, None] = rows.history

        def history_of(lookup: Lookup) -> History:
            # One state per group and commit: two lookups of a group, and labels from it, see the same records.
            key = (lookup.group, lookup.as_of, lookup.as_of_time)
            if key not in opened:
                as_of = lookup.as_of if lookup.as_of_time is None else time_text(lookup.as_of_time)
                opened[key] = self.feature_groups[lookup.group].records(as_of)
            return opened[key]

        return look_up(rows, asked, history_of)

    def sql(self, query: str, *, timeout_seconds: float = 60.0, maximum_rows: int = 10_000_000, maximum_bytes: int = 2 * 1024**3) -> "pa.Table":
        """Answer one SELECT over the feature groups, each a table under its name, with DuckDB in a child process.

        A table is the append-only log: its rows are all records, replaced ones and deletions included. After the group's
        columns stand `write_time`, `api_invocation_time`, `is_deleted`, `_event_time`, `_known_at` and `_commit`.

        Args:
            query: reads feature groups only; it reaches no file, network or extension.
            timeout_seconds: after how long the query is ended.
            maximum_rows: how long the answer may be.
            maximum_bytes: how large the answer may be.

        Raises:
            SqlError: for anything but one SELECT, what DuckDB refuses, and what is beyond the limits.
            MissingExtraError: if DuckDB is not installed.
        """
        from treering.sql.order import QueryLimits
        from treering.sql.query import run_query

        limits = QueryLimits(timeout_seconds, maximum_rows, maximum_bytes, self.settings.memory_budget_bytes)
        return run_query(query, self.feature_groups.list(), limits=limits, temporary_folder=self.settings.temporary_folder)

    def relocate(self) -> None:
        """Make the place where the store stands its own, after it was moved or copied, for writers and for other readers."""
        for group in self.feature_groups.list():
            group.relocate()

    def storage_options(self) -> dict[str, object]:
        """Say what pandas needs to read the same bucket: `pandas.read_csv("s3://...", storage_options=...)`. Holds secrets; empty for a folder."""
        return self._shelf.objects.storage_options()

    def _check_lookup(self, lookup: Lookup) -> None:
        group: FeatureGroup = self.feature_groups[lookup.group]
        for feature in lookup.features or ():
            if feature not in group.schema:
                raise FeatureNotFoundError.among("feature", feature, group.schema.names, f"group {lookup.group!r}")

    def __repr__(self) -> str:
        return f"Store {self.root!r}: {self.feature_groups!r}"


def _open(objects: Objects, clock: Callable[[], int], *, read_only: bool) -> None:
    try:
        marker = json.loads(objects.read(_MARKER))
    except ObjectNotFoundError:
        if read_only:
            raise StoreFormatError(f"There is no treering store at {objects.root}. Open it without read_only to create one.") from None
        _create(objects, clock)
        return
    except ValueError:
        marker = None
    if not isinstance(marker, dict) or not isinstance(marker.get("format"), int):
        raise StoreFormatError(f"{objects.uri(_MARKER)} is not the JSON that treering wrote. Restore it from a backup.")
    if marker["format"] > FORMAT_VERSION:
        raise StoreFormatError(f"The store at {objects.root} has format {marker['format']}; this treering knows up to {FORMAT_VERSION}. Install a newer one.")


def _create(objects: Objects, clock: Callable[[], int]) -> None:
    """Mark a new store, and make sure that the storage keeps its word about create-if-absent: commits rest on it."""
    marker = {"format": FORMAT_VERSION, "store": secrets.token_hex(16), "created_at": time_text(clock()), "create_if_absent": "verified"}
    if create_own(objects, _MARKER, json.dumps(marker, indent=1).encode()) and objects.create(_MARKER, b"{}"):
        objects.delete([_MARKER])
        raise StoreFormatError(
            f"{objects.root} overwrites an object that it was asked to create only if absent, so commits would not be safe there. "
            "Use a folder, or an S3 service with conditional writes."
        )
