"""Measures cases: every run in a process of its own, contestants in turn, round after round.

Nothing heavy is imported here: a child's peak memory starts from that of the process which started it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from case import Case, Contestant, Quantity, Target

_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run of one contestant."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    peak_before_mb: float
    answer: Any


def measure(case: Case, folder: Path, *, rounds: int, scale: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Make a case's data and run its contestants `rounds` times each, after one round that is not counted.

    Args:
        case: what to measure.
        folder: for data, which are used again if they are there, and for scratch.
        rounds: runs of each contestant.
        scale: 1 for the sizes in the title.
        say: shows progress.

    Returns:
        The case's part of `results/latest.json`.
    """
    data = folder / f"{case.make.partition(':')[0]}-{case.make.partition(':')[2]}-{scale:g}"
    _make(case, data, scale, say)
    runs: dict[str, list[Run]] = {contestant.name: [] for contestant in case.contestants}
    for number in range(rounds + 1):
        # Rotated, so that no contestant always follows the same one.
        turn = number % len(case.contestants)
        for contestant in (*case.contestants[turn:], *case.contestants[:turn]):
            measured = _run(case, contestant, data, folder)
            say(f"{case.name}: round {number} of {rounds}, {contestant.name}: {measured.seconds:.3f} s, {measured.peak_mb:,.0f} MB")
            if number:
                runs[contestant.name].append(measured)
    return _summary(case, runs)


def _make(case: Case, data: Path, scale: float, say: Callable[[str], None]) -> None:
    if (data / "made").exists():
        return
    say(f"{case.name}: making the data")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    _child("make", case.make, str(data), str(scale))
    (data / "made").touch()


def _run(case: Case, contestant: Contestant, data: Path, folder: Path) -> Run:
    with tempfile.TemporaryDirectory(dir=folder, prefix="scratch-") as scratch:
        printed = _child("run", contestant.prepare, case.answer, str(data), scratch, json.dumps(contestant.arguments))
    return Run(**json.loads(printed.splitlines()[-1]))


def _child(*arguments: str) -> str:
    done = subprocess.run([sys.executable, str(_CHILD), *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def _summary(case: Case, runs: dict[str, list[Run]]) -> dict[str, Any]:
    return {
        "name": case.name,
        "title": case.title,
        "notes": list(case.notes),
        "contestants": [_figures(contestant, runs[contestant.name]) for contestant in case.contestants],
        "answers": {name: measured[0].answer for name, measured in runs.items()},
        "answers_are_equal": _are_equal([run for name in case.same_answers or runs for run in runs[name]]),
        "targets": [_judged(target, runs) for target in case.targets],
    }


def _are_equal(runs: Sequence[Run]) -> bool:
    return all(run.answer == runs[0].answer for run in runs)


def _figures(contestant: Contestant, runs: Sequence[Run]) -> dict[str, Any]:
    quantities: tuple[Quantity, ...] = ("seconds", "cpu_seconds", "peak_mb")
    medians = {quantity: round(median(getattr(run, quantity) for run in runs), 4) for quantity in quantities}
    every = {f"all_{quantity}": [round(getattr(run, quantity), 4) for run in runs] for quantity in quantities}
    return {"name": contestant.name, "note": contestant.note, **medians, **every, "peak_before_mb": round(median(run.peak_before_mb for run in runs), 1)}


def _judged(target: Target, runs: dict[str, list[Run]]) -> dict[str, Any]:
    """Compare round by round: what else the machine did then weighs on both sides of a ratio."""
    ours = [getattr(run, target.quantity) for run in runs[target.contestant]]
    others = [1.0] * len(ours) if target.versus is None else [getattr(run, target.quantity) for run in runs[target.versus]]
    value = median(our / other for our, other in zip(ours, others, strict=True))
    return {"text": target.text, "value": round(value, 4), "at_most": target.at_most, "is_met": value <= target.at_most}
