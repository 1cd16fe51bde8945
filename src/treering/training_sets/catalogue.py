"""The training sets of a store: built, counted up in versions, found again."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from treering.errors import AlreadyExistsError, NotFoundError
from treering.point_in_time.labels import Labels
from treering.point_in_time.local import LookupResult
from treering.schema.names import check_name
from treering.schema.view import Lookup, View, lookups_of
from treering.storage.documents import Document, Documents
from treering.storage.objects import Objects
from treering.training_sets.build import build
from treering.training_sets.receipt import Receipt
from treering.training_sets.splits import Everything, Split
from treering.training_sets.training_set import TrainingSet

KIND = "training-sets"

LookUp = Callable[[Labels, Sequence[Lookup]], LookupResult]
"""Looks labels up in the store's groups."""


def find(documents: Documents, objects: Objects, name: str, version: int | None = None) -> TrainingSet:
    """Find a training set; without a version, the latest one.

    Raises:
        NotFoundError: if there is none of that name or version.
    """
    check_name(name, "training set")
    found = documents.current(KIND, name) if version is None else documents.version(KIND, name, version)
    return _training_set(found or _missing(documents, name, version), objects)


def _missing(documents: Documents, name: str, version: int | None) -> NoReturn:
    latest = documents.current(KIND, name)
    if latest is None:
        raise NotFoundError.among("training set", name, documents.names(KIND))
    raise NotFoundError(f"Training set {name!r} has no version {version}; its versions are 1 to {latest.number}.")


def find_versions(documents: Documents, objects: Objects, name: str) -> list[TrainingSet]:
    """Find every version of a training set, oldest first.

    Raises:
        NotFoundError: if there is none of that name.
    """
    check_name(name, "training set")
    history = documents.history(KIND, name)
    if not history:
        _missing(documents, name, None)
    return [_training_set(document, objects) for document in history]


def _training_set(document: Document, objects: Objects) -> TrainingSet:
    return TrainingSet(document.name, document.number, Receipt.from_json(document.value), objects)


class TrainingSets:
    """The training sets of a store.

    Args:
        objects: where their files are.
        documents: where their receipts are; the receipt of version N is document N.
        look_up: answers lookups from the store's groups.
        clock: tells the time in microseconds.
    """

    def __init__(self, objects: Objects, documents: Documents, look_up: LookUp, clock: Callable[[], int]) -> None:
        self._objects, self._documents = objects, documents
        self._look_up, self._clock = look_up, clock

    def build(self, name: str, lookups: View | Lookup | Iterable[Lookup], labels: Labels, *, split: Split | None = None) -> TrainingSet:
        """Look labels up and keep the rows as the next version under a name.

        Args:
            name: by SageMaker's rule.
            lookups: a view, or lookups in the order of their output columns.
            labels: what `tr.Labels` made.
            split: which rows are held back from training; None trains on all.

        Returns:
            The new version, with exactly the label rows that were given, in their order.

        Raises:
            InvalidDefinitionError: if a split that was asked for gets no row.
            LabelsError: if the labels cannot be looked up, or have no rows.
        """
        check_name(name, "training set")
        result = self._look_up(labels, lookups_of(lookups))
        view = lookups if isinstance(lookups, View) else None
        # Two builders of one name at once write to two folders; their receipts get two versions.
        folder = f"training-sets/{name}/{secrets.token_hex(8)}"
        receipt = build(self._objects, folder, result, split=split or Everything(), view=view, built_at=self._clock())
        return _training_set(self._commit(name, receipt), self._objects)

    def _commit(self, name: str, receipt: Receipt) -> Document:
        value = receipt.to_json()
        try:
            return self._documents.create(KIND, name, value)
        except AlreadyExistsError:
            return self._documents.update(KIND, name, lambda _: value)

    def get(self, name: str, version: int | None = None) -> TrainingSet:
        """Find a training set; without a version, the latest one.

        Raises:
            NotFoundError: if there is none of that name or version.
        """
        return find(self._documents, self._objects, name, version)

    def __getitem__(self, name: str) -> TrainingSet:
        """Find the latest version of a training set.

        Raises:
            NotFoundError: if there is none of that name.
        """
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._documents.names(KIND)

    def __repr__(self) -> str:
        names = self._documents.names(KIND)
        return "\n".join([f"{len(names)} training sets", *(f"  {name}" for name in names)])

    def versions(self, name: str) -> list[TrainingSet]:
        """List every version of a training set, oldest first.

        Raises:
            NotFoundError: if there is none of that name.
        """
        return find_versions(self._documents, self._objects, name)

    def list(self) -> list[TrainingSet]:
        """List the latest version of every training set, by name."""
        return [_training_set(document, self._objects) for document in self._documents.all(KIND)]
