import json

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer

from support.nyc_files import planes, weather
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import Clip, DropDuplicates, DropMissing, FillMissing, Filter, Recipe

NUMBERS = ["temp", "wind_dir", "wind_gust", "pressure"]


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_gaps_are_filled_as_scikit_learn_fills_them(strategy):
    frame = weather()[NUMBERS]
    ours = Recipe([FillMissing(with_=strategy)]).fit_transform(frame)
    np.testing.assert_array_equal(ours.to_numpy(), SimpleImputer(strategy=strategy).fit_transform(frame))


def test_text_is_filled_with_the_most_frequent():
    frame = planes()[["engine", "model"]].astype(object)
    frame.iloc[::3] = np.nan
    ours = Recipe([FillMissing(with_="most_frequent")]).fit_transform(frame)
    assert ours.to_numpy().tolist() == SimpleImputer(strategy="most_frequent").fit_transform(frame).tolist()


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", 0, -1.5])
def test_a_filling_read_back_from_json_gives_the_same_values(strategy):
    recipe = Recipe([FillMissing(with_=strategy)]).fit(weather()[NUMBERS])
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
    assert again == recipe
    assert again.transform(weather()[NUMBERS]).equals(recipe.transform(weather()[NUMBERS]))


def test_a_gap_is_filled_with_what_fit_saw_and_not_with_what_stands_beside_it():
    recipe = Recipe([FillMissing("x", with_="mean")]).fit(pd.DataFrame({"x": [1.0, 3.0]}))
    assert recipe.transform(pd.DataFrame({"x": [None, 100.0]}))["x"].tolist() == [2.0, 100.0]


@pytest.mark.parametrize(("constant", "filled"), [("gap", "text"), (7, "number"), (True, "flag")])
def test_a_constant_fills_the_columns_that_can_hold_it(constant, filled):
    frame = pd.DataFrame({"text": ["a", None], "number": [1.0, None], "flag": pd.array([False, None], dtype="boolean")})
    result = Recipe([FillMissing(with_=constant)]).fit_transform(frame)
    assert result[filled].tolist()[1] == constant
    assert result.isna().sum().to_dict() == {name: int(name != filled) for name in frame.columns}


def test_a_nullable_integer_can_be_filled_with_a_fraction():
    frame = pd.DataFrame({"x": pd.array([1, 2, None], dtype="Int64")})
    assert Recipe([FillMissing()]).fit_transform(frame)["x"].tolist() == [1.0, 2.0, 1.5]


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]"])
@pytest.mark.parametrize(("filling", "filled"), [("mean", [1.0, 0.0, 0.5]), (2, [1.0, 0.0, 2.0]), (True, [True, False, True])])
def test_booleans_with_gaps_are_numbers_where_a_number_fills_them(dtype, filling, filled):
    frame = pd.DataFrame({"lit": pd.Series([True, False, None], dtype=dtype, index=[7, 7, 7])})
    assert Recipe([FillMissing("lit", with_=filling)]).fit_transform(frame)["lit"].tolist() == filled


@pytest.mark.parametrize(
    ("step", "dtype", "message"),
    [
        (FillMissing("n", with_=300), "Int8", "Step FillMissing cannot put 300 into column 'n', which is Int8. Cast it"),
        (FillMissing("n", with_=-1), "UInt8", "Step FillMissing cannot put -1 into column 'n', which is UInt8. Cast it"),
        (Clip("n", low=1e30), "Int64", "Step Clip cannot put 1000000000000000019884624838656 into column 'n', which is Int64. Cast it"),
    ],
)
def test_a_number_that_a_column_cannot_hold_is_named(step, dtype, message):
    with pytest.raises(RecipeError, match=message):
        Recipe([step]).fit_transform(pd.DataFrame({"n": pd.Series([1, None], dtype=dtype)}))


def test_a_category_can_be_filled_with_a_new_one():
    frame = pd.DataFrame({"x": pd.Categorical(["a", None])})
    assert Recipe([FillMissing(with_="gap")]).fit_transform(frame)["x"].tolist() == ["a", "gap"]


def test_a_whole_number_without_gaps_is_not_touched():
    frame = pd.DataFrame({"id": [2**53 + 1]})
    assert Recipe([FillMissing()]).fit_transform(frame)["id"].tolist() == [2**53 + 1]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), [1]])
def test_what_cannot_fill_is_refused(value):
    with pytest.raises(InvalidDefinitionError, match="FillMissing fills with"):
        FillMissing(with_=value)


@pytest.mark.parametrize(
    ("step", "message"), [(FillMissing("text"), "takes numbers"), (FillMissing("x", with_="gap"), "takes text"), (FillMissing("x"), "no values")]
)
def test_a_filling_that_does_not_fit_its_column_is_refused(step, message):
    with pytest.raises(RecipeError, match=message):
        Recipe([step]).fit(pd.DataFrame({"text": ["a"], "x": [np.nan]}))


def test_rows_with_a_gap_are_dropped_and_the_others_keep_their_index():
    frame = pd.DataFrame({"x": [1.0, None, 3.0], "y": [None, 1.0, 1.0]}, index=[10, 20, 30])
    assert Recipe([DropMissing("x")]).fit_transform(frame).index.tolist() == [10, 30]
    assert Recipe([DropMissing()]).fit_transform(frame).index.tolist() == [30]


def test_a_filter_keeps_the_rows_that_satisfy_it_with_their_index():
    recipe = Recipe([Filter("engines == 2 and manufacturer in ['BOEING', 'AIRBUS']")])
    expected = planes().query("engines == 2 and manufacturer in ['BOEING', 'AIRBUS']")
    assert len(expected) > 0
    assert recipe.fit_transform(planes()).equals(expected)


def test_a_filter_on_a_missing_column_names_the_nearest():
    with pytest.raises(NotFoundError, match=r"No column 'sets' in the frame that reaches step Filter. Did you mean 'seats'\?"):
        Recipe([Filter("sets > 100")]).fit(planes())


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_what_fills_is_the_same_however_the_rows_are_cut(strategy):
    frame, step = weather()[NUMBERS], FillMissing(with_=strategy)
    pieces = [frame.iloc[start : start + 1000] for start in range(0, len(frame), 1000)]
    assert step.fit(tuple(NUMBERS), pieces) == step.fit(tuple(NUMBERS), [frame])


@pytest.mark.parametrize(("keep", "kept"), [("last", [1, 2, 4]), ("first", [0, 1, 3])])
def test_of_rows_that_agree_one_stays_with_its_index_and_place(keep, kept):
    frame = pd.DataFrame({"flight": [15, 27, 15, None, None], "delay": [1, 2, 3, 4, 5]})
    assert Recipe([DropDuplicates("flight", keep=keep)]).fit_transform(frame).index.tolist() == kept


def test_without_columns_only_rows_that_are_the_same_in_all_are_duplicates():
    frame = pd.DataFrame({"x": [1, 1, 1], "y": ["a", "b", "a"]}, index=[7, 7, 7])
    assert Recipe([DropDuplicates()]).fit_transform(frame)["y"].tolist() == ["b", "a"]


def test_rows_are_told_apart_before_ingestion_only():
    assert DropDuplicates.drops_rows
    assert DropDuplicates.looks_across_rows
    assert not Clip.looks_across_rows


def test_values_that_cannot_be_compared_are_refused_as_duplicates():
    with pytest.raises(RecipeError, match="DropDuplicates cannot compare the values of 'x', 'y'"):
        Recipe([DropDuplicates()]).fit_transform(pd.DataFrame({"x": [[1], [1]], "y": 1}))


@pytest.mark.parametrize("dtype", ["int8", "Int8", "int64", "Int64", "uint64", "float32", "float64", "Float64", "int64[pyarrow]"])
def test_numbers_of_any_type_are_held_within_bounds(dtype):
    frame = pd.DataFrame({"x": pd.Series([1, 2, 9], dtype=dtype)})
    assert Recipe([Clip("x", low=2, high=300)]).fit_transform(frame)["x"].tolist() == [2, 2, 9]
    assert Recipe([Clip("x", low=-5, high=2.5)]).fit_transform(frame)["x"].tolist() == [1, 2, 2.5]
    assert Recipe([Clip("x", low=300)]).fit_transform(frame)["x"].tolist() == [300, 300, 300]


@pytest.mark.parametrize("dtype", ["Int8", "Int64", "float64", "Float64"])
def test_a_null_is_within_all_bounds(dtype):
    clipped = Recipe([Clip(low=2, high=4)]).fit_transform(pd.DataFrame({"x": pd.Series([None, 9], dtype=dtype)}))["x"]
    assert clipped.isna().tolist() == [True, False]
    assert clipped[1] == 4


def test_the_type_of_clipped_numbers_does_not_depend_on_the_values():
    frames = [pd.DataFrame({"x": values}) for values in ([1, 9], [1, 1])]
    assert {str(Recipe([Clip(high=2.5)]).fit_transform(frame)["x"].dtype) for frame in frames} == {"float64"}


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "no bound"),
        ({"low": 3, "high": 2}, "low=3 above high=2"),
        ({"low": float("nan")}, "finite number"),
        ({"high": "9"}, "finite number"),
        ({"low": True}, "finite"),
    ],
)
def test_bounds_that_hold_nothing_are_refused(bounds, message):
    with pytest.raises(InvalidDefinitionError, match=message):
        Clip("x", **bounds)


@pytest.mark.parametrize("values", [["a"], [True], pd.to_datetime(["2013-01-01"])])
def test_only_numbers_are_clipped(values):
    with pytest.raises(RecipeError, match="Step Clip takes numbers; column 'x' is"):
        Recipe([Clip("x", low=0)]).fit(pd.DataFrame({"x": values}))


@pytest.mark.parametrize("step", [Clip("x", low=0, high=1.5), Clip(high=3), DropDuplicates(), DropDuplicates(["x", "y"], keep="first")])
def test_a_step_read_back_from_json_is_the_same(step):
    recipe = Recipe([step])
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize("step", [Clip("x", low=0), DropDuplicates("x"), DropMissing("x")])
def test_no_rows_stay_no_rows(step):
    assert Recipe([step]).fit_transform(pd.DataFrame({"x": pd.Series([], dtype="int64")})).shape == (0, 1)
