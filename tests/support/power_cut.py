"""A disk that remembers what was flushed, and shows what a power cut at any moment could leave."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from treering.storage.local_objects import Disk


@dataclass
class Durable:
    """What is certain to be on the disk, and the changes of names that may be.

    Attributes:
        content: by file, the bytes it had when it was flushed; a file has the same number under every name.
        names: the names that are certain; a folder's is None.
        pending: changes of names since their folder was flushed: a name, and what it stands for; a removed one stands for "gone".
    """

    content: dict[int, bytes] = field(default_factory=dict)
    names: dict[Path, int | None] = field(default_factory=dict)
    pending: list[tuple[Path, int | str | None]] = field(default_factory=list)

    def states(self) -> Iterator[dict[Path, bytes]]:
        """Every state with none of the pending changes, with one of them alone, and with all."""
        yield self._files([])
        for change in self.pending:
            yield self._files([change])
        yield self._files(self.pending)

    def _files(self, changes: list[tuple[Path, int | str | None]]) -> dict[Path, bytes]:
        names: dict[Path, int | str | None] = self.names | dict(changes)
        folders = {path for path, file in names.items() if file is None}
        return {path: self.content.get(file, b"") for path, file in names.items() if isinstance(file, int) and _is_reachable(path, folders)}


def _is_reachable(path: Path, folders: set[Path]) -> bool:
    return all(parent in folders for parent in path.parents if parent != Path())


@dataclass
class RememberingDisk(Disk):
    """Changes the disk below a root, and keeps account of what a power cut would leave."""

    root: Path
    durable: Durable = field(default_factory=Durable)
    moments: list[tuple[str, list[dict[Path, bytes]]]] = field(default_factory=list)

    def create(self, path: Path) -> BinaryIO:
        file = super().create(path)
        self._name(path, path.stat().st_ino)
        return file

    def fsync(self, file: BinaryIO) -> None:
        super().fsync(file)
        path = Path(file.name)
        self.durable.content[path.stat().st_ino] = path.read_bytes()
        self.note("")

    def link(self, source: Path, target: Path) -> None:
        super().link(source, target)
        self._name(target, target.stat().st_ino)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._name(target, target.stat().st_ino)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._name(path, "gone")

    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        self._name(path, None)

    def fsync_folder(self, path: Path) -> None:
        super().fsync_folder(path)
        here = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        flushed = [(name, file) for name, file in self.durable.pending if name.parent == here]
        self.durable.pending = [change for change in self.durable.pending if change not in flushed]
        self.durable.names |= {name: file for name, file in flushed if not isinstance(file, str)}
        for name, file in flushed:
            if isinstance(file, str):
                self.durable.names.pop(name, None)
        self.note("")

    def note(self, what: str) -> None:
        """Take down what a power cut at this moment could leave, and what was acknowledged at it."""
        self.moments.append((what, list(self.durable.states())))

    def _name(self, path: Path, file: int | str | None) -> None:
        self.durable.pending.append((path.relative_to(self.root), file))
        self.note("")


def restore(files: dict[Path, bytes], root: Path) -> None:
    """Write what a power cut left."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
