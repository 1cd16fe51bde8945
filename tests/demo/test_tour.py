"""What the demo claims on the screen holds in its store."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from support.thin_flights import ROWS
from treering.demo import flights
from treering.point_in_time.labels import Labels


def recomputed(rows: pd.DataFrame, records: pd.DataFrame, known: str, key: list[str], max_age: str) -> list[float]:
    """What pandas says a row could know: the last record known by its departure, if it is young enough."""
    ordered = rows.reset_index().sort_values("departs_at", kind="stable").dropna(subset=key)
    joined = pd.merge_asof(ordered, records.sort_values(known, kind="stable"), left_on="departs_at", right_on=known, by=key)
    young = joined["departs_at"] - joined["happened_at"] <= pd.Timedelta(max_age)
    return joined.set_index("index")["value"].where(young.to_numpy()).reindex(rows.index).tolist()


ROUTE = ["origin", "dest", "carrier"]


def days_of(shown: Any, days_later: int) -> pd.DataFrame:
    """The mean delay of each route's day, as of that many days after its start."""
    landed = shown.flights.dropna(subset=["arrived_at"])
    day = landed["arrived_at"].dt.tz_convert("America/New_York").dt.normalize()
    means = landed.groupby([*ROUTE, day.rename("day")])["arr_delay"].mean().rename("value").reset_index()
    known = (means["day"] + pd.Timedelta(days=days_later)).dt.tz_convert("UTC")
    return means.drop(columns="day").assign(happened_at=known, known_at=known)


def test_every_flight_is_a_row_in_the_order_of_the_file(shown: Any) -> None:
    raw = shown.flights
    built = shown.training_set.to_pandas(columns=["departs_at", "flight", "tailnum"])
    assert len(built) == len(raw) == ROWS
    assert built["flight"].tolist() == raw["flight"].tolist()
    assert f"{ROWS:,} rows in, {ROWS:,} rows out" in shown.printed


def test_no_flight_sees_a_leg_that_landed_after_its_departure(shown: Any) -> None:
    landed = shown.flights.dropna(subset=["arrived_at", "tailnum"])
    records = pd.DataFrame({"happened_at": landed["arrived_at"], "known_at": landed["arrived_at"], "tailnum": landed["tailnum"], "value": landed["arr_delay"]})
    rows = shown.training_set.to_pandas(columns=["departs_at", "tailnum", "last_arr_delay", "aircraft_history_age_seconds"])
    expected = recomputed(rows[["departs_at", "tailnum"]], records, "known_at", ["tailnum"], "24h")
    np.testing.assert_array_equal(rows["last_arr_delay"], expected)
    assert rows["aircraft_history_age_seconds"].min() >= 0
    assert rows["last_arr_delay"].notna().sum() > 5_000


def test_no_flight_sees_weather_that_was_not_published(shown: Any) -> None:
    weather = shown.store.feature_groups["weather"].to_pandas()
    hours = weather["time_hour"]
    records = pd.DataFrame({"happened_at": hours, "known_at": hours + pd.Timedelta("1h"), "origin": weather["origin"], "value": weather["temp"]})
    rows = shown.training_set.to_pandas(columns=["departs_at", "origin", "temp", "weather_age_seconds"])
    np.testing.assert_array_equal(rows["temp"], recomputed(rows[["departs_at", "origin"]], records, "known_at", ["origin"], "6h"))
    assert rows["weather_age_seconds"].min() >= 3600
    assert "0 rows see the future: the freshest weather seen was 1h old" in shown.printed


def test_no_flight_sees_a_day_of_its_route_that_had_not_ended(shown: Any) -> None:
    rows = shown.training_set.to_pandas(columns=["departs_at", *ROUTE, "route_arr_delay"])
    expected = recomputed(rows[["departs_at", *ROUTE]], days_of(shown, 1), "known_at", ROUTE, "3D")
    np.testing.assert_allclose(rows["route_arr_delay"], expected)
    assert rows["route_arr_delay"].notna().sum() > 10_000


def test_the_leaky_set_sees_the_day_that_is_still_to_come(shown: Any) -> None:
    rows = shown.store.training_sets["late-arrivals-leaky"].to_pandas(columns=["departs_at", *ROUTE, "route_arr_delay"])
    expected = recomputed(rows[["departs_at", *ROUTE]], days_of(shown, 0), "known_at", ROUTE, "3D")
    np.testing.assert_allclose(rows["route_arr_delay"], expected)


def test_the_leak_promises_what_it_does_not_give(shown: Any) -> None:
    jobs, leaky = shown.store.training_jobs, shown.store.models["late-arrivals-leaky-1"]
    honest, reported = (jobs[name].metrics["test"]["auc"] for name in ("late-arrivals-1", "late-arrivals-leaky-1"))
    test = shown.training_set.to_pandas("test").dropna(subset=["late"])
    in_use = roc_auc_score(test["late"].astype(bool), leaky.predict(test))
    assert in_use < honest < reported
    assert f"it promises {reported:.3f} and gives {in_use:.3f}, where the honest one gives {honest:.3f}" in " ".join(shown.printed.split())


def test_the_second_model_reprocesses_no_row(shown: Any) -> None:
    assert "training set departure-delay: 4 of 4 lookups read from late-arrivals:1; 0 rows reprocessed" in " ".join(shown.printed.split())
    first, second = shown.training_set, shown.store.training_sets["departure-delay"]
    assert second.to_pandas(columns=list(second.features)).equals(first.to_pandas(columns=list(first.features)))


def test_the_second_model_is_measured_beside_saying_the_mean(shown: Any) -> None:
    built = shown.store.training_sets["departure-delay"]
    delays = {split: built.to_pandas(split)["dep_delay"].dropna() for split in ("train", "test")}
    off = delays["test"] - flights.load(shown.store, "departure-delay-1").predict(built.to_pandas("test").dropna(subset=["dep_delay"]))
    guessed = delays["test"] - delays["train"].mean()
    numbers = [f"{value:.1f}" for value in (delays["test"].mean(), off.abs().mean(), (off**2).mean() ** 0.5, (guessed**2).mean() ** 0.5)]
    assert ["test", *numbers] in [line.split() for line in shown.printed.splitlines()]


def test_each_model_has_its_page(shown: Any) -> None:
    for job in ("late-arrivals-1", "departure-delay-1", "late-arrivals-leaky-1"):
        page = shown.folder / "training-jobs" / job / "report.html"
        assert str(page) in shown.printed
        assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_same_weather_again_writes_nothing(shown: Any) -> None:
    assert len(shown.store.feature_groups["weather"].commits()) == 1
    assert "weather.csv once more: it is in already (commit 1, 26,115 rows); nothing was written." in " ".join(shown.printed.split())


def test_search_says_who_uses_what(shown: Any) -> None:
    line = next(line for line in shown.printed.splitlines() if "aircraft_history.arr_delay" in line)
    assert "1 view, 3 sets, 3 models" in line


def test_a_flight_that_never_arrived_has_no_target(shown: Any) -> None:
    raw = shown.flights
    late = shown.training_set.to_arrow(columns=["late"])["late"].to_pylist()
    assert [value is None for value in late] == raw["arr_delay"].isna().tolist()
    assert [value for value in late if value is not None] == (raw["arr_delay"].dropna() > 15).tolist()


def test_the_outcome_is_not_among_the_features(shown: Any) -> None:
    assert shown.training_set.features[:6] == ("carrier", "origin", "dest", "distance", "hour", "weekday")
    assert not {"late", "arr_delay", "dep_delay", "arrived_at", "departs_at", "flight"} & set(shown.training_set.features)


def test_groups_hold_what_the_files_hold(shown: Any) -> None:
    groups = shown.store.feature_groups
    assert {group.definition.name: sum(commit.rows for commit in group.commits()) for group in groups} == {
        "weather": 26_115,
        "planes": 3_322,
        "aircraft_history": int(shown.flights[["arrived_at", "tailnum"]].notna().all(axis=1).sum()),
        "route_history": len(days_of(shown, 1)),
        "leaky_history": len(days_of(shown, 0)),
    }
    assert groups["planes"].to_arrow(columns=["year"])["year"].null_count == 70


def test_the_model_on_the_screen_is_the_one_in_the_store(shown: Any) -> None:
    job = shown.store.training_jobs.get("late-arrivals-1")
    assert job.artifact is not None
    assert f"sha256 {job.artifact.sha256}" in shown.printed
    model = flights.load(shown.store, job.name)
    answers = model.predict(shown.training_set.to_pandas("test"))
    assert ((answers > 0) & (answers < 1)).all()
    assert set(job.metrics or {}) == {"train", "validation", "test"}


def test_the_explained_aircraft_was_still_out(shown: Any) -> None:
    flight = flights.most_telling(shown.flights)
    told = flights.explain(shown.store, flight)
    answer = next(number for number, one in enumerate(told.candidates) if one.is_answer)
    missed = told.candidates[answer - 1]
    assert told.candidates[answer].event_time <= told.time < missed.event_time
    assert told.value != missed.value
    assert f"A join on the day would have told the model {missed.value:g}" in shown.printed


def test_the_explained_value_stands_in_the_line_that_is_named(shown: Any) -> None:
    found = re.search(r"raw/flights.csv.zip, line (\d+)", shown.printed)
    cell = re.search(r"cell +(-?\d+)", shown.printed)
    assert found is not None
    assert cell is not None
    raw = pd.read_csv(shown.folder / "raw" / "flights.csv.zip")
    assert raw["arr_delay"].iloc[int(found[1]) - 2] == int(cell[1])


def test_labels_name_what_the_timetable_says(shown: Any) -> None:
    labels = flights.labels(shown.flights)
    assert isinstance(labels, Labels)
    assert (labels.time, labels.target) == ("departs_at", "late")


def test_a_pipe_gets_plain_text_and_no_bars(shown: Any) -> None:
    assert "\x1b" not in shown.printed
    assert shown.errors == ""
    said, explained = shown.printed.split("Why a cell holds what it holds")
    assert max(len(line) for line in said.splitlines() if str(shown.folder) not in line) <= 80
    assert max(len(line) for line in explained.splitlines() if str(shown.folder) not in line) <= 110


def test_every_step_says_how_long_it_took(shown: Any) -> None:
    titles = re.findall(r"^(\d+) +([A-Z].*)$", shown.printed, re.MULTILINE)
    assert [int(number) for number, _ in titles] == list(range(1, 11))
    assert len(re.findall(r"^   \d+\.\d s$", shown.printed, re.MULTILINE)) == 10


def test_an_earlier_demo_is_replaced_and_that_is_said(shown: Any) -> None:
    assert "that an earlier demo left in" in shown.printed
    assert not (shown.folder / "left-by-an-earlier-demo").exists()


@pytest.mark.parametrize("file", ["flights.csv.zip", "weather.csv", "planes.csv"])
def test_raw_files_are_placed_as_they_are(shown: Any, thin_data: Any, file: str) -> None:
    assert (shown.folder / "raw" / file).read_bytes() == (thin_data / file).read_bytes()
