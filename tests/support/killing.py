"""A disk and a bucket that end their own process at a chosen moment, and say where that was."""

import io
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from treering.storage.local_objects import Disk

_KINDS = (
    (r"/data/|/data$", "data"),
    (r"/quarantine/|/quarantine$", "quarantine"),
    (r"/recipes/|/recipes$", "recipe"),
    (r"/statistics/|/statistics$", "statistics"),
    (r"feature-groups/[^/]+/contents(/|$)", "size of contents"),
    (r"-m0\.avro", "manifest"),
    (r"/\.?snap-", "manifest list"),
    (r"/\.?history-", "history"),
    (r"metadata\.json", "metadata"),
    (r"version-hint", "hint"),
    (r"/metadata$", "metadata folder"),
    (r"(^|/)documents(/|$)", "document"),
)


def kind_of(path: str) -> str:
    """What an object of a store is for."""
    return next((kind for pattern, kind in _KINDS if re.search(pattern, path)), "other")


@dataclass
class Trap:
    """Notes the points at which a process could die, and ends the process at the chosen one.

    Attributes:
        at: a point, and at which time of passing it; None lets the process through.
        say: called with the point just before the end.
        passed: the points so far.
    """

    at: tuple[str, int] | None = None
    say: Callable[[str], None] = lambda text: None
    passed: list[str] = field(default_factory=list)

    def reach(self, stage: str, operation: str, path: object) -> None:
        point = f"{stage} {operation} {kind_of(str(path))}"
        self.passed.append(point)
        if self.at == (point, self.passed.count(point)):
            self.say(point)
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, operation: str, path: object) -> None:
        """Stand before an operation; that is the same moment as after the one that came before."""
        self.reach("before", operation, path)


class KillingDisk(Disk):
    """Every call that changes the disk passes the trap first; a write of bytes passes it again half-way."""

    def __init__(self, trap: Trap) -> None:
        self._trap = trap

    def create(self, path: Path) -> BinaryIO:
        self._trap.before("create", path)
        return io.BufferedWriter(_TrappedFile(path, self._trap), 1024 * 1024)

    def fsync(self, file: BinaryIO) -> None:
        file.flush()
        self._trap.before("fsync", file.name)
        super().fsync(file)

    def link(self, source: Path, target: Path) -> None:
        self._trap.before("link", target)
        super().link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        self._trap.before("rename", target)
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._trap.before("unlink", path)
        super().unlink(path)

    def make_folder(self, path: Path) -> None:
        self._trap.before("make folder", path)
        super().make_folder(path)

    def fsync_folder(self, path: Path) -> None:
        self._trap.before("fsync folder", path)
        super().fsync_folder(path)


class _TrappedFile(io.FileIO):
    def __init__(self, path: Path, trap: Trap) -> None:
        super().__init__(path, "xb")
        self._path, self._trap = path, trap

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        half = len(view) // 2
        self._trap.before("write", self._path)
        super().write(view[:half])
        self._trap.reach("halfway through", "write", self._path)
        super().write(view[half:])
        return len(view)


class KillingObjects:
    """Every request passes the trap first."""

    def __init__(self, objects: Any, trap: Trap) -> None:
        self._objects, self._trap = objects, trap

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._objects, name)
        if name not in {"read", "size", "create", "put", "list", "delete", "input"}:
            return method

        def trapped(key: Any, *arguments: Any) -> Any:
            self._trap.before(name, key)
            return method(key, *arguments)

        return trapped

    @contextmanager
    def output(self, key: str) -> Iterator[BinaryIO]:
        self._trap.before("output", key)
        with self._objects.output(key) as file:
            yield file
            self._trap.reach("at the end of", "output", key)
