"""The feature engineering of the flights: pure functions over pandas frames, which the recipes of `flights.toml` name.

Each takes a frame and returns it with the same rows and more columns. A recipe records each function by the digest of its
source, so a function holds all that it needs: change one, and what was made with it is made anew by the next run.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def with_departure(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `departs_at`, the scheduled departure: `time_hour` is its full hour in UTC."""
    import pandas as pd

    hour = pd.to_datetime(flights["time_hour"], utc=True, format="ISO8601")
    return flights.assign(departs_at=hour + pd.to_timedelta(flights["minute"], unit="min"))


def with_arrival(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `arrived_at`, the actual arrival; null where there was none, or where the row contradicts it.

    The raw table writes arrivals on the destination's clock, without dates: read as they stand, one flight in thirty lands
    before it leaves. Scheduled arrival is the first moment after scheduled departure at which the destination's clock shows
    `sched_arr_time`; no scheduled flight takes a day. Actual arrival is that plus `arr_delay`.
    """
    import numpy as np
    import pandas as pd

    airports = {
        "America/New_York": "ACK ALB ATL AVL BDL BGR BOS BTV BUF BWI CAE CAK CHO CHS CLE CLT CMH CRW CVG DAY DCA DTW EYW FLL GRR GSO GSP IAD ILM IND JAX "
        "LEX LGA MCO MHT MIA MVY MYR ORF PBI PHL PIT PVD PWM RDU RIC ROC RSW SAV SBN SDF SRQ SYR TPA TVC TYS",
        "America/Chicago": "AUS BHM BNA DFW DSM HOU IAH MCI MDW MEM MKE MSN MSP MSY OKC OMA ORD SAT STL TUL XNA",
        "America/Denver": "ABQ BZN DEN EGE HDN JAC MTJ SLC",
        "America/Phoenix": "PHX",
        "America/Los_Angeles": "BUR LAS LAX LGB OAK PDX PSP SAN SEA SFO SJC SMF SNA",
        "America/Anchorage": "ANC",
        "Pacific/Honolulu": "HNL",
        "America/Puerto_Rico": "BQN PSE SJU",
        "America/St_Thomas": "STT",
    }
    zones = {airport: zone for zone, codes in airports.items() for airport in codes.split()}

    def since_midnight(clock: "pd.Series[float]") -> "pd.Series[pd.Timedelta]":
        # 517 is 5:17; 2400 is midnight.
        return pd.to_timedelta((clock // 100 * 60 + clock % 100) % 1440, unit="min")

    arrived_at = pd.Series(pd.NaT, index=flights.index, dtype="datetime64[us, UTC]")
    agrees = pd.Series(data=False, index=flights.index)
    for zone, rows in flights.groupby(flights["dest"].map(zones)):
        departs = rows["departs_at"].dt.tz_convert(zone).dt.tz_localize(None)
        scheduled = departs.dt.normalize() + since_midnight(rows["sched_arr_time"])
        scheduled = scheduled.where(scheduled > departs, scheduled + pd.Timedelta(days=1))
        # Where the clocks change, the later reading: an arrival may be known too late, never too early.
        scheduled = scheduled.dt.tz_localize(zone, ambiguous=np.zeros(len(rows), dtype=bool), nonexistent="shift_forward")
        arrived = scheduled + pd.to_timedelta(rows["arr_delay"], unit="min")
        arrived_at[rows.index] = arrived.dt.tz_convert("UTC")
        clock = arrived.dt.tz_localize(None)
        agrees[rows.index] = clock - clock.dt.normalize() == since_midnight(rows["arr_time"])
    landed = flights["departs_at"] + pd.to_timedelta(flights["dep_delay"] + flights["air_time"], unit="min")
    return flights.assign(arrived_at=arrived_at.where(agrees & (arrived_at >= landed)))


def with_outcome(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `late`, more than 15 minutes behind schedule at arrival, null for a flight that never arrived; and the weekday."""
    late = (flights["arr_delay"] > 15).astype("boolean").mask(flights["arr_delay"].isna())
    return flights.assign(late=late, weekday=flights["departs_at"].dt.tz_convert("America/New_York").dt.day_of_week)


def with_legs_that_day(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `legs_that_day`: how many of its flights of that day the aircraft had landed, this one included. Looks at other rows."""
    by_arrival = flights.sort_values("arrived_at", kind="stable")
    return flights.assign(legs_that_day=by_arrival.groupby(["tailnum", "month", "day"]).cumcount() + 1)


def with_route_day(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add `landed_on`, the day in New York, and how that whole day went on the flight's route with its carrier. Looks at other rows.

    Every flight of one route, carrier and day gets the same values: one of them is enough to keep. They are complete, and so
    known, when the day has ended.
    """
    day = flights["arrived_at"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    measured = flights.assign(was_late=(flights["arr_delay"] > 15).astype(float))
    that_day = measured.groupby([flights["origin"], flights["dest"], flights["carrier"], day])
    return flights.assign(
        landed_on=day.dt.date,
        landings=that_day["arr_delay"].transform("size"),
        late_share=that_day["was_late"].transform("mean"),
        mean_arr_delay=that_day["arr_delay"].transform("mean"),
        mean_dep_delay=that_day["dep_delay"].transform("mean"),
    )
