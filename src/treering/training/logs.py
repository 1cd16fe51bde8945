"""The output of a job in numbered pieces, written while it runs, so that any process can read along."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from treering.errors import ObjectNotFoundError, TreeringError
from treering.storage.objects import Objects, create_own

_READERS = 8
# A piece a second at first; a job of hours writes one in ten, so that a day's output is some 9,000 objects at most.
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, _SLOWER_AFTER_SECONDS = 1.0, 10.0, 120.0
_MOST_WAITING_BYTES = 64 * 1024**2


class LogWriter:
    """Takes a child's output as it comes and writes what has gathered as the next piece, when one is due.

    Args:
        objects: where to.
        folder: of the pieces, whose names are numbers.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects, self._folder = objects, folder
        self._waiting, self._lock = bytearray(), threading.Lock()
        # A write that was not answered may have landed, so it is repeated with the bytes it had.
        self._piece = b""
        self._number, self._due_seconds = 1, 0.0
        self._complaint, self._dropped_bytes = "", 0

    def add(self, output: bytes) -> None:
        """Take output; where storage stays away for so long that memory would run out, it is dropped and counted."""
        with self._lock:
            if len(self._waiting) < _MOST_WAITING_BYTES:
                self._waiting += output
            else:
                self._dropped_bytes += len(output)

    def keep(self, seconds: float) -> None:
        """Write the next piece if there is something to write and it is time.

        Args:
            seconds: since the job started.
        """
        if seconds >= self._due_seconds and self._write():
            pause = min(max(seconds / _SLOWER_AFTER_SECONDS, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            self._due_seconds = seconds + pause

    def close(self) -> str:
        """Write what is left; says what was lost, if something was."""
        while self._write():
            pass
        dropped = f" {self._dropped_bytes:,} bytes of its output were too many to hold." if self._dropped_bytes else ""
        return dropped + (f" Its output could not be kept: {self._complaint}" if self._piece else "")

    def _write(self) -> bool:
        with self._lock:
            if not self._piece:
                self._piece, self._waiting = bytes(self._waiting), bytearray()
        if not self._piece:
            return False
        key = _key(self._folder, self._number)
        try:
            if not create_own(self._objects, key, self._piece):
                self._complaint = f"{self._objects.uri(key)} is another's."
                return False
        except (TreeringError, OSError) as error:
            self._complaint = str(error)
            return False
        self._piece, self._number = b"", self._number + 1
        return True


class LogReader:
    """Reads a job's output from its beginning, piece after piece.

    Args:
        objects: where from.
        folder: of the pieces.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects, self._folder = objects, folder
        self._number, self._begun = 1, b""

    def new_lines(self) -> Iterator[str]:
        """Give the lines that are there by now and were not given before; one that has no end yet waits for it."""
        while (piece := self._next()) is not None:
            *lines, self._begun = (self._begun + piece).split(b"\n")
            yield from map(_text, lines)

    def last_line(self) -> Iterator[str]:
        """Give the line that never got an end, if there is one."""
        if self._begun:
            yield _text(self._begun)

    def _next(self) -> bytes | None:
        try:
            piece = self._objects.read(_key(self._folder, self._number))
        except ObjectNotFoundError:
            return None
        self._number += 1
        return piece


def read_log(objects: Objects, folder: str) -> str:
    """Read all output that is there by now."""
    with ThreadPoolExecutor(_READERS, thread_name_prefix="treering-logs") as pool:
        return b"".join(pool.map(objects.read, objects.list(folder))).decode("utf-8", "replace")


def _key(folder: str, number: int) -> str:
    return f"{folder}/{number:08d}.txt"


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")
