import numpy as np
import pandas as pd
import pytest

from support.nyc_files import weather
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import (
    DropDuplicates,
    DropMissing,
    FillForward,
    Lag,
    MinMax,
    Recipe,
    Rename,
    Rolling,
    check_future_invariance,
    step_across_rows,
)

ROWS = 300


def frame() -> pd.DataFrame:
    """Rows that come in no order, whose index labels repeat."""
    random = np.random.default_rng(0)
    times = pd.to_datetime(random.permutation(ROWS) * 60, unit="s", utc=True)
    return pd.DataFrame({"k": random.choice(list("abc"), ROWS), "t": times, "x": random.normal(size=ROWS)}, index=np.arange(ROWS) % 7)


def with_previous(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame.set_axis(range(len(frame))).sort_values("t").groupby("k")["x"].shift().sort_index().to_numpy())


def with_previous_of_the_file(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame.groupby("k")["x"].shift())


def with_next(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame.set_axis(range(len(frame))).sort_values("t").groupby("k")["x"].shift(-1).sort_index().to_numpy())


def with_share_of_the_mean(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame["x"] / frame["x"].mean())


def with_rows_left(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame.groupby("k").cumcount(ascending=False))


def with_a_column_for_each_hour(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{f"hour {{{hour}}}": frame["x"] for hour in frame["t"].dt.hour.unique()})


@pytest.mark.parametrize(
    "step",
    [
        step_across_rows(with_previous),
        FillForward("x", by="k", order_by="t"),
        Lag("x", by="k", order_by="t"),
        Rolling("x", by="k", order_by="t", window="1h"),
        Recipe([Lag("x", by="k", order_by="t"), DropMissing()]),
        Rename({"t": "time"}),
    ],
)
def test_what_looks_backwards_passes(step):
    check_future_invariance(step, frame(), order_by="t")


@pytest.mark.parametrize("function", [with_previous_of_the_file, with_next, with_share_of_the_mean, with_rows_left])
def test_a_function_that_looks_ahead_is_named_with_the_column_and_the_row(function):
    with pytest.raises(RecipeError, match=rf"^{function.__name__} looks ahead: column 'y' of row \d \(t 1970-01-01 .*\) is .*, and .* when the rows after t"):
        check_future_invariance(step_across_rows(function), frame(), order_by="t")


def test_columns_that_come_with_later_rows_are_found():
    with pytest.raises(RecipeError, match=r"looks ahead: what comes out for row 0 .* has the columns .*'hour \{4\}'"):
        check_future_invariance(step_across_rows(with_a_column_for_each_hour), frame(), order_by="t")


def test_rows_that_later_rows_drop_are_found():
    with pytest.raises(RecipeError, match=r"^DropDuplicates looks ahead: row \d .* is dropped, and kept when the rows after .* are cut off"):
        check_future_invariance(DropDuplicates("k"), frame().sort_values("t"), order_by="t")
    check_future_invariance(DropDuplicates("k", keep="first"), frame().sort_values("t"), order_by="t")


def test_a_scale_learned_from_all_rows_looks_ahead_and_one_learned_before_does_not():
    with pytest.raises(RecipeError, match=r"^The recipe looks ahead: column 'x'"):
        check_future_invariance(Recipe([MinMax("x")]), frame(), order_by="t")
    check_future_invariance(Recipe([MinMax("x")]).fit(frame()), frame(), order_by="t")


def test_gaps_filled_with_what_came_later_are_found_in_real_rows():
    rows = weather()[["origin", "time_hour", "wind_gust"]].assign(time_hour=lambda frame: pd.to_datetime(frame["time_hour"], utc=True))
    filled = step_across_rows(with_gusts_filled)
    with pytest.raises(RecipeError, match="looks ahead: column 'wind_gust'"):
        check_future_invariance(filled, rows, order_by="time_hour", samples=20)


def with_gusts_filled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(wind_gust=frame.groupby("origin")["wind_gust"].bfill(limit=3))


def test_a_recipe_that_gives_polars_frames_and_one_without_the_time_can_be_checked():
    check_future_invariance(Recipe([MinMax("x")]).fit(frame()).set_output(transform="polars"), frame(), order_by="t")
    check_future_invariance(Recipe([MinMax("x")]).fit(frame()[["x"]]), frame(), order_by="t")


def test_the_frame_and_the_recipe_stay_as_they_are():
    given, recipe = frame(), Recipe([Lag("x", by="k", order_by="t")])
    check_future_invariance(recipe, given, order_by="t")
    assert given.equals(frame())
    assert not recipe.is_fitted


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"order_by": "time"}, NotFoundError, "No column 'time' in the frame that reaches step check_future_invariance"),
        ({"order_by": "k"}, RecipeError, r"Turn it into datetimes first: ParseTimes\('k'\)"),
        ({"order_by": "t", "samples": 0}, InvalidDefinitionError, "samples=0"),
        ({"order_by": "one"}, InvalidDefinitionError, "two or more different times"),
    ],
)
def test_what_cannot_be_checked_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        check_future_invariance(Lag("x", by="k", order_by="t"), frame().assign(one=1), **options)


def test_only_steps_and_recipes_are_checked():
    with pytest.raises(InvalidDefinitionError, match=r"Turn a function into one with tr.step"):
        check_future_invariance(with_previous, frame(), order_by="t")
