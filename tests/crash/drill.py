"""Kills a piece of work at one point after another, and checks what each kill left behind. A program, so that it forks with one thread.

Usage: drill.py folder|s3 ROOT SCENARIO [--only KINDS] [--random N --seed N] [--bug NAME]
"""

import argparse
import json
import random
import re
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crash.bugs import BUGS, NONE, Bug
from crash.scenarios import SCENARIOS, Scenario
from support.children import Say, in_child, warm_up
from support.killing import KillingDisk, KillingObjects, Trap
from treering.settings import Settings
from treering.storage.local_objects import LocalObjects
from treering.storage.roots import open_objects

Point = tuple[str, int]
"""A point, and at which time of passing it."""


@dataclass
class Outcome:
    """What a drill came to.

    Attributes:
        points: every point that an unharmed run passes, in order.
        hit: the points at which a run was killed.
        landed: how many of the killed runs were visible afterwards.
        violations: what was wrong after a kill.
    """

    points: list[str] = field(default_factory=list)
    hit: list[str] = field(default_factory=list)
    landed: int = 0
    violations: list[str] = field(default_factory=list)


class FolderPlace:
    """One store on a folder, put back to where it began after every kill."""

    def __init__(self, root: str, scenario: Scenario, bug: Bug) -> None:
        self._template, self._store, self._bug = Path(root) / "template", Path(root) / "store", bug
        self.before = 0
        _must_succeed(lambda say: scenario.prepare(str(self._store)))
        shutil.copytree(self._store, self._template)

    def next(self) -> str:
        shutil.rmtree(self._store)
        shutil.copytree(self._template, self._store)
        return str(self._store)

    def trapped(self, trap: Trap) -> Any:
        return self._bug.objects(LocalObjects(str(self._store), self._bug.disk(KillingDisk(trap))))


class BucketPlace:
    """Stores on S3; each goes on from kill to kill, and after a few a new one is begun."""

    KILLS_A_STORE = 5

    def __init__(self, root: str, scenario: Scenario, bug: Bug) -> None:
        self._root, self._scenario, self._kills = root, scenario, -1
        self.before = 0

    def next(self) -> str:
        self._kills += 1
        # The first store is for the run that nobody kills.
        number, self.before = divmod(self._kills + self.KILLS_A_STORE - 1, self.KILLS_A_STORE) if self._kills else (0, 0)
        self._store = f"{self._root}/{number}"
        if self.before == 0:
            _must_succeed(lambda say: self._scenario.prepare(self._store))
        return self._store

    def trapped(self, trap: Trap) -> Any:
        return KillingObjects(open_objects(self._store, Settings()), trap)


PLACES: dict[str, type[FolderPlace | BucketPlace]] = {"folder": FolderPlace, "s3": BucketPlace}


def drill(place: FolderPlace | BucketPlace, scenario: Scenario, bug: Bug, choose: Callable[[list[str]], list[Point]]) -> Outcome:
    """Let one run through, then kill others at the chosen points, and check what each left in yet another process."""
    place.next()
    said, ending = _run(place, scenario, None)
    assert (ending, said[-1:]) == (0, ["acknowledged"]), said
    outcome = Outcome(points=said[0])
    for at in choose(outcome.points):
        root = place.next()
        said, ending = _run(place, scenario, at)
        assert (ending, said) == (-signal.SIGKILL, [at[0]]), f"the run to be killed at {at} ended with {ending} after {said}"
        outcome.hit += said
        found, ending = in_child(lambda say, root=root: scenario.check(root, place.before, bug.retried, say))
        outcome.landed += found[:1] == ["landed"]
        if ending != 0:
            outcome.violations.append(f"{at}: the check ended with {ending} after {found}")
    return outcome


def _run(place: FolderPlace | BucketPlace, scenario: Scenario, at: Point | None) -> tuple[list[Any], int]:
    def work(say: Say) -> None:
        trap = Trap(at, say)
        scenario.act(place.trapped(trap), place.before)
        trap.reach("after", "everything", "")
        say(trap.passed)
        say("acknowledged")

    return in_child(work)


def _must_succeed(work: Callable[[Say], None]) -> None:
    _, ending = in_child(work)
    assert ending == 0, "the preparation failed"


def _some(wanted: list[Point], count: int, chance: random.Random) -> list[Point]:
    """Choose a kind of point first, then one of that kind: an ingestion reads far more often than it writes."""
    kinds = sorted({point for point, _ in wanted})
    return [chance.choice([one for one in wanted if one[0] == kind]) for kind in chance.choices(kinds, k=count)]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("place", choices=sorted(PLACES))
    parser.add_argument("root")
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--only", default="", help="a pattern of points")
    parser.add_argument("--random", type=int, help="so many points by chance, instead of every one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug", choices=sorted(BUGS), default="none")
    asked = parser.parse_args(arguments)

    def choose(points: list[str]) -> list[Point]:
        wanted = [(point, points[:number].count(point) + 1) for number, point in enumerate(points) if re.search(asked.only, point)]
        return wanted if asked.random is None else _some(wanted, asked.random, random.Random(asked.seed))

    warm_up()
    scenario, bug = SCENARIOS[asked.scenario], BUGS.get(asked.bug, NONE)
    outcome = drill(PLACES[asked.place](asked.root, scenario, bug), scenario, bug, choose)
    sys.stdout.write(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(sys.argv[1:])
