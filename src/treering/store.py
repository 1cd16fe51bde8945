"""A store: a folder or a bucket prefix, and nothing else. The one place where the parts are put together."""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from treering.cleaning import CleaningReport, clean
from treering.clock import system_clock
from treering.errors import FeatureNotFoundError, ObjectNotFoundError, StoreFormatError
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.feature_group import FeatureGroup
from treering.feature_groups.lookups import Lookups
from treering.models.catalogue import Models
from treering.point_in_time.labels import Labels
from treering.point_in_time.local import LookupResult
from treering.recipes.catalogue import Recipes
from treering.schema.times import Duration, time_text
from treering.schema.view import Lookup, View, lookups_of
from treering.search.results import SearchResults
from treering.search.search import Query, search
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
        feature_groups: the feature groups: create, find, list, drop.
        recipes: named recipes, version after version.
        views: named lookups.
        training_sets: versioned training sets.
        training_jobs: training jobs, run and followed.
        models: the models they made: loaded, asked, measured, described.
        settings: what the store was opened with.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        read_only: bool = False,
        create: bool = True,
        settings: Settings | None = None,
        clock: Callable[[], int] = system_clock,
    ) -> None:
        """Open a store.

        Args:
            root: a folder, or `s3://bucket/prefix`.
            read_only: refuse every write, and do not create a store.
            create: make a store where there is none.
            settings: tuning; None reads TREERING_* variables.
            clock: tells the time in microseconds since 1970 UTC.

        Raises:
            StoreFormatError: if there is no store to read, or a newer treering made it.
            ReadOnlyStoreError: if there is no store and one may not write there.
        """
        self.settings = settings or Settings.load()
        objects = open_objects(root, self.settings)
        _open(objects, clock, create=create and not read_only)
        objects = ReadOnlyObjects(objects) if read_only else objects
        self._shelf = Shelf(objects, Documents(objects, clock), self.settings, clock)
        self.feature_groups = FeatureGroups(self._shelf)
        self.recipes = Recipes(self._shelf.documents)
        self.views = Views(self._shelf.documents, self._check_lookup)
        self._lookups = Lookups(self.feature_groups, self._shelf)
        self.training_sets = TrainingSets(objects, self._shelf.documents, self._lookups, self.views.__getitem__, clock)
        self.training_jobs = TrainingJobs(objects, self._shelf.documents, self.settings, clock)
        self.models = Models(self._shelf, self.training_jobs, self.lookup)

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
        return self._lookups.open(labels).answer(asked)

    def search(self, text: str = "", *, kind: str | None = None, tags: Mapping[str, str] | None = None) -> SearchResults:
        """Find feature groups, features, views, training sets, models and recipes, with who uses them and how fresh they are.

        No record is read, and nothing is written: freshness, null shares and ranges come from the statistics that every commit
        left, for the first 30 hits.

        Args:
            text: words that all have to be in a name, description, tag or owner, in any case; empty finds everything.
            kind: "feature group", "feature", "view", "training set", "model" or "recipe"; None searches all.
            tags: what the tags have to hold.

        Returns:
            The hits: exact names first, then names that begin with the text, then names that hold it, then the others.

        Raises:
            InvalidDefinitionError: for another kind.
        """
        return search(self._shelf.documents, self.feature_groups, Query(text, kind, dict(tags or {})))

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

    def clean(self, older_than: Duration = "1d", *, remove: bool = False) -> CleaningReport:
        """Find the files that killed writers left behind, which no document and no commit names.

        Args:
            older_than: how old a file has to be; one of an ingestion, a build or a job that still runs must not be touched.
            remove: remove them; without it they are listed only.

        Raises:
            InvalidDefinitionError: for an age of less than an hour.
            ReadOnlyStoreError: if they are to be removed where one may not write.
        """
        return clean(self._shelf, older_than, remove=remove)

    def relocate(self) -> None:
        """Make the place where the store stands its own, after it was moved or copied, for writers and for other readers."""
        self.feature_groups.relocate()

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


def _open(objects: Objects, clock: Callable[[], int], *, create: bool) -> None:
    try:
        marker = json.loads(objects.read(_MARKER))
    except ObjectNotFoundError:
        if not create:
            raise StoreFormatError(f"There is no treering store at {objects.root}. `treering init` makes one, as does tr.Store(root).") from None
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
