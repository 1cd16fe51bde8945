import json

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer

from support.nyc_files import planes, weather
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import DropMissing, FillMissing, Filter, Recipe

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
