"""A query's child process as its parent holds it: started with nothing, listened to, ended without fail."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from types import TracebackType
from typing import IO, Self

from treering.errors import SqlError
from treering.sql.order import END, ERROR, QueryLimits

# What an answer's schema and the frames of its batches may take beside its rows.
_FRAME_BYTES = 64 * 1024**2
_GRACE_SECONDS = 1.0
_LAST_WORDS = 300


class Child:
    """Runs from `with` to its end, and not a moment longer.

    Args:
        descriptor: of the file that the child may read.
        limits: after how long it is killed, and how much it may send.
    """

    def __init__(self, descriptor: int, limits: QueryLimits) -> None:
        self._limits = limits
        with ExitStack() as opened:
            folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="treering-sql-"))
            # A file, for a pipe that nobody reads in time would stop the child when it is full.
            self._stderr = opened.enter_context(tempfile.TemporaryFile(prefix="treering-sql-"))
            self._channel, theirs = Pipe()
            opened.enter_context(self._channel)
            with theirs:
                self._process = _spawn(folder, (theirs.fileno(), descriptor), self._stderr)
            self._opened = opened.pop_all()
        self._timed_out = threading.Event()
        self._alarm = threading.Timer(limits.timeout_seconds, self._time_out)
        self._alarm.start()

    @property
    def pid(self) -> int:
        """The child's process id, which is its process group's too."""
        return self._process.pid

    def answers(self) -> Iterator[tuple[bytes, bytes]]:
        """Give what the child says, the kind and the content of each answer, until it has said all.

        Raises:
            SqlError: with the child's reason for giving up, or what ended it.
        """
        while True:
            try:
                kind = self._channel.recv_bytes(maxlength=16)
                content = self._channel.recv_bytes(maxlength=self._limits.maximum_bytes + _FRAME_BYTES)
            except (EOFError, OSError):
                raise self._ended() from None
            if kind == ERROR:
                raise SqlError(content.decode("utf-8", "replace"))
            if kind == END:
                return
            yield kind, content

    def tell(self, message: bytes) -> None:
        """Send the child a message.

        Raises:
            SqlError: if it has ended.
        """
        try:
            self._channel.send_bytes(message)
        except OSError:
            raise self._ended() from None

    def check_time(self) -> None:
        """Give up where the time is over.

        Raises:
            SqlError: if it is.
        """
        if self._timed_out.is_set():
            raise self._ended()

    def _time_out(self) -> None:
        self._timed_out.set()
        self._kill()

    def _kill(self) -> None:
        # The id of a process that was waited for can be another's already.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _ended(self) -> SqlError:
        """Say why the child ended before it had said all."""
        self._alarm.cancel()
        self._alarm.join()
        if self._timed_out.is_set():
            seconds = f"{self._limits.timeout_seconds:g} seconds"
            return SqlError(f"The query took longer than {seconds} and was ended. Select less, or raise timeout_seconds.")
        try:
            code = self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            code = self._process.wait()
        self._stderr.seek(0)
        last_words = self._stderr.read().decode("utf-8", "replace").strip().rpartition("\n")[2][:_LAST_WORDS]
        if code < 0:
            return SqlError(f"DuckDB's process was ended by signal {-code} ({signal.Signals(-code).name}): perhaps memory or time ran out. Select less.")
        return SqlError(f"DuckDB's process failed (exit code {code}): {last_words or 'it said nothing'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._alarm.cancel()
        self._alarm.join()
        self._kill()
        self._process.wait()
        self._opened.close()


def _spawn(folder: str, descriptors: tuple[int, int], stderr: IO[bytes]) -> "subprocess.Popen[bytes]":
    # -P: a file in a folder that happens to be the working directory must not stand in for a module.
    command = [sys.executable, "-P", "-m", "treering.sql.worker", *map(str, descriptors)]
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=descriptors,
        cwd=folder,
        env=environment(folder, os.environ),
        # Its own process group, so that an interrupt at the keyboard is the parent's to answer.
        start_new_session=True,
    )


def environment(folder: str, parent: Mapping[str, str]) -> dict[str, str]:
    """Choose what a child may know of its parent's environment: where modules and libraries are, and nothing else."""
    inherited = {name: parent[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in parent}
    paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100  # "" is the working directory.
    return inherited | {"PYTHONPATH": os.pathsep.join(paths), "HOME": folder, "TMPDIR": folder, "TZ": "UTC", "LANG": "C.UTF-8"}
