"""The functions of the demo's recipes, against hand-checked rows of the raw table and against rows made up for the awkward hours."""

import pandas as pd
import pytest

from support.nyc_files import nyc_file
from treering.demo.project.features import with_arrival, with_departure, with_legs_that_day, with_outcome, with_route_day

# Carrier, number, day of the scheduled departure; what the clocks say stands behind each.
HAND_CHECKED = {
    "plain: 5:15 EST, landed 8:30 CST": (("UA", 1545, 1, 1), "2013-01-01 10:15", "2013-01-01 14:30"),
    "landed at 2400 EST": (("B6", 1109, 1, 1), "2013-01-02 02:55", "2013-01-02 05:00"),
    "left 9:00 EST, landed 15:16 in Honolulu": (("HA", 51, 1, 1), "2013-01-01 14:00", "2013-01-02 01:16"),
    "left 16:15 EDT, landed 19:54 in Anchorage": (("UA", 887, 7, 6), "2013-07-06 20:15", "2013-07-07 03:54"),
    "overnight to Ponce, whose zone the table of airports lacks": (("B6", 745, 11, 2), "2013-11-03 03:59", "2013-11-03 07:53"),
    "in the air while New York's clocks went back": (("AA", 185, 11, 2), "2013-11-03 01:40", "2013-11-03 07:43"),
    "five hours late, landed at 1:14 PDT in that night": (("VX", 413, 11, 2), "2013-11-02 20:55", "2013-11-03 08:14"),
    "landed 2:29 in San Juan, while New York had no 2:29": (("B6", 701, 3, 9), "2013-03-10 01:55", "2013-03-10 06:29"),
}


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return with_arrival(with_departure(pd.read_csv(nyc_file("flights.csv.zip"))))


def one_flight(**changed: object) -> pd.DataFrame:
    """From New York to Boston: at 23:30 of the night in which clocks go back, landing at 1:30."""
    flight = {"time_hour": "2013-11-03T03:00:00Z", "minute": 30, "dest": "BOS", "dep_delay": 0.0, "arr_delay": 0.0, "air_time": 45.0}
    return with_departure(pd.DataFrame([flight | {"sched_arr_time": 130, "arr_time": 130.0} | changed]))


def arrival_of(flight: pd.DataFrame) -> pd.Timestamp:
    return with_arrival(flight)["arrived_at"].iloc[0]


@pytest.mark.parametrize(("which", "departs", "arrived"), HAND_CHECKED.values(), ids=HAND_CHECKED)
def test_moments_are_those_worked_out_by_hand(flights: pd.DataFrame, which: tuple[str, int, int, int], departs: str, arrived: str) -> None:
    carrier, number, month, day = which
    found = flights[(flights["carrier"] == carrier) & (flights["flight"] == number) & (flights["month"] == month) & (flights["day"] == day)]
    assert found["departs_at"].tolist() == [pd.Timestamp(departs, tz="UTC")]
    assert found["arrived_at"].tolist() == [pd.Timestamp(arrived, tz="UTC")]


def test_no_flight_arrives_before_it_left_and_flew(flights: pd.DataFrame) -> None:
    landed = flights["departs_at"] + pd.to_timedelta(flights["dep_delay"] + flights["air_time"], unit="min")
    kept = flights["arrived_at"].notna()
    assert kept.sum() == 327_345
    assert (flights["arrived_at"] >= landed)[kept].all()


def test_one_landing_contradicts_its_clock_and_is_left_out(flights: pd.DataFrame) -> None:
    odd = flights[flights["arr_delay"].notna() & flights["arrived_at"].isna()]
    # In that night, clocks in Florida went from 2:00 to 3:00.
    assert odd[["carrier", "flight", "month", "day", "arr_time"]].to_numpy().tolist() == [["B6", 35, 3, 9, 203.0]]


def test_an_arrival_in_the_hour_that_occurs_twice_is_the_later_one() -> None:
    assert arrival_of(one_flight()) == pd.Timestamp("2013-11-03 06:30", tz="UTC")


def test_an_arrival_that_disagrees_with_the_clock_is_null() -> None:
    assert pd.isna(arrival_of(one_flight(arr_time=145.0)))


def test_an_arrival_too_early_for_the_time_in_the_air_is_null() -> None:
    assert pd.isna(arrival_of(one_flight(air_time=200.0)))


def test_a_flight_that_never_landed_has_no_arrival() -> None:
    assert pd.isna(arrival_of(one_flight(arr_delay=None, arr_time=None, air_time=None)))


def test_midnight_is_2400_or_0() -> None:
    # 23:30 EDT, landing at midnight half an hour later.
    arrivals = [arrival_of(one_flight(sched_arr_time=clock, arr_time=clock, air_time=25.0)) for clock in (2400, 0)]
    assert arrivals == [pd.Timestamp("2013-11-03 04:00", tz="UTC")] * 2


def test_legs_are_counted_in_the_order_in_which_they_landed() -> None:
    landed = pd.to_datetime(["2013-01-01 20:00", "2013-01-01 15:00", "2013-01-01 16:00"], utc=True)
    flights = pd.DataFrame({"tailnum": ["N1", "N1", "N2"], "month": 1, "day": 1, "arrived_at": landed})
    assert with_legs_that_day(flights)["legs_that_day"].tolist() == [2, 1, 1]


def test_zones_are_those_of_the_table_of_airports(flights: pd.DataFrame) -> None:
    airports = pd.read_csv(nyc_file("airports.csv")).dropna(subset=["tzone"]).set_index("faa")["tzone"]
    one_of_each = flights[flights["dest"].isin(airports.index) & flights["arrived_at"].notna()].groupby("dest").head(1)
    clocks = [row["arrived_at"].tz_convert(airports[row["dest"]]) for _, row in one_of_each.iterrows()]
    assert [clock.hour * 100 + clock.minute for clock in clocks] == (one_of_each["arr_time"] % 2400).tolist()
    assert len(clocks) == 100


def test_a_flight_that_never_arrived_was_neither_late_nor_on_time() -> None:
    flights = pd.DataFrame({"arr_delay": [15.0, 16.0, None], "departs_at": pd.to_datetime(["2013-01-07 04:00"] * 3, utc=True)})
    outcome = with_outcome(flights)
    assert outcome["late"].tolist() == [False, True, pd.NA]
    # It was still Sunday in New York.
    assert outcome["weekday"].tolist() == [6, 6, 6]


def test_a_routes_day_is_that_of_landing_in_new_york() -> None:
    landed = pd.to_datetime(["2013-01-02 04:59", "2013-01-01 20:00", "2013-01-02 05:00"], utc=True)
    flights = pd.DataFrame(
        {"origin": "JFK", "dest": "BOS", "carrier": "B6", "arrived_at": landed, "arr_delay": [30.0, 0.0, 16.0], "dep_delay": [20.0, 0.0, 5.0]}
    )
    days = with_route_day(flights)
    assert days["landed_on"].astype(str).tolist() == ["2013-01-01", "2013-01-01", "2013-01-02"]
    assert days[["landings", "late_share", "mean_arr_delay", "mean_dep_delay"]].to_numpy().tolist() == [[2, 0.5, 15, 10], [2, 0.5, 15, 10], [1, 1, 16, 5]]
