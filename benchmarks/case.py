"""What a benchmark is: data, contestants that do the same work with it, and what is aimed at."""

from dataclasses import dataclass
from typing import Literal

Quantity = Literal["seconds", "cpu_seconds", "peak_mb"]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work.

    Attributes:
        name: as tables show it.
        prepare: "module:function"; called in a child process as `function(data, scratch, **arguments)` with two folders, it
            opens what it needs and returns a callable without arguments. Only that callable is measured.
        arguments: keyword arguments for `prepare`, as JSON.
        note: settings that a reader has to know to judge the figure.
    """

    name: str
    prepare: str
    arguments: tuple[tuple[str, str | int], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at.

    Attributes:
        quantity: what is compared.
        contestant: whose it is.
        versus: the contestant that it is divided by, round by round; None compares the figure itself.
        at_most: the limit.
    """

    quantity: Quantity
    contestant: str
    versus: str | None
    at_most: float

    @property
    def text(self) -> str:
        """The target in words."""
        what = {"seconds": "time", "cpu_seconds": "processor time", "peak_mb": "peak memory"}[self.quantity]
        if self.versus is not None:
            return f"{what} of {self.contestant} / {what} of {self.versus} at most {self.at_most:g}"
        unit = {"seconds": "s", "cpu_seconds": "s", "peak_mb": "MB"}[self.quantity]
        return f"{what} of {self.contestant} at most {self.at_most:g} {unit}"


@dataclass(frozen=True, slots=True)
class Case:
    """One benchmark.

    Attributes:
        name: for the command line.
        title: what is done, with the sizes at full scale.
        make: "module:function"; called in a child process as `function(data, scale)`, it fills a folder.
        contestants: measured in turn, round by round.
        answer: "module:function"; turns a contestant's result into JSON.
        targets: what is aimed at.
        notes: what a reader has to know about the data and the rules.
        same_answers: the contestants whose answers have to be equal; empty means all of them.
    """

    name: str
    title: str
    make: str
    contestants: tuple[Contestant, ...]
    answer: str
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    same_answers: tuple[str, ...] = ()
