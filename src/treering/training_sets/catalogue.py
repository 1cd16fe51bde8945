"""The training sets of a store: built, counted up in versions, found again."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import NoReturn

from treering.errors import AlreadyExistsError, NotFoundError
from treering.feature_groups.lookups import Lookups
from treering.point_in_time.labels import Labels
from treering.schema.names import check_name
from treering.schema.view import Lookup, View, lookups_of
from treering.storage.documents import Document, Documents
from treering.storage.objects import Objects
from treering.training_sets.build import Order, build, split_names
from treering.training_sets.older_sets import OlderSets
from treering.training_sets.receipt import About, Receipt
from treering.training_sets.reuse import inputs_of
from treering.training_sets.splits import Split, checked_split
from treering.training_sets.training_set import TrainingSet

KIND = "training-sets"


def find(documents: Documents, objects: Objects, name: str, version: int | None = None) -> TrainingSet:
    """Find a training set; without a version, the latest one.

    Raises:
        NotFoundError: if there is none of that name or version.
    """
    check_name(name, "training set")
    if version is None:
        found = documents.current(KIND, name)
    else:
        found = documents.version(KIND, name, version) if isinstance(version, int) else None
    return _training_set(found or _missing(documents, name, version), objects)


def _missing(documents: Documents, name: str, version: object) -> NoReturn:
    latest = documents.current(KIND, name)
    if latest is None:
        raise NotFoundError.among("training set", name, documents.names(KIND))
    raise NotFoundError(f"Training set {name!r} has no version {version!r}; its versions are 1 to {latest.number}.")


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
        lookups: looks labels up in the store's groups.
        view_of: finds a view by its name.
        clock: tells the time in microseconds.
    """

    def __init__(self, objects: Objects, documents: Documents, lookups: Lookups, view_of: Callable[[str], View], clock: Callable[[], int]) -> None:
        self._objects, self._documents = objects, documents
        self._lookups, self._view_of, self._clock = lookups, view_of, clock
        self._older = OlderSets(documents, partial(find, documents, objects))

    def build(
        self,
        name: str,
        lookups: View | str | Lookup | Iterable[Lookup],
        labels: Labels,
        *,
        split: Split | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        owner: str = "",
    ) -> TrainingSet:
        """Look labels up and keep the rows as the next version under a name.

        Lookups that a set of the store answered before, for the same keys, times and commits, are read from it. If the very
        same set is there under this name, it is returned, and nothing is written. `reuse` of the result says which.

        Args:
            name: by SageMaker's rule.
            lookups: a view or its name, or lookups in the order of their output columns.
            labels: what `tr.Labels` made.
            split: which rows are held back from training; None trains on all.
            description, tags, owner: for people. Where some are given, and the same set is there with others, a new version is made.

        Returns:
            The set, with exactly the label rows that were given, in their order.

        Raises:
            InvalidDefinitionError: if a split that was asked for gets no row, for what is no split, and tags that are no texts.
            LabelsError: if the labels cannot be looked up, or have no rows.
            NotFoundError: for a view, group or column that does not exist.
        """
        check_name(name, "training set")
        if isinstance(lookups, str):
            lookups = self._view_of(lookups)
        view = lookups if isinstance(lookups, View) else None
        asked = lookups_of(lookups)
        plan = self._lookups.open(labels).plan(asked)
        split, about = checked_split(split), About(description, tags or {}, owner)
        inputs = inputs_of(name, view, split, plan)
        identical = self._older.identical(inputs, about)
        if identical is not None:
            return identical
        self._objects.check_writable()
        order = Order(view, split, split_names(split, plan.rows), inputs, about)
        answered = self._older.answer(plan)
        # Two builders of one name at once write to two folders; their receipts get two versions.
        folder = f"training-sets/{name}/{secrets.token_hex(8)}"
        receipt = build(self._objects, folder, order, answered, built_at=self._clock())
        built = _training_set(self._commit(name, receipt), self._objects)
        self._older.remember(built, answered)
        return replace(built, reuse=answered.reuse)

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
