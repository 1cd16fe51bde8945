import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from support.nyc_files import weather
from treering.errors import RecipeError
from treering.recipes import MinMax, Recipe, Robust, Standard

NUMBERS = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


@pytest.mark.parametrize(("step", "scaler"), [(MinMax(), MinMaxScaler()), (Standard(), StandardScaler()), (Robust(), RobustScaler())])
def test_a_scaled_frame_is_scikit_learns_value_for_value(step, scaler):
    frame = weather()[NUMBERS]
    ours = Recipe([step]).fit_transform(frame)
    np.testing.assert_array_equal(ours.to_numpy(), scaler.fit_transform(frame))


def test_a_long_frame_is_learned_in_chunks_of_65536_rows():
    frame = pd.DataFrame({"x": np.random.default_rng(7).normal(1e6, 3.0, 150_000)})
    expected = StandardScaler()
    for start in range(0, len(frame), 65_536):
        expected.partial_fit(frame.iloc[start : start + 65_536])
    np.testing.assert_array_equal(Recipe([Standard()]).fit_transform(frame).to_numpy(), expected.transform(frame))


@pytest.mark.parametrize("step", [MinMax("x"), Standard("x"), Robust("x")])
@given(values=st.lists(st.floats(-1e100, 1e100), min_size=1), later=st.lists(st.floats(-1e100, 1e100)))
def test_a_scaler_read_back_from_json_gives_the_same_bits(step, values, later):
    recipe = Recipe([step]).fit(pd.DataFrame({"x": values}))
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
    frame = pd.DataFrame({"x": np.array(later, dtype="float64")})
    assert again == recipe
    assert again.transform(frame)["x"].to_numpy().tobytes() == recipe.transform(frame)["x"].to_numpy().tobytes()


def test_a_column_is_scaled_the_same_whatever_stands_beside_it():
    frame = weather()
    alone = Recipe([Standard("temp")]).fit_transform(frame[["temp"]])
    among = Recipe([Standard(NUMBERS)]).fit_transform(frame[NUMBERS])
    assert alone["temp"].equals(among["temp"])


def test_fit_learns_from_the_given_rows_only():
    recipe = Recipe([MinMax()]).fit(pd.DataFrame({"x": [0.0, 10.0]}))
    assert recipe.transform(pd.DataFrame({"x": [-10.0, 1000.0]}))["x"].tolist() == [-1.0, 100.0]


def test_nulls_stay_null_and_no_rows_stay_no_rows():
    recipe = Recipe([Standard()]).fit(pd.DataFrame({"x": pd.array([1, None, 3], dtype="Int64")}))
    assert recipe.transform(pd.DataFrame({"x": [2.0, None]}))["x"].isna().tolist() == [False, True]
    assert recipe.transform(pd.DataFrame({"x": []}, dtype="float64"))["x"].dtype == "float64"


def test_booleans_and_text_are_left_alone_unless_named():
    frame = pd.DataFrame({"flag": [True, False], "text": ["a", "b"], "x": [3, 5]})
    assert Recipe([MinMax()]).fit_transform(frame).to_dict("list") == {"flag": [True, False], "text": ["a", "b"], "x": [0.0, 1.0]}
    assert Recipe([MinMax("flag")]).fit_transform(frame)["flag"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("step", [MinMax("carrier"), Standard("carrier"), Robust("carrier")])
def test_a_scaler_on_text_says_so(step):
    with pytest.raises(RecipeError, match=rf"Step {step.name} takes numbers; column 'carrier' is (str|object)"):
        Recipe([step]).fit(pd.DataFrame({"carrier": ["UA"]}))


def test_text_that_comes_after_fit_is_refused():
    recipe = Recipe([MinMax("x")]).fit(pd.DataFrame({"x": [0.0, 1.0]}))
    with pytest.raises(RecipeError, match="column 'x' is"):
        recipe.transform(pd.DataFrame({"x": ["1"]}))


@pytest.mark.parametrize("step", [MinMax("x"), Standard("x"), Robust("x")])
def test_numbers_whose_range_overflows_are_refused(step):
    with pytest.raises(RecipeError, match=rf"Step {step.name} cannot learn from column 'x': its values are too large"):
        Recipe([step]).fit(pd.DataFrame({"x": [1.7e308, -1.7e308, 1.7e308, -1.7e308]}))


@pytest.mark.parametrize("step", [Standard("x"), Robust("x")])
@pytest.mark.parametrize(("values", "message"), [([None, None], "holds no values"), ([], "holds no values"), ([1.0, np.inf], "infinite")])
def test_a_column_that_has_no_scale_is_refused(step, values, message):
    with pytest.raises(RecipeError, match=message):
        Recipe([step]).fit(pd.DataFrame({"x": np.array(values, dtype="float64")}))
