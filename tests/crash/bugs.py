"""Bugs that a drill has to find: without them, a drill that finds nothing proves nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from treering.storage.local_objects import Disk


@dataclass(frozen=True)
class Bug:
    """A mistake, planted into what a run writes through or into how it is retried."""

    disk: Callable[[Disk], Disk] = lambda disk: disk
    objects: Callable[[Any], Any] = lambda objects: objects
    retried: Callable[[str], str] = lambda token: token


class DataAfterCommit:
    """Writes what is streamed only when the hint is put, which is after the commit."""

    def __init__(self, objects: Any) -> None:
        self._objects, self._late = objects, dict[str, bytes]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    @contextmanager
    def output(self, key: str) -> Iterator[BinaryIO]:
        buffer = BytesIO()
        buffer.close = lambda: None  # type: ignore[method-assign]  # a writer closes what it wrote to
        yield buffer
        self._late[key] = buffer.getvalue()

    def size(self, key: str) -> int | None:
        return len(self._late[key]) if key in self._late else self._objects.size(key)

    def put(self, key: str, data: bytes) -> None:
        while self._late:
            self._objects.create(*self._late.popitem())
        self._objects.put(key, data)


class InPlace:
    """Writes objects under their own names instead of linking what is whole."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def link(self, source: Path, target: Path) -> None:
        with self._disk.create(target) as file:
            file.write(source.read_bytes())
            self._disk.fsync(file)


NONE = Bug()
BUGS = {
    "none": NONE,
    "data-after-commit": Bug(objects=DataAfterCommit),
    "written-in-place": Bug(disk=InPlace),  # type: ignore[arg-type]  # a disk in all but its class
    "token-unchecked": Bug(retried=lambda token: f"{token}, forgotten"),
}
