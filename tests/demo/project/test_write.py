"""The demo's project file: it runs from its folder alone, makes what the demo makes, and makes nothing twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from treering.demo.project.write import FUNCTIONS, PROJECT, write_project
from treering.errors import AlreadyExistsError
from treering.store import Store

RUN = "import sys; from treering.cli.main import main; main(sys.argv[1:])"
# As `support.thin_flights` splits the two weeks.
DAYS = {"2013-10-01": "2013-01-09", "2013-11-15": "2013-01-12"}


def run(folder: Path) -> list[dict[str, Any]]:
    """Run the project in a process of its own, from elsewhere; what became of each thing."""
    command = [sys.executable, "-c", RUN, "run", str(folder / PROJECT), "--functions", str(folder / FUNCTIONS), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent)
    assert ended.returncode == 0, ended.stderr
    done: list[dict[str, Any]] = json.loads(ended.stdout)["done"]
    return done


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / PROJECT).read_text("utf-8")
    assert old in text
    (folder / PROJECT).write_text(text.replace(old, new), "utf-8")


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of the store with its size and the time at which it was written."""
    files = [file for file in (folder / "store").rglob("*") if file.is_file()]
    return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


@pytest.fixture(scope="module")
def project(thin_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the project was run once, on two weeks of flights."""
    folder = tmp_path_factory.mktemp("project") / "flights"
    write_project(folder, thin_data)
    for full, thin in DAYS.items():
        change(folder, full, thin)
    assert {one["outcome"] for one in run(folder)} == {"new"}
    return folder


def test_it_trains_the_models_that_the_demo_trains(project: Path, shown: Any) -> None:
    made = {job.spec.training_set.name: job.metrics for job in Store(project / "store", read_only=True).training_jobs.list()}
    jobs = shown.store.training_jobs
    assert made == {"late-arrivals": jobs["late-arrivals-1"].metrics, "departure-delay": jobs["departure-delay-1"].metrics}


def test_a_second_run_writes_nothing_and_a_changed_line_trains_one_model(project: Path) -> None:
    before = listing(project)
    assert {one["outcome"] for one in run(project)} == {"reused"}
    assert listing(project) == before
    change(
        project,
        "eta = 0.2\nmax_depth = 6\nsubsample = 0.8\nseed = 2013\n\n[training_jobs.departure-delay]",
        "eta = 0.3\nmax_depth = 6\nsubsample = 0.8\nseed = 2013\n\n[training_jobs.departure-delay]",
    )
    assert [(one["kind"], one["name"].rpartition("-")[0]) for one in run(project) if one["outcome"] != "reused"] == [("training job", "late-arrivals")]


def test_a_folder_that_holds_something_is_left_as_it_is(thin_data: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    with pytest.raises(AlreadyExistsError, match="--project FOLDER"):
        write_project(tmp_path, thin_data)
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


def test_nothing_outside_the_folder_is_named() -> None:
    text = (Path(write_project.__code__.co_filename).parent / PROJECT).read_text("utf-8")
    assert "/tmp" not in text
    assert all(not line.split('"')[1].startswith(("/", "..", "~")) for line in text.splitlines() if line.startswith(("path = ", "store = ")))
