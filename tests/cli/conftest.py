"""A command line to type into, and files to type about."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from treering.cli.main import main

WEATHER = """origin,observed_at,temp,visib
EWR,2013-02-08T15:00Z,30,10
EWR,2013-02-08T16:00Z,29,NA
EWR,2013-02-08T17:00Z,28,0.25
JFK,2013-02-08T15:00Z,31,9
"""
FLIGHTS = """origin,departs,carrier,late
EWR,2013-02-08T16:30Z,UA,0
EWR,2013-02-08T17:30Z,B6,1
JFK,2013-02-08T17:30Z,UA,1
LGA,2013-02-08T17:30Z,B6,0
"""


@dataclass(frozen=True)
class Printed:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Type = Callable[..., Printed]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Type:
    def typed(*arguments: object) -> Printed:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Printed(int(exit_.value.code or 0), printed.out, printed.err)

    return typed


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two CSV files in it."""
    monkeypatch.chdir(tmp_path)
    # --functions adds the folder of its file, which a later test's child would import from.
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "weather.csv").write_text(WEATHER, "utf-8")
    (tmp_path / "flights.csv").write_text(FLIGHTS, "utf-8")
    return tmp_path


@pytest.fixture
def store(files: Path, run: Type) -> str:
    """A store with the weather in it, and a view of it, made by commands alone."""
    assert run("init", "store").code == 0
    how = ("--like", "weather.csv", "--entity", "origin", "--event-time", "observed_at", "--null", "NA", "--available-after", "1h")
    assert run("group", "create", "weather", *how, "--description", "Hourly weather", "--tag", "domain=flights", "--store", "store").code == 0
    assert run("group", "ingest", "weather", "weather.csv", "--null", "NA", "--store", "store").code == 0
    assert run("view", "create", "late", "-l", "weather:on=origin:features=temp,visib:max_age=6h", "--store", "store").code == 0
    return "store"
