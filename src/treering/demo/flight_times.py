"""When flights left and landed, in UTC: the feature engineering that turns the raw table into records with a true event time.

The raw table writes clock times: departures on New York's clock, arrivals on the destination's, without dates. Read as
they stand, one flight in thirty lands before it leaves. Each function takes a frame and returns it with the same rows, so
each can be a step of a recipe.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# The table of airports lacks these four destinations of 7,602 flights.
MISSING_ZONES = {"BQN": "America/Puerto_Rico", "PSE": "America/Puerto_Rico", "SJU": "America/Puerto_Rico", "STT": "America/St_Thomas"}


def zones_of(airports: "pd.DataFrame") -> dict[str, str]:
    """Say in which time zone each airport lies, by its code."""
    known = airports.dropna(subset=["tzone"])
    return dict(zip(known["faa"], known["tzone"], strict=True)) | MISSING_ZONES


def with_departure(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `departs_at`, the scheduled departure: `time_hour` is its full hour in UTC."""
    import pandas as pd

    hour = pd.to_datetime(flights["time_hour"], utc=True, format="ISO8601")
    return flights.assign(departs_at=hour + pd.to_timedelta(flights["minute"], unit="min"))


def with_arrival(flights: "pd.DataFrame", zones: Mapping[str, str]) -> "pd.DataFrame":
    """Add `arrived_at`, the actual arrival; null where there was none, or where the row contradicts it.

    Scheduled arrival is the first moment after scheduled departure at which the destination's clock shows
    `sched_arr_time`; no scheduled flight takes a day. Actual arrival is that plus `arr_delay`.
    """
    import pandas as pd

    arrived_at = pd.Series(pd.NaT, index=flights.index, dtype="datetime64[us, UTC]")
    agrees = pd.Series(data=False, index=flights.index)
    for zone, rows in flights.groupby(flights["dest"].map(zones)):
        departs = rows["departs_at"].dt.tz_convert(zone).dt.tz_localize(None)
        scheduled = departs.dt.normalize() + minutes_of_day(rows["sched_arr_time"])
        scheduled = scheduled.where(scheduled > departs, scheduled + pd.Timedelta(days=1))
        # Where the clocks change, the later reading: an arrival may be known too late, never too early.
        scheduled = scheduled.dt.tz_localize(zone, ambiguous=np.zeros(len(rows), dtype=bool), nonexistent="shift_forward")
        arrived = scheduled + pd.to_timedelta(rows["arr_delay"], unit="min")
        arrived_at[rows.index] = arrived.dt.tz_convert("UTC")
        clock = arrived.dt.tz_localize(None)
        agrees[rows.index] = clock - clock.dt.normalize() == minutes_of_day(rows["arr_time"])
    landed = flights["departs_at"] + pd.to_timedelta(flights["dep_delay"] + flights["air_time"], unit="min")
    return flights.assign(arrived_at=arrived_at.where(agrees & (arrived_at >= landed)))


def minutes_of_day(clock: "pd.Series[float]") -> "pd.Series[pd.Timedelta]":
    """Read clock times such as 517, for 5:17, as the time since midnight; 2400 is midnight."""
    import pandas as pd

    return pd.to_timedelta((clock // 100 * 60 + clock % 100) % 1440, unit="min")


def with_legs_that_day(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `legs_that_day`: how many of its flights of that day the aircraft had landed, this one included."""
    by_arrival = flights.sort_values("arrived_at", kind="stable")
    return flights.assign(legs_that_day=by_arrival.groupby(["tailnum", "month", "day"]).cumcount() + 1)
