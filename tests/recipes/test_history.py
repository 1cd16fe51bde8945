import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.nyc_files import weather
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import FillForward, Lag, Recipe, Rolling

STATISTICS = ["mean", "sum", "min", "max", "count", "std"]
STEPS = [
    FillForward("x", by="k", order_by="t"),
    Lag("x", by="k", order_by="t"),
    Lag(["x", "k"], by="k", order_by="t", periods=2),
    *(Rolling("x", "k", "t", window, statistic) for window in (2, "3h") for statistic in STATISTICS),
    Rolling("x", "k", "t", "2h", include_current=False),
    Rolling("x", "k", "t", 3, "sum", include_current=False),
]


def made(step: object, frame: pd.DataFrame) -> pd.Series:
    return Recipe([step]).fit_transform(frame).iloc[:, -1]


def plane(times: list[object], values: list[object], dtype: object = "float64") -> pd.DataFrame:
    return pd.DataFrame({"k": "N1", "t": times, "x": pd.Series(values, dtype=dtype)})


def nulls_as_none(column: pd.Series) -> list[object]:
    return [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]


@st.composite
def histories(draw: st.DrawFn) -> pd.DataFrame:
    cells = st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 6), st.floats(-9, 9) | st.none())
    rows = draw(st.lists(cells, min_size=1, max_size=12))
    times = pd.to_datetime([row[1] * 3600 for row in rows], unit="s", utc=True)
    return pd.DataFrame({"k": pd.Series([row[0] for row in rows], dtype=object), "t": times, "x": pd.Series([row[2] for row in rows], dtype="float64")})


@given(st.sampled_from(STEPS), histories(), st.integers(0, 6), st.randoms(use_true_random=False))
def test_later_rows_never_change_what_earlier_rows_get(step, frame, hour, random):
    is_later = (frame["t"] > pd.Timestamp(hour * 3600, unit="s", tz="UTC")).to_numpy()
    whole = Recipe([step]).fit_transform(frame)[~is_later]
    scrambled = frame.copy()
    scrambled.loc[is_later, "x"] = random.random()
    scrambled.loc[is_later, "k"] = random.choice("abc")
    pd.testing.assert_frame_equal(Recipe([step]).fit_transform(frame[~is_later]), whole, check_exact=True)
    pd.testing.assert_frame_equal(Recipe([step]).fit_transform(scrambled)[~is_later], whole, check_exact=True)


@given(st.sampled_from(STEPS), histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_come_changes_nothing(step, frame, random):
    order = random.sample(range(len(frame)), len(frame))
    shuffled = Recipe([step]).fit_transform(frame.iloc[order])
    assert shuffled.index.tolist() == order
    pd.testing.assert_frame_equal(shuffled.sort_index(), Recipe([step]).fit_transform(frame), check_exact=True)


def hourly_weather() -> pd.DataFrame:
    frame = weather()[["origin", "time_hour", "temp", "wind_gust"]].drop_duplicates(["origin", "time_hour"])
    return frame.assign(time_hour=pd.to_datetime(frame["time_hour"], utc=True)).reset_index(drop=True)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize(("window", "include_current"), [(24, True), (24, False), ("24h", True), ("24h", False)])
def test_windows_are_those_of_pandas(statistic, window, include_current):
    frame = hourly_weather()
    closed = {(int, False): "left", (str, False): "neither"}.get((type(window), include_current), "right")
    by_origin = frame.sort_values(["origin", "time_hour"]).set_index("time_hour").groupby("origin")["wind_gust"]
    theirs = getattr(by_origin.rolling(window, min_periods=0 if statistic == "count" else 1, closed=closed), statistic)()
    step = Rolling("wind_gust", by="origin", order_by="time_hour", window=window, statistic=statistic, include_current=include_current)
    ours = Recipe([step]).fit_transform(frame.sample(frac=1, random_state=1)).sort_values(["origin", "time_hour"]).iloc[:, -1]
    # pandas' running variance leaves up to 3e-6 where all values are equal.
    np.testing.assert_allclose(ours.to_numpy(dtype=float), theirs.to_numpy(dtype=float), rtol=1e-9, atol=1e-5)


def test_lags_and_forward_fills_are_those_of_pandas():
    frame = hourly_weather().sample(frac=1, random_state=1)
    by_origin = frame.sort_values("time_hour").groupby("origin")["wind_gust"]
    assert made(Lag("wind_gust", "origin", "time_hour", periods=3), frame).equals(by_origin.shift(3).reindex(frame.index).rename("wind_gust_lag_3"))
    assert made(FillForward("wind_gust", "origin", "time_hour"), frame).equals(by_origin.ffill().reindex(frame.index))


def test_the_new_columns_are_named_after_what_they_are():
    frame = hourly_weather().head()
    steps = [Lag(["temp", "wind_gust"], "origin", "time_hour", periods=2), Rolling("temp", "origin", "time_hour", "1d 12h", "std")]
    recipe = Recipe(steps).fit(frame)
    assert recipe.get_feature_names_out().tolist()[4:] == ["temp_lag_2", "wind_gust_lag_2", "temp_std_1d_12h"]
    assert list(recipe.fit_transform(frame)) == recipe.get_feature_names_out().tolist()


def test_rows_of_one_time_do_not_see_each_other():
    frame = plane([1, 2, 2, 3], [1.0, 10.0, 20.0, 100.0])
    assert nulls_as_none(made(Lag("x", "k", "t"), frame)) == [None, 1.0, 1.0, 20.0]
    assert made(Rolling("x", "k", "t", 2, "sum"), frame).tolist() == [1.0, 11.0, 21.0, 120.0]
    assert nulls_as_none(made(Rolling("x", "k", "t", 2, "sum", include_current=False), frame)) == [None, 1.0, 1.0, 30.0]
    assert made(FillForward("x", "k", "t"), plane([1, 1], [None, 5.0])).isna().tolist() == [True, False]


def test_of_earlier_rows_of_one_time_the_greatest_value_counts_last():
    frame = plane([1, 1, 1, 2], [20.0, None, 10.0, None])
    assert made(Lag("x", "k", "t"), frame).tolist()[3] == 20.0
    assert made(Lag("x", "k", "t", periods=2), frame).tolist()[3] == 10.0
    assert nulls_as_none(made(Lag("x", "k", "t", periods=3), frame))[3] is None
    assert made(FillForward("x", "k", "t"), frame).tolist()[3] == 20.0


def test_a_row_as_old_as_the_window_is_outside_it():
    frame = plane(list(pd.to_datetime(["2013-01-01 00:00", "2013-01-01 12:00", "2013-01-02 00:00"])), [1.0, 2.0, 4.0])
    assert made(Rolling("x", "k", "t", "24h", "sum"), frame).tolist() == [1.0, 3.0, 6.0]
    assert made(Rolling("x", "k", "t", "24h 1us", "sum"), frame).tolist() == [1.0, 3.0, 7.0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_times_of_any_unit_and_zone_order_rows(unit, zone):
    times = pd.to_datetime(["2013-01-01 02:00", "2013-01-01 00:00", "2013-01-01 01:30"]).as_unit(unit)
    frame = plane(times.tz_localize(zone), [4.0, 1.0, 2.0])
    assert made(Rolling("x", "k", "t", "1h", "sum"), frame).tolist() == [6.0, 1.0, 2.0]
    assert made(Rolling("x", "k", "t", "300000d", "sum"), frame).tolist() == [7.0, 1.0, 3.0]


def test_a_row_without_a_key_has_no_history_but_itself():
    frame = pd.DataFrame({"k": [None, None, "a"], "j": [1, 1, 1], "t": [1, 2, 3], "x": [1.0, None, 3.0]})
    assert made(Lag("x", ["k", "j"], "t"), frame).isna().all()
    assert nulls_as_none(made(Rolling("x", ["k", "j"], "t", 3, "sum"), frame)) == [1.0, None, 3.0]
    assert nulls_as_none(made(FillForward("x", ["k", "j"], "t"), frame)) == [1.0, None, 3.0]


def test_the_first_gaps_stay_and_no_gap_is_filled_across_entities():
    frame = pd.DataFrame({"k": ["a", "b", "a", "b"], "t": [1, 2, 3, 4], "x": [None, 2.0, None, None]})
    assert nulls_as_none(made(FillForward("x", "k", "t"), frame)) == [None, 2.0, None, 2.0]


@pytest.mark.parametrize(
    ("values", "dtype", "lagged"),
    [
        ([2**53 + 1, 5], "int64", "Int64"),
        ([2**63, 5], "uint64", "UInt64"),
        ([True, False], "bool", "boolean"),
        (["a", "b"], "str", "str"),
        (["a", "b"], "category", "category"),
        (["a", "b"], object, object),
        ([1, 2], "Int8", "Int8"),
        (["2013-01-01", "2013-01-02"], "datetime64[us]", "datetime64[us]"),
    ],
)
def test_values_of_any_type_are_looked_back_at_without_loss(values, dtype, lagged):
    frame = plane([1, 2], values, dtype)
    result = made(Lag("x", "k", "t"), frame)
    assert result[1] == frame["x"][0]
    assert result.dtype == lagged
    assert pd.isna(result[0])


@pytest.mark.parametrize("dtype", ["float64", "Int64", "str", "category", "datetime64[us, UTC]", "boolean", object])
def test_a_column_of_nulls_has_nothing_to_give(dtype):
    frame = plane([1, 2], [None, None], dtype)
    for step in (Lag("x", "k", "t"), FillForward("x", "k", "t")):
        assert made(step, frame).isna().all()
        assert made(step, frame).dtype == dtype
    assert made(Rolling("x", "k", "t", 2, "count"), frame).tolist() == [0, 0]


def test_a_window_without_values_is_null_and_so_is_the_spread_of_one():
    frame = plane([1, 2], [None, 3])
    assert [nulls_as_none(made(Rolling("x", "k", "t", 1, statistic), frame)) for statistic in ("sum", "mean", "max", "std")] == [
        *[[None, 3.0]] * 3,
        [None, None],
    ]


def test_booleans_and_nullable_numbers_can_be_averaged():
    assert made(Rolling("x", "k", "t", 2), plane([1, 2, 3], [True, False, None], "boolean")).tolist() == [1.0, 0.5, 0.0]
    assert made(Rolling("x", "k", "t", 2), plane([1, 2, 3], [1, 2, None], "Int64")).tolist() == [1.0, 1.5, 2.0]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_no_rows_stay_no_rows_and_labels_of_the_index_may_repeat(step):
    frame = plane(list(pd.to_datetime([1, 0], unit="s")), [1.0, None])
    assert Recipe([step]).fit_transform(frame.iloc[:0]).shape[0] == 0
    assert Recipe([step]).fit_transform(frame.set_axis([4, 4])).index.tolist() == [4, 4]
    assert Recipe([step]).fit_transform(frame.set_index(pd.Index([8, 9], name="k"))).index.tolist() == [8, 9]


def test_categories_order_no_rows():
    frame = plane([1, 1, 2], ["b", "a", "c"], pd.CategoricalDtype(["c", "b", "a"]))
    assert made(Lag("x", "k", "t"), frame).tolist()[2] == "b"
    by_category = frame.assign(k=pd.Categorical(["p", "q", "p"], categories=["q", "p", "unused"]))
    assert made(Lag("t", "k", "t"), by_category).tolist() == [pd.NA, pd.NA, 1]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_rows_without_a_time_are_refused(step):
    frame = plane(list(pd.to_datetime(["2013-01-01", None, None])), [1.0, 2.0, 3.0]).set_axis(list("abc"))
    with pytest.raises(RecipeError, match=rf"Step {step.name}: 2 rows have no 't': NaT \(row b\), NaT \(row c\). Drop them first: DropMissing\('t'\)"):
        Recipe([step]).fit_transform(frame)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Lag("x", "k", "s"), r"orders rows by datetimes or numbers; column 's' is str. Turn it into datetimes first: ParseTimes\('s'\)"),
        (Rolling("x", "k", "n", "2h"), "column 'n' holds plain numbers, no times. Give a number of rows"),
        (Rolling("s", "k", "n", 2), "Step Rolling takes numbers; column 's' is str"),
        (Lag("m", "k", "one"), "values of 'm' are of several types"),
        (Lag("x", ["k", "list"], "n"), "cannot tell entities by 'k', 'list'"),
        (Rolling("inf", "k", "n", 2), "holds infinite values"),
    ],
)
def test_columns_that_cannot_be_worked_on_are_refused(step, message):
    columns = {"s": ["a", "b"], "n": [1, 2], "m": [1, pd.Timestamp(0)], "one": [1, 1], "list": [[1], [2]], "inf": [np.inf, 1.0]}
    with pytest.raises(RecipeError, match=message):
        Recipe([step]).fit_transform(pd.DataFrame({"k": "N1", "x": [1.0, 2.0], **columns}))


@pytest.mark.parametrize("step", [Lag("x", "k", "time"), Rolling("x", "k", "time", 2), FillForward("x", "k", "time")])
def test_a_column_that_is_missing_is_named_with_the_nearest(step):
    with pytest.raises(NotFoundError, match=rf"No column 'time' in the frame that reaches step {step.name}. Did you mean 'times'\?"):
        Recipe([step]).fit(pd.DataFrame({"x": [1.0], "k": ["a"], "times": [1]}))


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(RecipeError, match="Step Lag adds column 'x_lag_1', and the frame that reaches it has 'X_lag_1' already"):
        Recipe([Lag("x", "k", "t")]).fit(plane([1], [1.0]).assign(X_lag_1=0))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Lag, {"periods": 0}),
        (Lag, {"periods": -1}),
        (Lag, {"periods": 1.0}),
        (Lag, {"columns": None}),
        (Lag, {"by": ()}),
        (Lag, {"order_by": ("t", "u")}),
        (FillForward, {"columns": "k"}),
        (FillForward, {"columns": ["x", "t"]}),
        (Rolling, {"window": 0}),
        (Rolling, {"window": "0h"}),
        (Rolling, {"window": "soon"}),
        (Rolling, {"window": 1.5}),
        (Rolling, {"window": True}),
        (Rolling, {"window": 2, "statistic": "median"}),
        (Rolling, {"window": 2, "include_current": 1}),
    ],
)
def test_what_looks_at_no_history_is_refused(kind, options):
    with pytest.raises(InvalidDefinitionError):
        kind(**{"columns": "x", "by": "k", "order_by": "t", **options})


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_read_back_from_json_is_the_same_and_looks_across_rows(step):
    recipe = Recipe([step])
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), sort_keys=True)))
    assert again.steps[0] == step
    assert again.steps[0].looks_across_rows
    assert not step.is_fitted_step
