"""The demo's raw files, cut down to two weeks of flights."""

from pathlib import Path
from shutil import copyfile

import pandas as pd

from support.nyc_files import nyc_file
from treering.demo import raw_zone
from treering.training_sets.splits import TimeSplit

SPLIT = TimeSplit(validation="2013-01-09", test="2013-01-12", embargo="1d", time_zone="America/New_York")
ROWS = 12_208


def write_thin_data(folder: Path) -> Path:
    for file in raw_zone.FILES:
        copyfile(nyc_file(file), folder / file)
    flights = pd.read_csv(nyc_file(raw_zone.FLIGHTS), dtype=str, keep_default_na=False)
    thin = flights[(flights["month"] == "1") & (flights["day"].astype(int) <= 14)]
    thin.to_csv(folder / raw_zone.FLIGHTS, index=False, compression={"method": "zip", "archive_name": "flights.csv"})
    return folder
