"""Contents that a group holds: the same content, taken in the same way, need not be written again."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

from treering.errors import AlreadyExistsError
from treering.ingestion.report import IngestionReport
from treering.schema.feature_group import API_INVOCATION_TIME, EVENT_TIME, FeatureGroupDefinition
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.storage.runs import may_hold
from treering.storage.snapshot import Snapshot, StoredRun

_KIND = "contents"
_DIGITS = 48


def content_key(definition: FeatureGroupDefinition, *parts: Any) -> str:
    """Name a content and the way it is taken: what it is read with, what it becomes, and which columns the group has.

    Args:
        definition: the group's; a feature that is added makes the same content another one.
        *parts: everything else that the written rows depend on, as JSON values.
    """
    columns = [(feature.name, feature.type_text) for feature in definition.schema]
    return hashlib.sha256(json.dumps([columns, *parts]).encode()).hexdigest()[:_DIGITS]


class Contents:
    """Which ingestion brought which content to one group last.

    This is noted after the commit, so that a crash between the two makes the same content new once more, which is safe.

    Args:
        objects: the store's.
        documents: the store's.
        folder: the key of the group's folder.
    """

    def __init__(self, objects: Objects, documents: Documents, folder: str) -> None:
        self._objects, self._documents, self._folder = objects, documents, folder

    def may_hold(self, total_bytes: int | None) -> bool:
        """Whether files of this size came before: where none did, new files need not be read twice."""
        return total_bytes is None or self._objects.size(self._size_key(total_bytes)) is not None

    def ingestion_of(self, key: str) -> str | None:
        """Find the ingestion that a content came with last; None if it never came."""
        document = self._documents.current(_KIND, self._name(key))
        return None if document is None else str(document.value["ingestion"])

    def note(self, key: str, ingestion: str, total_bytes: int | None) -> None:
        """Write down that a content came, perhaps once more, with an ingestion."""
        value = {"ingestion": ingestion}
        if total_bytes is not None:
            self._objects.put(self._size_key(total_bytes), b"")
        try:
            self._documents.create(_KIND, self._name(key), value)
        except AlreadyExistsError:
            self._documents.update(_KIND, self._name(key), lambda _: value)

    def _size_key(self, total_bytes: int) -> str:
        return f"{self._folder}/contents/{total_bytes}"

    def _name(self, key: str) -> str:
        return f"{self._folder.rsplit('/', 1)[-1]}.{key}"


def is_unchanged(report: IngestionReport, definition: FeatureGroupDefinition, snapshot: Snapshot) -> bool:
    """Whether the records of an ingestion certainly still count: nothing that could replace them can hold their identifiers and event times."""
    own = [run for run in snapshot.runs if run.commit == report.commit]
    # Runs that were merged would not be told from those of other ingestions.
    if sum(run.rows for run in own) != report.rows:
        return False
    columns: Sequence[str] = (*definition.entity, EVENT_TIME)
    return not any(
        _may_replace(other, mine) and may_hold(other, {name: mine.bounds[name] for name in columns if name in mine.bounds})
        for other in snapshot.runs
        for mine in own
    )


def _may_replace(other: StoredRun, mine: StoredRun) -> bool:
    """Whether a run may hold records that count before equals of ours: a call that began later counts first, even where it was committed earlier."""
    if other.commit == mine.commit:
        return False
    received, _ = mine.bounds[API_INVOCATION_TIME]
    return other.commit > mine.commit or may_hold(other, {API_INVOCATION_TIME: (received, math.inf)})
