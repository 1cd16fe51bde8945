"""Objects in a local folder. What is acknowledged was flushed to the disk: the file, and the folder that names it."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from treering.errors import AlreadyExistsError, InvalidNameError, ObjectNotFoundError, ReadOnlyStoreError, StorageError
from treering.storage.object_keys import check_key, check_prefix, is_staging, staging_name

_REFUSALS = frozenset({errno.EACCES, errno.EROFS})
_BUFFER_BYTES = 1024 * 1024


class Disk:
    """Everything treering does to change a disk, a call a method: a crash between any two of them leaves the store readable."""

    def create(self, path: Path) -> BinaryIO:
        """Open a file that must not exist."""
        return path.open("xb", buffering=_BUFFER_BYTES)

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Write bytes to an open file."""
        file.write(data)

    def fsync(self, file: BinaryIO) -> None:
        """Flush an open file to the disk."""
        file.flush()
        os.fsync(file.fileno())

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name, if that name is free."""
        target.hardlink_to(source)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, and take that name from whatever had it."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        path.unlink()

    def make_folder(self, path: Path) -> None:
        """Make one folder."""
        path.mkdir()

    def fsync_folder(self, path: Path) -> None:
        """Flush the names in a folder to the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class LocalObjects:
    """Objects as files below one folder; a key cannot leave it, not even by a symbolic link.

    Args:
        root: the folder; it is made when the first object is.
        disk: makes the changes.
    """

    def __init__(self, root: str, disk: Disk | None = None) -> None:
        if "\0" in root or not root:
            raise InvalidNameError(f"{root!r} cannot be the folder of a store.")
        folder = Path(root).expanduser().absolute()
        if folder.is_file():
            raise StorageError(f"{folder} is a file; a store is a folder. Name a folder, which is made if there is none.")
        self.root = str(folder.resolve() if ".." in folder.parts else folder)
        # Iceberg metadata name the folder by its real path, so that two symbolic links to one store agree on where it stands.
        self._folder = folder.resolve()
        self._disk = disk or Disk()
        self._durable_folders: set[Path] = set()

    def check_writable(self) -> None:
        """Nothing is known before a write is tried."""

    def read(self, key: str) -> bytes:
        """Read a whole file."""
        path = self._path(key)
        with self._reading(key):
            return path.read_bytes()

    def size(self, key: str) -> int | None:
        """Look up a file's size; None if there is none."""
        path = self._path(key)
        with suppress(ObjectNotFoundError), self._reading(key):
            return path.stat().st_size
        return None

    def written_at(self, key: str) -> int | None:
        """Look up when a file was last written; None if there is none."""
        path = self._path(key)
        with suppress(ObjectNotFoundError), self._reading(key):
            return path.stat().st_mtime_ns // 1_000
        return None

    def create(self, key: str, data: bytes) -> bool:
        """Write, flush, then link under the name: atomic, and refused by the file system if the name is taken."""
        path = self._path(key)
        with self._writing(key):
            if path.exists():
                return False
            with self._staged(path, data) as staged:
                try:
                    self._disk.link(staged, path)
                except FileExistsError:
                    return False
        with self._flushing(key):
            self._disk.fsync_folder(path.parent)
        return True

    def put(self, key: str, data: bytes) -> None:
        """Write, flush, then rename over whatever has the name."""
        path = self._path(key)
        with self._writing(key):
            with self._staged(path, data) as staged:
                self._disk.rename(staged, path)
            self._disk.fsync_folder(path.parent)

    def unfinished(self) -> list[str]:
        """Walk the folder for files that never got their names."""
        return [key for key in self._walk("") if is_staging(key)]

    def list(self, prefix: str) -> list[str]:
        """Walk the folder; symbolic links to folders are not followed."""
        return [key for key in self._walk(prefix) if not is_staging(key)]

    def _walk(self, prefix: str) -> Sequence[str]:
        start = self._folder / check_prefix(prefix)
        found = []
        with self._reading(prefix):
            for folder, _, names in os.walk(start, onerror=_raise_unless_absent):
                found += [(Path(folder) / name).relative_to(self._folder).as_posix() for name in names]
        return sorted(found)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove files, then flush each folder once."""
        folders: dict[Path, str] = {}
        for key in keys:
            path = self._path(key)
            with self._writing(key), suppress(FileNotFoundError):
                self._disk.unlink(path)
                folders[path.parent] = key
        for folder, key in folders.items():
            with self._writing(key):
                self._disk.fsync_folder(folder)

    @contextmanager
    def _flushing(self, key: str) -> Iterator[None]:
        """The name is there already: a flush that fails leaves open whether it stays, and reading it back would not tell."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"{self.uri(key)} was written, but may not survive a power cut: {reason}. Check the disk, then repeat the call.") from error

    @contextmanager
    def output(self, key: str) -> Iterator[BinaryIO]:
        """Stream to a file beside the final one, which gets its name only when the body is through."""
        path = self._path(key)
        with self._writing(key):
            staged = self._new_staging(path)
            file = self._disk.create(staged)
        try:
            with file:
                yield file
                with self._writing(key):
                    self._disk.fsync(file)
            with self._writing(key):
                self._disk.link(staged, path)
        finally:
            self._remove(staged)
        with self._writing(key):
            self._disk.fsync_folder(path.parent)

    def input(self, key: str) -> pa.NativeFile:
        """Open a file for reading anywhere in it."""
        path = self._path(key)
        with self._reading(key):
            return pa.OSFile(str(path), "rb")

    def uri(self, key: str) -> str:
        """Write the file's address; nothing in it is escaped, which is what Iceberg's readers expect. An empty key is the root."""
        return f"file://{self._folder}/{check_key(key)}" if key else f"file://{self._folder}"

    def access(self) -> str:
        """Name the folder, and how much room its disk has."""
        standing = next(folder for folder in (self._folder, *self._folder.parents) if folder.is_dir())
        return f"folder {self.root}, {shutil.disk_usage(standing).free / 1e9:,.0f} GB free"

    def storage_options(self) -> dict[str, object]:
        """Nothing is needed to open a file."""
        return {}

    def _path(self, key: str) -> Path:
        path = self._folder / check_key(key)
        if path.resolve() != path:
            raise InvalidNameError(f"{key!r} in {self.root} runs over a symbolic link; a store holds its own files only.")
        return path

    @contextmanager
    def _staged(self, path: Path, data: bytes) -> Iterator[Path]:
        staged = self._new_staging(path)
        try:
            with self._disk.create(staged) as file:
                self._disk.write(file, data)
                self._disk.fsync(file)
            yield staged
        finally:
            self._remove(staged)

    def _new_staging(self, path: Path) -> Path:
        self._ensure_folder(path.parent)
        return path.with_name(staging_name(path.name, secrets.token_hex(8)))

    def _remove(self, staged: Path) -> None:
        # What was renamed is gone, and what the disk refused to make never was.
        with suppress(FileNotFoundError):
            self._disk.unlink(staged)

    def _ensure_folder(self, folder: Path) -> None:
        # A folder that another process made may not have been flushed yet, so each process flushes each folder once.
        exists = folder.is_dir()
        if exists and (folder in self._durable_folders or not folder.is_relative_to(self._folder) or folder == self._folder):
            return
        self._ensure_folder(folder.parent)
        if not exists:
            with suppress(FileExistsError):
                self._disk.make_folder(folder)
        self._disk.fsync_folder(folder.parent)
        self._durable_folders.add(folder)

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectNotFoundError(f"No object {key!r} in {self.root}.") from None
        except OSError as error:
            raise StorageError(f"{key!r} in {self.root} cannot be read: {error.strerror or error}. Check the folder's permissions and the disk.") from error

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError:
            raise AlreadyExistsError(f"{key!r} exists already in {self.root}; an object is never written over.") from None
        except OSError as error:
            if error.errno in _REFUSALS:
                raise ReadOnlyStoreError(
                    f"{key!r} in {self.root} cannot be written: {error.strerror}. Open the store as a user who may write there, or only read."
                ) from error
            raise StorageError(f"{key!r} in {self.root} cannot be written: {error.strerror or error}. Check the disk and its free space.") from error


def _raise_unless_absent(error: OSError) -> None:
    # os.walk passes over folders that it cannot read, unless told not to.
    if not isinstance(error, FileNotFoundError):
        raise error
