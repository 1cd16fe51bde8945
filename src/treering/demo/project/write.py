"""Writes the project down in a folder of a person's own: the TOML file, the functions, the raw CSV files."""

import shutil
from importlib.resources import files
from pathlib import Path

from treering.demo import raw_zone
from treering.errors import AlreadyExistsError

PROJECT, FUNCTIONS = "flights.toml", "features.py"


def write_project(folder: Path, data: Path) -> None:
    """Write all that the project needs; nothing outside the folder is named in it.

    Args:
        folder: new or empty.
        data: the folder with the raw files.

    Raises:
        AlreadyExistsError: for a folder that holds anything.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise AlreadyExistsError(f"{folder} holds something already, and is left as it is. Choose a new folder: treering demo --project FOLDER.")
    raw = folder / raw_zone.FOLDER
    raw.mkdir(parents=True)
    for file in raw_zone.FILES:
        shutil.copyfile(data / file, raw / file)
    for file in (FUNCTIONS, PROJECT):
        (folder / file).write_bytes(files("treering.demo.project").joinpath(file).read_bytes())
