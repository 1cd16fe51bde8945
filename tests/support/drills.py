"""Runs the crash drill as a program, and reads what it came to."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Drill:
    """The outcome of a drill: see `crash.drill.Outcome`."""

    points: list[str]
    hit: list[str]
    landed: int
    violations: list[str]

    @property
    def kinds(self) -> set[str]:
        """What the objects were for before whose operations a run was killed."""
        return {point.split(maxsplit=1)[1] for point in self.hit}

    def show(self, title: str) -> None:
        """Print how often a run was killed at which point."""
        print(f"\n{title}: {len(self.hit)} kills at {len(set(self.hit))} kinds of point, {self.landed} had landed, {len(self.violations)} violations")  # noqa: T201
        for point, count in sorted(Counter(self.hit).items()):
            print(f"  {count:>3} x {point}")  # noqa: T201


def run_drill(*arguments: str | Path) -> Drill:
    # What the package is imported from, a copy with a planted bug perhaps, is for the caller's environment to say.
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, str(TESTS / "crash" / "drill.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=False)
    assert done.returncode == 0, done.stderr
    return Drill(**json.loads(done.stdout))
