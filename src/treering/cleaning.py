"""Files that no document and no commit of a store names: what killed writers left behind. They are listed, and removed if asked."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from treering.errors import InvalidDefinitionError
from treering.ingestion.ledger import KIND as INGESTIONS
from treering.ingestion.ledger import SUMMARY_KEY
from treering.schema.times import Duration, duration_text, microseconds
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.storage.offline_table import OfflineTable
from treering.storage.shelf import Shelf
from treering.training.job import TrainingJob
from treering.training.records import KIND as TRAINING_JOBS
from treering.training_sets.catalogue import KIND as TRAINING_SETS

_GROUPS = "feature-groups"
# Iceberg's own files, recipes, which are named by their content, and the sizes of contents are never left behind by a writer that failed.
_KEPT_FOLDERS = ("metadata/", "recipes/", "contents/")
_SHORTEST = "1h"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file that nothing names.

    Attributes:
        key: below the store's root.
        bytes: its size.
        written_at: by the storage's clock, in microseconds since 1970 UTC.
    """

    key: str
    bytes: int
    written_at: int


@dataclass(frozen=True, slots=True)
class CleaningReport:
    """What was left behind.

    Attributes:
        leftovers: files that nothing names, and that are old enough.
        were_removed: whether they are gone now.
        older_than: microseconds; younger ones may belong to a writer that is still at work.
    """

    leftovers: tuple[Leftover, ...]
    were_removed: bool
    older_than: int

    @property
    def bytes(self) -> int:
        """How much room they take, or took."""
        return sum(one.bytes for one in self.leftovers)

    def to_json(self) -> dict[str, Any]:
        """Turn the report into what `json.dumps` takes."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.leftovers:
            return f"Nothing is left behind: every file older than {duration_text(self.older_than)} is named by a document or a commit."
        lines = [f"  {one.bytes:>14,}  {one.key}" for one in self.leftovers]
        what = "were removed" if self.were_removed else "are named by nothing; remove=True (--remove) removes them"
        return "\n".join([*lines, f"{len(self.leftovers):,} files, {self.bytes:,} bytes, {what}."])


def clean(shelf: Shelf, older_than: Duration, *, remove: bool) -> CleaningReport:
    """Find, and if asked remove, the files of writers that were killed.

    Args:
        shelf: the store's.
        older_than: how old a file has to be: an ingestion, a build or a job that has run for longer would lose its files.
        remove: whether to remove them.

    Raises:
        InvalidDefinitionError: for less than an hour.
        ReadOnlyStoreError: if they are to be removed where one may not write.
    """
    age = microseconds(older_than, "older_than")
    if age < microseconds(_SHORTEST):
        raise InvalidDefinitionError(
            f"older_than is {duration_text(age)}; give at least {_SHORTEST}: younger files may belong to a writer that is still at work."
        )
    if remove:
        shelf.objects.check_writable()
    latest = shelf.clock() - age
    # What is listed first and named afterwards is named; the other way round, a file that lands in between would look left behind.
    unnamed = [key for find in (_of_groups, _of_training_sets, _of_training_jobs) for key in find(shelf)]
    found = [_leftover(shelf.objects, key) for key in (*unnamed, *shelf.objects.unfinished())]
    leftovers = tuple(one for one in found if one is not None and one.written_at <= latest)
    if remove:
        shelf.objects.delete(one.key for one in leftovers)
    return CleaningReport(leftovers, remove, age)


def _leftover(objects: Objects, key: str) -> Leftover | None:
    size, written_at = objects.size(key), objects.written_at(key)
    return None if size is None or written_at is None else Leftover(key, size, written_at)


def _of_groups(shelf: Shelf) -> Iterator[str]:
    keys = shelf.objects.list(_GROUPS)
    folders = {version["folder"] for version in _versions(shelf.documents, _GROUPS)}
    recorded = {text for document in shelf.documents.all(INGESTIONS) for text in _texts(document.value)}
    for folder in sorted({"/".join(key.split("/")[:2]) for key in keys}):
        own = [key for key in keys if key.startswith(f"{folder}/")]
        # A group's table is made before its document: a folder that no document names was never a group.
        named = _named(shelf, folder) | recorded if folder in folders else set()
        kept = tuple(f"{folder}/{name}" for name in _KEPT_FOLDERS) if folder in folders else ()
        yield from (key for key in own if key not in named and not key.startswith(kept or "\0"))


def _named(shelf: Shelf, folder: str) -> set[str]:
    """The files that a group's table names: its runs, and what the documents in its commits name."""
    table = OfflineTable(shelf.objects, folder, clock=shelf.clock)
    carried = (json.loads(commit.summary.get(SUMMARY_KEY, "{}")) for commit in table.commits())
    return {f"{folder}/{run.path}" for run in table.snapshot().runs} | {text for document in carried for text in _texts(document)}


def _of_training_sets(shelf: Shelf) -> Iterator[str]:
    keys = shelf.objects.list(TRAINING_SETS)
    folders = tuple(f"{version['folder']}/" for version in _versions(shelf.documents, TRAINING_SETS))
    yield from (key for key in keys if not key.startswith(folders or "\0"))


def _of_training_jobs(shelf: Shelf) -> Iterator[str]:
    """A job that ended without a model may have left archives that its document does not name."""
    keys = shelf.objects.list(TRAINING_JOBS)
    jobs = {document.name: TrainingJob.from_json(document.value) for document in shelf.documents.all(TRAINING_JOBS)}
    for key in keys:
        job = jobs.get(key.split("/")[1])
        if job is None or (job.status.has_ended and job.artifact is None and key in (job.spec.artifact_key, job.spec.output_key)):
            yield key


def _versions(documents: Documents, kind: str) -> Iterator[dict[str, Any]]:
    for name in documents.names(kind):
        yield from (document.value for document in documents.history(kind, name))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
