"""What a store remembers of a project: for each thing that was done, from what, and what came of it."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from treering.errors import AlreadyExistsError
from treering.storage.documents import Documents

KIND = "projects"


def key_of(parts: Any) -> str:
    """SHA-256 of what something is made from: JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Memory:
    """The document of one project, read once and written when something new was done.

    Args:
        documents: the store's.
        project: the project's name.
    """

    def __init__(self, documents: Documents, project: str) -> None:
        self._documents, self._project = documents, project
        found = documents.current(KIND, project)
        self._known: dict[str, Any] = {} if found is None else dict(found.value["done"])

    def recall(self, what: str, key: str) -> Mapping[str, Any] | None:
        """Say what came of something that was done from exactly this; None if it was not."""
        known = self._known.get(what)
        result: Mapping[str, Any] | None = None if known is None or known["key"] != key else known["result"]
        return result

    def last(self, what: str) -> Mapping[str, Any] | None:
        """Say what came of something the last time that it was done, whatever from; None if it never was."""
        known = self._known.get(what)
        return None if known is None else dict(known["result"])

    def keep(self, what: str, key: str, result: Mapping[str, Any]) -> None:
        """Remember what came of something, at once: a run that is interrupted goes on where it was."""
        added = {what: {"key": key, "result": dict(result)}}
        self._known |= added
        # Another run of the project may write at the same time, the first document too.
        with suppress(AlreadyExistsError):
            self._documents.create(KIND, self._project, {"done": added})
            return
        self._documents.update(KIND, self._project, lambda value: {"done": value["done"] | added})
