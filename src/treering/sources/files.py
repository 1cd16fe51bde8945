"""Finds the files that a path, a folder, a pattern or a bucket names."""

import glob
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from treering.errors import SourceError, did_you_mean
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.roots import open_objects

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that can be opened to read.

    Attributes:
        name: its path or URI, as messages show it.
        size: bytes.
        open: opens it, for reading anywhere in it.
    """

    name: str
    size: int
    open: Callable[[], BinaryIO]


def find_files(location: str, suffixes: Iterable[str], settings: Settings) -> tuple[InputFile, ...]:
    """Find what a location names: one file, whatever its suffix, or the files of a folder or pattern that have one of the suffixes, by name.

    Raises:
        SourceError: if there is none.
    """
    scheme, separator, rest = location.partition("://")
    if separator and scheme == "s3":
        return _find_objects(rest, tuple(suffixes), settings)
    if separator and scheme != "file":
        raise SourceError(f"treering cannot read {location!r}: give a path, file:// or s3://.")
    return _find_local(rest if separator else location, tuple(suffixes))


def _find_local(location: str, suffixes: tuple[str, ...]) -> tuple[InputFile, ...]:
    path = Path(location).expanduser()
    if path.is_file():
        return (_local_file(path),)
    is_pattern = not path.exists() and not _WILDCARDS.isdisjoint(location)
    if not path.is_dir() and not is_pattern:
        raise _missing(location, path, suffixes)
    # Path.glob refuses an absolute pattern.
    found = [Path(name) for name in glob.glob(str(path))] if is_pattern else list(path.iterdir())  # noqa: PTH207
    wanted = sorted(file for file in found if file.is_file() and _is_data(file.name, suffixes))
    if not wanted:
        raise _nothing_in(location, suffixes)
    return tuple(_local_file(file) for file in wanted)


def _local_file(path: Path) -> InputFile:
    return InputFile(str(path), path.stat().st_size, partial(_open_local, path))


def _open_local(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Check the file and its permissions.") from error


def _find_objects(location: str, suffixes: tuple[str, ...], settings: Settings) -> tuple[InputFile, ...]:
    bucket, _, key = location.partition("/")
    objects = open_objects(f"s3://{bucket}", settings)
    is_pattern = not _WILDCARDS.isdisjoint(key)
    if not is_pattern and key and not key.endswith("/") and objects.size(key) is not None:
        return (_object_file(objects, key),)
    folder = str(PurePosixPath(key).parent) if is_pattern else key.rstrip("/")
    folder = "" if folder == "." else folder
    inside = [found for found in objects.list(folder) if str(PurePosixPath(found).parent) in (folder, folder or ".")]
    wanted = [found for found in inside if _is_data(PurePosixPath(found).name, suffixes) and (not is_pattern or fnmatchcase(found, key))]
    if not wanted:
        raise _nothing_in(f"s3://{location}", suffixes)
    return tuple(_object_file(objects, found) for found in sorted(wanted))


def _object_file(objects: Objects, key: str) -> InputFile:
    # A pyarrow file has the methods of a Python one that zipfile, gzip and Parquet ask for.
    return InputFile(f"{objects.root.rstrip('/')}/{key}", objects.size(key) or 0, lambda: cast(BinaryIO, objects.input(key)))


def _is_data(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes) and not name.startswith((".", "_"))


def _missing(location: str, path: Path, suffixes: tuple[str, ...]) -> SourceError:
    if not path.parent.is_dir():
        return SourceError(f"There is no {location}: its folder does not exist either.")
    entries = [entry.name for entry in path.parent.iterdir() if entry.is_dir() or _is_data(entry.name, suffixes)]
    hint = did_you_mean(path.name, entries) if entries else f"Its folder holds nothing that treering reads ({', '.join(suffixes)})."
    return SourceError(f"There is no {location}. {hint}")


def _nothing_in(location: str, suffixes: tuple[str, ...]) -> SourceError:
    return SourceError(f"{location} names no file that treering reads ({', '.join(suffixes)}). Check the path.")
