"""What uses what: the views, training sets and training jobs that rest on a group, a feature, a view or a set, read from documents."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from treering.schema.serialise import from_json
from treering.schema.view import Lookup
from treering.storage.documents import Document, Documents

VIEWS, TRAINING_SETS, TRAINING_JOBS = "views", "training-sets", "training-jobs"
_READERS = 8

Key = TypeVar("Key")
Value = TypeVar("Value")
SetVersion = tuple[str, int]
"""The name and the version of a training set."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Who uses something, by name.

    Attributes:
        models: the training jobs that left a model, which are among `training_jobs`.
    """

    views: tuple[str, ...] = ()
    training_sets: tuple[str, ...] = ()
    training_jobs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = (("view", self.views), ("training set", self.training_sets), ("model", self.models))
        return ", ".join(f"{len(names)} {word}{'s' if len(names) > 1 else ''}" for word, names in counts if names)

    def listed(self) -> list[str]:
        """Name every user, as "view 'late_arrivals'"."""
        words = (("view", self.views), ("training set", self.training_sets), ("training job", self.training_jobs))
        return [f"{word} {name!r}" for word, names in words for name in names]


@dataclass(frozen=True, slots=True)
class _Use:
    """A view or a version of a training set that reads a group; `features` is None where it reads every one."""

    user: Document
    features: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The documents that say who uses what, and what they use.

    Attributes:
        views: those there are, as they are now.
        training_sets: the newest version of each, and every version that a job was trained on.
        training_jobs: all of them.
    """

    views: tuple[Document, ...]
    training_sets: tuple[Document, ...]
    training_jobs: tuple[Document, ...]
    _by_group: Mapping[str, list[_Use]]
    _by_view: Mapping[str, list[Document]]
    _by_set: Mapping[SetVersion, list[Document]]

    @classmethod
    def read(cls, documents: Documents) -> "Lineage":
        """Read each view, training set and training job once."""
        views = tuple(document for document in documents.all(VIEWS) if not document.value.get("dropped"))
        jobs = tuple(documents.all(TRAINING_JOBS))
        newest = documents.all(TRAINING_SETS)
        sets = (*newest, *_older(documents, newest, jobs))
        uses = [(group, _Use(document, features)) for document in (*views, *sets) for group, features in _reads(document)]
        by_view = _listed_by((_view_of(document), document) for document in sets)
        return cls(views, sets, jobs, _listed_by(uses), by_view, _listed_by((_trained_set(job), job) for job in jobs))

    @property
    def newest_training_sets(self) -> tuple[Document, ...]:
        """The newest version of each training set, by name."""
        return tuple({one.name: one for one in sorted(self.training_sets, key=_version)}.values())

    def of_group(self, group: str) -> Uses:
        """Find who reads a feature group, labels among it."""
        return self._uses(use.user for use in self._by_group.get(group, ()))

    def of_feature(self, group: str, feature: str) -> Uses:
        """Find who looks a feature up, by name or with all features of its group."""
        return self._uses(use.user for use in self._by_group.get(group, ()) if use.features is None or feature in use.features)

    def of_view(self, view: str) -> Uses:
        """Find what came from a view."""
        return self._uses(self._by_view.get(view, ()))

    def of_training_set(self, name: str) -> Uses:
        """Find the jobs that were trained on any version of a set."""
        return self._trained_on({_version(one) for one in self.training_sets if one.name == name})

    def _uses(self, users: Iterable[Document]) -> Uses:
        found = list(users)
        sets = {_version(one) for one in found if one.kind == TRAINING_SETS}
        jobs = self._trained_on(sets)
        return Uses(_names(one.name for one in found if one.kind == VIEWS), _names(name for name, _ in sets), jobs.training_jobs, jobs.models)

    def _trained_on(self, sets: set[SetVersion]) -> Uses:
        jobs = [job for one in sets for job in self._by_set.get(one, ())]
        return Uses(training_jobs=_names(job.name for job in jobs), models=_names(job.name for job in jobs if job.value["artifact"]))


def dependants_of_group(documents: Documents, group: str) -> list[str]:
    """Name the views, training sets and training jobs that rest on a feature group, as "view 'late_arrivals'"."""
    return Lineage.read(documents).of_group(group).listed()


def dependants_of_view(documents: Documents, view: str) -> list[str]:
    """Name the versions of training sets that came from a view, as "training set 'late' version 2"."""
    versions = [document for name in documents.names(TRAINING_SETS) for document in documents.history(TRAINING_SETS, name)]
    return [f"training set {one.name!r} version {one.number}" for one in versions if _view_of(one) == view]


def _older(documents: Documents, newest: Iterable[Document], jobs: Iterable[Document]) -> list[Document]:
    wanted = sorted({_trained_set(job) for job in jobs} - {_version(one) for one in newest})
    with ThreadPoolExecutor(_READERS, thread_name_prefix="treering-lineage") as pool:
        found = pool.map(lambda one: documents.version(TRAINING_SETS, *one), wanted)
        return [document for document in found if document is not None]


def _reads(document: Document) -> Iterator[tuple[str, frozenset[str] | None]]:
    """The groups that a view or a training set reads, each with its features."""
    for lookup in _LOOKUPS[document.kind](document.value):
        yield lookup.group, None if lookup.features is None else frozenset(lookup.features)
    if document.kind == TRAINING_SETS and document.value["content"]["provenance"]["label_group"]:
        yield document.value["content"]["provenance"]["label_group"]["group"], frozenset()


def _lookups_of_set(value: Mapping[str, Any]) -> tuple[Lookup, ...]:
    return tuple(from_json(one["lookup"]) for one in value["content"]["provenance"]["lookups"])


_LOOKUPS = {VIEWS: lambda value: from_json(value["view"]).lookups, TRAINING_SETS: _lookups_of_set}


def _listed_by(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    listed = defaultdict(list)
    for key, value in pairs:
        listed[key].append(value)
    return dict(listed)


def _view_of(training_set: Document) -> str:
    name: str = (training_set.value["content"]["view"] or {}).get("name", "")
    return name


def _version(document: Document) -> SetVersion:
    return document.name, document.number


def _trained_set(job: Document) -> SetVersion:
    used = job.value["spec"]["training_set"]
    return used["name"], used["version"]


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
