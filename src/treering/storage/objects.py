"""The bytes of a store: one small interface, over a local folder or an S3 bucket."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

import pyarrow as pa

from treering.errors import ObjectNotFoundError, OutcomeUnknownError, StorageError

_CREATE_ATTEMPTS = 6


class Objects(Protocol):
    """Objects by key. A key is relative to the root, with '/' between its parts, on every kind of storage."""

    @property
    def root(self) -> str:
        """Where the objects are: an absolute folder path, or `s3://bucket/prefix`."""

    def check_writable(self) -> None:
        """Refuse before any work is done where no write can succeed; that one may not write can show at the first write only.

        Raises:
            ReadOnlyStoreError: if the store was opened to read.
        """

    def read(self, key: str) -> bytes:
        """Read a whole object.

        Raises:
            ObjectNotFoundError: if there is none.
        """

    def size(self, key: str) -> int | None:
        """Look up an object's size in bytes; None if there is none."""

    def written_at(self, key: str) -> int | None:
        """When an object was written, by the storage's clock, in microseconds since 1970 UTC; None if there is none."""

    def create(self, key: str, data: bytes) -> bool:
        """Create an object if there is none; durable when it returns.

        Returns:
            True if it landed. False if something stands there already, or is just landing there; it may be this very write, repeated
            below us after a lost answer: only `create_own` tells.

        Raises:
            OutcomeUnknownError: if the answer was lost.
            ReadOnlyStoreError: if one may not write there.
        """

    def put(self, key: str, data: bytes) -> None:
        """Create or replace an object: only for advice that may be stale, never for the truth."""

    def unfinished(self) -> list[str]:
        """List the leftovers of writes that never finished, which `list` passes over; some may be writes of this moment."""

    def list(self, prefix: str) -> list[str]:
        """List the keys below a prefix (a folder), sorted, without leftovers of unfinished writes."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are absent are passed over."""

    def output(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Stream a new object: it appears whole and durable at exit, or, if the body raises, not at all.

        On S3 two writers of one key can both pass for the first where an object is too large for one request: the caller
        chooses keys that nobody else uses.

        Raises:
            AlreadyExistsError: if something stands there.
        """

    def input(self, key: str) -> pa.NativeFile:
        """Open an object for reading anywhere in it, as `pyarrow.parquet.ParquetFile` takes it.

        Raises:
            ObjectNotFoundError: if there is none.
        """

    def uri(self, key: str) -> str:
        """Write the absolute address of an object: `file:///...` or `s3://...`."""

    def access(self) -> str:
        """Say how the objects are reached, for people; holds no secret."""

    def storage_options(self) -> dict[str, object]:
        """Say what pandas and fsspec need to open an address of `uri`; holds secrets on S3, and is empty for a folder."""


def create_own(objects: Objects, key: str, data: bytes, *, pause: Callable[[float], None] = time.sleep) -> bool:
    """Create an object whose bytes nobody else would write, and find out whether it landed whatever the answers were.

    Args:
        objects: where to.
        key: under which name.
        data: the bytes; they have to hold an identity of their own, such as a random id.
        pause: waits that many seconds between two tries.

    Returns:
        True exactly if what stands there is `data`.

    Raises:
        OutcomeUnknownError: if the storage cannot be asked.
    """
    for attempt in range(_CREATE_ATTEMPTS):
        if attempt:
            pause(0.05 * attempt)
        try:
            if objects.create(key, data):
                return True
        except OutcomeUnknownError:
            pass
        try:
            return objects.read(key) == data
        except ObjectNotFoundError:
            continue
        except StorageError as error:
            raise OutcomeUnknownError(f"The write of {objects.uri(key)} was not answered, and it cannot be read back. Repeat the call.") from error
    raise OutcomeUnknownError(f"{_CREATE_ATTEMPTS} writes of {objects.uri(key)} were not answered. Check the storage, then repeat the call.")
