"""The child process of a training job, as its parent sees it: what it is given, how it is ended, what it died of."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import IO

from treering.errors import InvalidDefinitionError
from treering.recipes.derive import Derived
from treering.recipes.recipe import Recipe
from treering.training.worker import ERROR_PREFIX, Order

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
        # A group of its own: an interrupt at the keyboard is the parent's to answer, and what the child starts ends with it.
        # -P: a file in the working directory must not stand in for a module that the parent finds elsewhere.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "treering.training.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child_environment(order.root, os.environ),
            start_new_session=True,
        )
        self._has_ended = threading.Event()
        with suppress(BrokenPipeError), _opened(self._process.stdin) as stdin:
            stdin.write(json.dumps(order.to_json()).encode())

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._process.pid

    def lines(self, log: IO[bytes]) -> Iterator[str]:
        """Give each line that the child prints, until it has closed its output; the bytes go to the log."""
        with _opened(self._process.stdout) as output:
            for raw in output:
                log.write(raw)
                yield raw.decode("utf-8", "replace").rstrip("\r\n")

    def wait(self) -> int:
        """Wait for the child's end and return its exit code, negative for a signal."""
        exit_code = self._process.wait()
        self._has_ended.set()
        return exit_code

    def stop(self, patience_seconds: float) -> None:
        """Ask the child to end, and kill it and all that it started unless another thread's `wait` returns in time."""
        self._signal(signal.SIGTERM)
        # Not the process's own end: what it started may outlive it and hold its output open, and so whoever reads that.
        if not self._has_ended.wait(patience_seconds):
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        # Once the child has been waited for, its number may be that of a stranger's group.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


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


def last_words(so_far: str, line: str) -> str:
    """Keep the line in which a child says why it gives up; until there is one, the last line that says anything."""
    if line.startswith(ERROR_PREFIX):
        return line
    return so_far if so_far.startswith(ERROR_PREFIX) or not line.strip() else line


def reason_of(exit_code: int, words: str) -> str:
    """Say what a child died of.

    Args:
        exit_code: not 0; negative for a signal.
        words: its last.
    """
    if exit_code < 0:
        hint = "; out of memory?" if exit_code == -signal.SIGKILL else ""
        return f"The child process was killed by signal {-exit_code} ({signal.strsignal(-exit_code)}{hint})."
    return f"{words.removeprefix(ERROR_PREFIX) or 'The child process said nothing'} (exit code {exit_code})"
