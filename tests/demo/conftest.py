"""The demo, run once on two weeks of flights, by another process that writes to a pipe."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from support import thin_flights
from treering.demo import flights, place
from treering.store import Store
from treering.training_sets.training_set import TrainingSet

RUN = """
import sys
from pathlib import Path
from rich.console import Console
from support.thin_flights import SPLIT
from treering.demo.run import run_in_folder
from treering.demo.screen import Screen
run_in_folder(Path(sys.argv[1]), Path(sys.argv[2]), Screen(Console(highlight=False)), SPLIT)
"""


@dataclass(frozen=True)
class Shown:
    """What a run of the demo left and printed."""

    folder: Path
    printed: str
    errors: str

    @property
    def store(self) -> Store:
        return Store(self.folder, read_only=True)

    @property
    def training_set(self) -> TrainingSet:
        return self.store.training_sets.get("late-arrivals")

    @property
    def flights(self) -> pd.DataFrame:
        return flights.read_flights(self.store)


@pytest.fixture(scope="session")
def thin_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return thin_flights.write_thin_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def shown(thin_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("demo") / "store"
    place.prepare_folder(folder)
    (folder / "left-by-an-earlier-demo").touch()
    run = subprocess.run([sys.executable, "-c", RUN, folder, thin_data], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert run.returncode == 0, run.stderr
    return Shown(folder, run.stdout, run.stderr)
