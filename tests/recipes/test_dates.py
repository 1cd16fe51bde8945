import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.nyc_files import weather
from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes import DateParts, MinMax, Recipe

ALL = ("year", "quarter", "month", "week", "day", "day_of_year", "weekday", "hour", "minute")


def _hours() -> pd.DataFrame:
    return pd.DataFrame({"at": pd.to_datetime(weather()["time_hour"], utc=True), "temp": weather()["temp"]})


def _again(recipe: Recipe) -> Recipe:
    return Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))


def test_the_parts_of_a_local_clock_are_those_that_the_weather_station_wrote() -> None:
    parts = Recipe([DateParts("at", parts=("year", "month", "day", "hour"), time_zone="America/New_York")]).fit_transform(_hours())
    written = weather()[["year", "month", "day", "hour"]]
    np.testing.assert_array_equal(parts.drop(columns="temp").to_numpy(), written.to_numpy("float64"))


def test_without_a_zone_utc_is_read_whatever_the_zone_of_the_column() -> None:
    utc, local = _hours(), _hours().assign(at=lambda frame: frame["at"].dt.tz_convert("Asia/Tokyo"))
    recipe = Recipe([DateParts(parts=ALL)]).fit(utc)
    assert recipe.transform(local).equals(recipe.transform(utc))


def test_every_part_has_pandas_value() -> None:
    frame = _hours()
    parts = Recipe([DateParts("at", parts=ALL)]).fit_transform(frame)
    clock = frame["at"].dt
    expected = [clock.year, clock.quarter, clock.month, clock.isocalendar()["week"], clock.day, clock.day_of_year, clock.day_of_week, clock.hour, clock.minute]
    np.testing.assert_array_equal(parts.drop(columns="temp").to_numpy(), np.stack([values.to_numpy("float64") for values in expected], axis=1))


def test_a_cycle_brings_its_ends_together() -> None:
    times = pd.to_datetime(["2013-12-31T23:59Z", "2014-01-01T00:00Z", "2016-12-31T23:59Z", "2017-01-01T00:00Z"])
    parts = Recipe([DateParts("at", parts=("day_of_year", "hour", "minute"), cycles=True)]).fit_transform(pd.DataFrame({"at": times}))
    assert parts.columns.tolist() == [f"at_{part}_{half}" for part in ("day_of_year", "hour", "minute") for half in ("sin", "cos")]
    steps = parts.diff().iloc[[1, 3]].abs()
    assert (steps.to_numpy() < 0.27).all()
    np.testing.assert_allclose(parts["at_day_of_year_sin"] ** 2 + parts["at_day_of_year_cos"] ** 2, 1.0)


def test_a_part_that_does_not_come_round_stays_a_number_among_cycles() -> None:
    recipe = Recipe([DateParts("at", parts=("year", "weekday"), cycles=True)]).fit(_hours())
    assert recipe.get_feature_names_out().tolist() == ["temp", "at_year", "at_weekday_sin", "at_weekday_cos"]


def test_times_without_a_zone_are_refused_until_their_clock_is_named() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2013-01-01 05:00"])})
    with pytest.raises(RecipeError, match=r"'at' have no zone.*DateParts\(\.\.\., time_zone="):
        Recipe([DateParts("at")]).fit(frame)
    parts = Recipe([DateParts("at", parts="hour", time_zone="America/New_York")]).fit_transform(frame)
    assert parts["at_hour"].tolist() == [5.0]


def test_a_recipe_that_was_fitted_on_zoned_times_refuses_others() -> None:
    recipe = Recipe([DateParts("at")]).fit(_hours())
    with pytest.raises(RecipeError, match="have no zone"):
        recipe.transform(_hours().assign(at=lambda frame: frame["at"].dt.tz_localize(None)))


def test_a_null_time_has_null_parts_and_the_types_stay() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2013-01-01T05:00Z", None])})
    recipe = Recipe([DateParts(parts=ALL), MinMax("at_year")]).fit(frame)
    assert recipe.transform(frame).isna().all(axis=1).tolist() == [False, True]
    assert set(recipe.transform(frame[:1]).dtypes.astype(str)) == {"float64"}


def test_the_time_stays_where_it_is_asked_to() -> None:
    recipe = Recipe([DateParts("at", parts="hour", keep=True)]).fit(_hours())
    assert recipe.transform(_hours()).columns.tolist() == recipe.get_feature_names_out().tolist() == ["at", "temp", "at_hour"]
    assert _again(recipe).transform(_hours()).equals(recipe.transform(_hours()))


def test_a_column_that_is_there_already_is_not_overwritten() -> None:
    with pytest.raises(RecipeError, match="adds column 'at_hour', and the frame that reaches it has 'AT_hour' already"):
        Recipe([DateParts("at")]).fit(_hours().assign(AT_hour=1))


def test_text_is_no_time() -> None:
    with pytest.raises(RecipeError, match=r"takes times \(ParseTimes makes them of text\); column 'time_hour' is"):
        Recipe([DateParts("time_hour")]).fit(weather())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"parts": "hours"}, "no part 'hours'. Did you mean 'hour'"),
        ({"parts": ()}, "at least one"),
        ({"parts": ("hour", "hour")}, "each once"),
        ({"time_zone": "New York"}, "No time zone 'New York'"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        DateParts(**parameters)
