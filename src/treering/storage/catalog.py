"""The versions of one table's metadata: a commit creates `v<N+1>.metadata.json` if there is none yet."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass

from treering.errors import CorruptDataError, NotFoundError, ObjectNotFoundError, OutcomeUnknownError, ReadOnlyStoreError, StorageError
from treering.storage.objects import Objects, create_own
from treering.storage.table_metadata import Metadata

_VERSION = re.compile(r"v(\d+)\.metadata\.json")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a table's metadata."""

    number: int
    metadata: Metadata


class Catalog:
    """Finds the current metadata of a table, and adds the next.

    Args:
        objects: where the table is.
        folder: the key of the table's folder.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects = objects
        self._folder = folder
        self._known: Version | None = None

    def current(self) -> Version:
        """Read the highest version; cheap where it is the one that was read last.

        Raises:
            NotFoundError: if there is no table.
        """
        known = self._known
        number = self._newest_after(known.number if known else self._hint())
        if known is None or number != known.number:
            known = Version(number, self._read(number))
            self._known = known
        return known

    def add(self, version: Version) -> bool:
        """Add the version that follows the one it was made from.

        Returns:
            False if another writer was first.

        Raises:
            OutcomeUnknownError: if it cannot be found out whether it was added.
        """
        data = json.dumps(version.metadata, ensure_ascii=False, separators=(",", ":")).encode()
        if not create_own(self._objects, self._key(version.number), data):
            return False
        if version.number > 1 and not self._exists(version.number - 1):
            # Old metadata were cleaned away below a writer that slept: this version follows nothing, and others are higher.
            self._objects.delete([self._key(version.number)])
            return False
        self._known = version
        self._advise(version.number)
        return True

    def confirm(self) -> None:
        """Make the version that was read last durable: whoever created it may have died before its name was flushed."""
        if self._known is not None:
            # Replacing the hint flushes the folder, and with it the names of all versions.
            self._objects.put(self._hint_key(), str(self._known.number).encode())

    def _read(self, number: int) -> Metadata:
        key = self._key(number)
        try:
            metadata: Metadata = json.loads(self._objects.read(key))
        except ValueError as error:
            raise CorruptDataError(f"{self._objects.uri(key)} is not the JSON that was written. Restore it from a backup.") from error
        return metadata

    def _newest_after(self, number: int) -> int:
        if number < 1:
            return self._newest_listed()
        newest = self._probe(number)
        # Where not even the version to start from exists, others before and after it may be gone as well.
        return newest if newest > number or self._exists(number) else self._newest_listed()

    def _probe(self, number: int) -> int:
        step = 1
        while self._exists(number + step):
            number += step
            step *= 2
        while step > 1:
            step //= 2
            if self._exists(number + step):
                number += step
        return number

    def _newest_listed(self) -> int:
        folder = f"{self._folder}/metadata"
        found = (_VERSION.fullmatch(key[len(folder) + 1 :]) for key in self._objects.list(folder))
        newest = max((int(match[1]) for match in found if match), default=0)
        if newest == 0:
            raise NotFoundError(f"There is no table in {self._objects.uri(self._folder)}.")
        return newest

    def _hint(self) -> int:
        with suppress(ObjectNotFoundError, ValueError):
            return int(self._objects.read(self._hint_key()))
        return 0

    def _advise(self, number: int) -> None:
        # The hint spares readers a listing, and other engines read it; the commit stands without it.
        with suppress(StorageError, ReadOnlyStoreError, OutcomeUnknownError):
            if not self._exists(number + 1):
                self._objects.put(self._hint_key(), str(number).encode())

    def _exists(self, number: int) -> bool:
        return self._objects.size(self._key(number)) is not None

    def _key(self, number: int) -> str:
        return f"{self._folder}/metadata/v{number}.metadata.json"

    def _hint_key(self) -> str:
        return f"{self._folder}/metadata/version-hint.text"
