"""Numbered JSON documents: every change is a new file, created if absent; the highest number is current, the rest the audit trail."""

import json
import re
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from treering.errors import AlreadyExistsError, CommitConflictError, CorruptDataError, InvalidNameError, NotFoundError, ObjectNotFoundError, StoreFormatError
from treering.storage.objects import Objects, create_own

_FOLDER = "documents"
_FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_FILE = re.compile(r"(\d{8})\.json")
_UPDATE_ATTEMPTS = 64
_READERS = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document.

    Attributes:
        number: 1 for the first version, one more for each change.
        value: the content, as JSON knows it.
        written_at: microseconds since 1970, UTC, by the writer's clock.
    """

    kind: str
    name: str
    number: int
    value: dict[str, Any]
    written_at: int


class Documents:
    """The documents of a store, by kind and name.

    Args:
        objects: where they are kept, below `documents/`.
        clock: tells the time in microseconds.
    """

    def __init__(self, objects: Objects, clock: Callable[[], int]) -> None:
        self._objects = objects
        self._clock = clock

    def create(self, kind: str, name: str, value: dict[str, Any]) -> Document:
        """Write the first version of a document.

        Raises:
            AlreadyExistsError: if there is a document of that kind and name.
        """
        document = self._write(kind, name, 1, value)
        if document is None:
            raise AlreadyExistsError(f"The {kind} {name!r} exists already in {self._objects.root}. Choose another name, or change the one that exists.")
        return document

    def current(self, kind: str, name: str) -> Document | None:
        """Read the highest version of a document; None if there is none."""
        numbers = self._numbers(kind, name)
        return self._read(kind, name, numbers[-1]) if numbers else None

    def version(self, kind: str, name: str, number: int) -> Document | None:
        """Read one version of a document; None if there is none of that number."""
        try:
            return self._read(kind, name, number)
        except ObjectNotFoundError:
            return None

    def update(self, kind: str, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Document:
        """Write the next version of a document, made from the current one.

        Args:
            change: makes the new value from the current one; it is called again where another writer came first, so it must not have effects.

        Raises:
            NotFoundError: if there is no such document.
            CommitConflictError: if other writers came first on every try.
        """
        for _ in range(_UPDATE_ATTEMPTS):
            current = self.current(kind, name)
            if current is None:
                raise NotFoundError.among(kind, name, self.names(kind), self._objects.root)
            written = self._write(kind, name, current.number + 1, change(current.value))
            if written is not None:
                return written
        raise CommitConflictError(f"The {kind} {name!r} was changed by others {_UPDATE_ATTEMPTS} times in a row; nothing was written. Try again.")

    def history(self, kind: str, name: str) -> list[Document]:
        """Read every version of a document, oldest first."""
        return self._read_all((kind, name, number) for number in self._numbers(kind, name))

    def names(self, kind: str) -> list[str]:
        """List the names of a kind, sorted."""
        return sorted(self._highest(kind))

    def all(self, kind: str) -> list[Document]:
        """Read the current version of every document of a kind, sorted by name."""
        return self._read_all((kind, name, number) for name, number in sorted(self._highest(kind).items()))

    def _write(self, kind: str, name: str, number: int, value: dict[str, Any]) -> Document | None:
        written_at = self._clock()
        envelope = {
            "format": _FORMAT,
            "identity": secrets.token_hex(16),
            "written_at": (_EPOCH + timedelta(microseconds=written_at)).isoformat(timespec="microseconds"),
            "value": value,
        }
        data = json.dumps(envelope, indent=1, ensure_ascii=False, allow_nan=False).encode()
        if not create_own(self._objects, _key(kind, name, number), data):
            return None
        # What callers get is what a later reader will get: tuples as lists, keys as text.
        return Document(kind, name, number, json.loads(data)["value"], written_at)

    def _read(self, kind: str, name: str, number: int) -> Document:
        key = _key(kind, name, number)
        try:
            envelope = json.loads(self._objects.read(key))
            format, value, written_at = envelope["format"], envelope["value"], datetime.fromisoformat(envelope["written_at"])
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptDataError(f"{self._objects.uri(key)} is not the JSON that treering wrote. Restore it from a backup.") from error
        if format > _FORMAT:
            raise StoreFormatError(f"{self._objects.uri(key)} has format {format}; this treering knows up to {_FORMAT}. Upgrade treering.")
        return Document(kind, name, number, value, (written_at - _EPOCH) // timedelta(microseconds=1))

    def _read_all(self, wanted: Iterable[tuple[str, str, int]]) -> list[Document]:
        with ThreadPoolExecutor(_READERS, thread_name_prefix="treering-documents") as pool:
            return list(pool.map(lambda one: self._read(*one), wanted))

    def _numbers(self, kind: str, name: str) -> list[int]:
        folder = _folder(kind, name)
        found = (_FILE.fullmatch(key[len(folder) + 1 :]) for key in self._objects.list(folder))
        return sorted(int(match[1]) for match in found if match)

    def _highest(self, kind: str) -> dict[str, int]:
        folder = f"{_FOLDER}/{_checked(kind)}"
        highest: dict[str, int] = {}
        for key in self._objects.list(folder):
            name, _, file = key[len(folder) + 1 :].partition("/")
            match = _FILE.fullmatch(file)
            if match:
                highest[name] = max(highest.get(name, 0), int(match[1]))
        return highest


def _folder(kind: str, name: str) -> str:
    return f"{_FOLDER}/{_checked(kind)}/{_checked(name)}"


def _key(kind: str, name: str, number: int) -> str:
    return f"{_folder(kind, name)}/{number:08d}.json"


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise InvalidNameError(f"{name!r} cannot name a document: 1 to 128 letters, digits, '.', '_' and '-', beginning with a letter or digit.")
    return name
