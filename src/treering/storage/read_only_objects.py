"""Objects of a store that was opened to read: every write is refused."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import BinaryIO, NoReturn

import pyarrow as pa

from treering.errors import ReadOnlyStoreError
from treering.storage.objects import Objects


class ReadOnlyObjects:
    """Reads what other objects hold, and refuses to write."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @property
    def root(self) -> str:
        return self._objects.root

    def read(self, key: str) -> bytes:
        return self._objects.read(key)

    def size(self, key: str) -> int | None:
        return self._objects.size(key)

    def written_at(self, key: str) -> int | None:
        return self._objects.written_at(key)

    def unfinished(self) -> list[str]:
        return self._objects.unfinished()

    def list(self, prefix: str) -> list[str]:
        return self._objects.list(prefix)

    def input(self, key: str) -> pa.NativeFile:
        return self._objects.input(key)

    def uri(self, key: str) -> str:
        return self._objects.uri(key)

    def access(self) -> str:
        return self._objects.access()

    def storage_options(self) -> dict[str, object]:
        return self._objects.storage_options()

    def check_writable(self) -> None:
        raise ReadOnlyStoreError(f"The store at {self.root} was opened read-only. Open it with read_only=False to write.")

    def create(self, key: str, data: bytes) -> bool:
        self._refuse(key)

    def put(self, key: str, data: bytes) -> None:
        self._refuse(key)

    def delete(self, keys: Iterable[str]) -> None:
        self._refuse(", ".join(keys))

    def output(self, key: str) -> AbstractContextManager[BinaryIO]:
        self._refuse(key)

    def _refuse(self, key: str) -> NoReturn:
        raise ReadOnlyStoreError(f"The store at {self.root} was opened read-only, so {key} cannot be written. Open it with read_only=False.")
