"""Starting: what it costs to start the interpreter on a line of code."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def make_nothing(data: Path, scale: float) -> None:
    """Make no data."""


def python(data: Path, scratch: Path, *, code: str) -> Callable[[], None]:
    """Start the interpreter on a line of code, and wait until it has ended."""

    def work() -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    return work


def nothing(result: None) -> None:
    """Answer nothing: what is started has no result."""
