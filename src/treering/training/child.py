"""The child process of a training job, as its parent sees it: what it is given, how it is ended, what it died of."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import IO

from treering.errors import InvalidDefinitionError
from treering.recipes.derive import Derived
from treering.recipes.recipe import Recipe
from treering.training.announcements import Announcement
from treering.training.resources import ResourceUse, death_text, maximum_rss_bytes, peak_memory_of
from treering.training.worker import Order

# What a child may know of its parent's environment: where programs and temporary files are, how text is written, how
# many threads to use. Everything else may be a secret; credentials go along only where the store needs them.
_INHERITED = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")
_INHERITED_PREFIXES = ("LC_", "OMP_")
_INHERITED_FOR_S3 = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
_INHERITED_PREFIXES_FOR_S3 = ("AWS_", "SSL_CERT_")


class Child:
    """A running worker, in a process group of its own."""

    def __init__(self, order: Order) -> None:
        """Start the worker and give it its order.

        Raises:
            OSError: if no process can be started.
        """
        ours, theirs = os.pipe()
        self._began = time.monotonic()
        with ExitStack() as opened:
            self._announced = opened.enter_context(os.fdopen(ours, "rb"))
            try:
                self._process = _spawn(order, theirs)
            finally:
                os.close(theirs)
            opened.pop_all()
        # The system counts our own memory as the child's until the child became its program.
        self._inherited_peak, self._peak = peak_memory_of("self"), 0
        self._asked, self._has_ended = threading.Lock(), threading.Event()
        with suppress(BrokenPipeError), _opened(self._process.stdin) as stdin:
            stdin.write(json.dumps(order.to_json()).encode())

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._process.pid

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._began

    def output(self) -> Iterator[bytes]:
        """Give each line that the child prints, with its end, until it has closed its output."""
        with _opened(self._process.stdout) as output:
            yield from output

    def announcements(self) -> Iterator[Announcement]:
        """Give what the child announces, until it has gone; what it started and left behind is killed then."""
        with self._announced as pipe:
            for line in pipe:
                announcement = Announcement.from_line(line)
                self._peak = max(self._peak, announcement.peak_memory_bytes)
                yield announcement
        # Such as a script whose worker was killed: it would hold the output open.
        self.kill()

    def look_at_memory(self) -> None:
        """Note how much memory the child took so far: once it was killed, nobody can ask it."""
        self._peak = max(self._peak, peak_memory_of(self.pid))

    def wait(self) -> tuple[int, ResourceUse]:
        """Wait for the child's end; gives its exit code, negative for a signal, and what it used."""
        _, status, usage = os.wait4(self.pid, 0)
        exit_code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self._has_ended.set()
        accounted = maximum_rss_bytes(usage)
        peak = accounted if accounted > self._inherited_peak else self._peak or accounted
        return exit_code, ResourceUse(self.seconds, usage.ru_utime, usage.ru_stime, peak)

    def stop(self, patience_seconds: float) -> None:
        """Ask the child to end, and kill it and all that it started unless another thread's `wait` returns in time."""
        self.ask_to_end()
        # Not the process's own end: what it started may outlive it and hold its output open, and so whoever reads that.
        if not self._has_ended.wait(patience_seconds):
            self.kill()

    def ask_to_end(self) -> None:
        """Ask the child and all that it started to end; once, for a script may be busy saving its model when it is asked again."""
        if self._asked.acquire(blocking=False):
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the child and all that it started."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        # Once the child has been waited for, its number may be that of a stranger's group.
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def _spawn(order: Order, announcing: int) -> "subprocess.Popen[bytes]":
    # A group of its own: an interrupt at the keyboard is the parent's to answer, and what the child starts ends with it.
    # -P: a file in the working directory must not stand in for a module that the parent finds elsewhere.
    return subprocess.Popen(  # noqa: S603  # Our own module, by our own interpreter.
        [sys.executable, "-P", "-m", "treering.training.worker", str(announcing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=child_environment(order.root, os.environ),
        pass_fds=(announcing,),
        start_new_session=True,
    )


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def child_environment(root: str, parent: Mapping[str, str]) -> dict[str, str]:
    """Choose what the child of a store's job may know of its parent's environment."""
    on_s3 = root.startswith("s3://")
    names = _INHERITED + (_INHERITED_FOR_S3 if on_s3 else ())
    prefixes = _INHERITED_PREFIXES + (_INHERITED_PREFIXES_FOR_S3 if on_s3 else ())
    inherited = {name: value for name, value in parent.items() if name in names or name.startswith(prefixes)}
    # The child imports what its parent can, functions of recipes above all; "" in the path is the working directory.
    paths = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100
    # By default XGBoost's threads spin while they wait for each other; on a machine that has other work, five times as long.
    return {"OMP_WAIT_POLICY": "PASSIVE"} | inherited | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def functions_of(recipe: Recipe | None) -> dict[str, str]:
    """Say from which module a child can import each function that a recipe runs.

    Raises:
        InvalidDefinitionError: for a function that another process cannot import.
    """
    modules: dict[str, str] = {}
    for step in () if recipe is None else recipe.steps:
        if isinstance(step, Derived):
            name, module = step.function_name, _module_of(step)
            if modules.setdefault(name, module) != module:
                raise InvalidDefinitionError(f"The recipe has two functions called {name!r}, from {modules[name]} and from {module}. Rename one.")
    return modules


def _module_of(step: Derived) -> str:
    module = step.function.__module__
    places = {"in the script or notebook that runs": module == "__main__", "inside another function": "<locals>" in step.function_name}
    for place, is_there in places.items():
        if is_there:
            raise InvalidDefinitionError(
                f"The recipe's function {step.function_name!r} is defined {place}, and training runs in a process of its own, which cannot import it. "
                "Move it to the top of a module, such as a file features.py beside your script, and import it from there."
            )
    return module


def reason_of(exit_code: int, used: ResourceUse, said: str, last_line: str, *, kills: int = 0) -> str:
    """Say what a child died of.

    Args:
        exit_code: not 0; negative for a signal.
        used: by the child.
        said: why it gave up; empty if it did not say.
        last_line: the last thing that it printed.
        kills: how many processes the system killed for want of memory meanwhile.
    """
    if exit_code < 0:
        return death_text("The child process", -exit_code, used.peak_memory_bytes, kills=kills)
    return said or f"{last_line or 'The child process said nothing'} (exit code {exit_code})"
