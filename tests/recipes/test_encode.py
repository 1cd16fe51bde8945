import json

import pandas as pd
import pytest
from sklearn.preprocessing import LabelEncoder

from support.nyc_files import planes
from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes import Category, Frequency, LabelEncode, MinMax, OneHot, Recipe

TEXT = ["type", "manufacturer", "model", "engine"]


def _again(recipe: Recipe) -> Recipe:
    return Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False, sort_keys=True)))


@pytest.mark.parametrize("column", [*TEXT, "engines", "seats"])
def test_label_codes_are_scikit_learns(column):
    frame = planes()[[column]]
    assert Recipe([LabelEncode(column)]).fit_transform(frame)[column].tolist() == LabelEncoder().fit_transform(frame[column]).tolist()


def test_unknown_and_null_have_the_codes_that_were_declared():
    recipe = Recipe([LabelEncode("origin", unknown=-9, null=-5)]).fit(pd.DataFrame({"origin": ["LGA", None, "EWR"]}))
    frame = pd.DataFrame({"origin": ["BOS", None, "EWR", "LGA"]})
    assert recipe.transform(frame)["origin"].tolist() == [-9, -5, 0, 1]
    assert _again(recipe).transform(frame).equals(recipe.transform(frame))


@pytest.mark.parametrize("codes", [{"unknown": 0}, {"null": 3}, {"unknown": True}])
def test_a_declared_code_that_a_category_could_have_is_refused(codes):
    with pytest.raises(InvalidDefinitionError, match="below 0"):
        LabelEncode(**codes)


def test_whole_numbers_with_gaps_are_the_categories_of_those_without():
    recipe = Recipe([LabelEncode("engines")]).fit(pd.DataFrame({"engines": [2, 4, 1]}))
    assert recipe.transform(pd.DataFrame({"engines": [4.0, None, 1.0]}))["engines"].tolist() == [2, -2, 0]


@pytest.mark.parametrize("step", [LabelEncode("x"), OneHot("x")])
def test_values_that_cannot_be_sorted_are_refused(step):
    with pytest.raises(RecipeError, match="several types"):
        Recipe([step]).fit(pd.DataFrame({"x": pd.Series(["a", 1], dtype=object)}))


@pytest.mark.parametrize("step", [LabelEncode("x"), Frequency("x"), Category("x"), OneHot("x")])
def test_infinity_is_no_category(step):
    with pytest.raises(RecipeError, match="'x' holds infinite values"):
        Recipe([step]).fit(pd.DataFrame({"x": [1.0, float("inf")]}))


@pytest.mark.parametrize("step", [LabelEncode("x"), Frequency("x"), Category("x"), OneHot("x")])
def test_a_column_of_nulls_has_no_categories_to_learn(step):
    with pytest.raises(RecipeError, match="holds no values"):
        Recipe([step]).fit(pd.DataFrame({"x": pd.Series([None, None], dtype=object)}))


def test_a_frame_without_rows_gets_all_columns():
    recipe = Recipe([OneHot("x"), LabelEncode("y")]).fit(pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"]}))
    empty = recipe.transform(pd.DataFrame({"x": [], "y": []}, dtype=str))
    assert empty.dtypes.astype(str).to_dict() == {"y": "int64", "x_a": "int64", "x_b": "int64"}


ORDER = ["Fixed wing single engine", "Rotorcraft", "Fixed wing multi engine"]


def test_an_order_of_ones_own_gives_its_positions_and_learns_nothing():
    recipe = Recipe([LabelEncode("type", categories=ORDER)]).fit(planes().iloc[:1])
    assert not recipe.learns
    assert recipe.transform(planes())["type"].tolist() == [ORDER.index(value) for value in planes()["type"]]
    assert _again(recipe) == recipe


def test_what_is_not_in_the_order_is_unknown():
    frame = pd.DataFrame({"size": [3, 1, 2, None]})
    assert Recipe([LabelEncode("size", categories=[3, 1], unknown=-7)]).fit_transform(frame)["size"].tolist() == [0, 1, -7, -2]


@pytest.mark.parametrize("categories", [[], ["a", "a"], "low", 3, [None], [float("nan")], [float("inf")], [["a"]]])
def test_an_order_that_means_nothing_is_refused(categories):
    with pytest.raises(InvalidDefinitionError, match="LabelEncode"):
        LabelEncode(categories=categories)


def test_a_frequency_is_the_share_of_the_rows_of_fit():
    train, later = planes().iloc[:2000], planes().iloc[2000:]
    recipe = Recipe([Frequency("model")]).fit(train[["model"]])
    expected = later["model"].map(train["model"].value_counts() / len(train)).fillna(0.0)
    assert recipe.transform(later[["model"]])["model"].tolist() == expected.tolist()
    assert _again(recipe) == recipe


def test_a_frequency_counts_rows_with_nulls_and_leaves_them_null():
    recipe = Recipe([Frequency("x")]).fit(pd.DataFrame({"x": ["a", "a", None, None, "b"]}))
    assert recipe.transform(pd.DataFrame({"x": ["a", "c", None]}))["x"].fillna(-1).tolist() == [0.4, 0.0, -1]


def test_a_category_has_the_code_of_a_label_encoding_and_is_announced():
    frame = planes()[["manufacturer", "seats"]]
    recipe = Recipe([Category("manufacturer"), MinMax("seats")]).fit(frame)
    assert recipe.transform(frame)["manufacturer"].tolist() == LabelEncoder().fit_transform(frame["manufacturer"]).tolist()
    assert recipe.categories_out == _again(recipe).categories_out == ("manufacturer",)


def test_the_rarest_categories_the_unknown_and_the_null_have_no_code():
    recipe = Recipe([Category("x", maximum_categories=2)]).fit(pd.DataFrame({"x": ["d", "c", "b", "b", "d", "a"]}))
    assert recipe.transform(pd.DataFrame({"x": ["b", "d", "a", "z", None]}))["x"].fillna(99).tolist() == [0, 1, 99, 99, 99]


def test_of_equally_frequent_categories_the_first_keep_their_codes():
    recipe = Recipe([Category("x", maximum_categories=2)]).fit(pd.DataFrame({"x": ["c", "b", "a"]}))
    assert recipe.transform(pd.DataFrame({"x": ["a", "b", "c"]}))["x"].fillna(99).tolist() == [0, 1, 99]


@pytest.mark.parametrize("later", [MinMax("x"), OneHot("x")])
def test_codes_that_a_later_step_learned_from_are_no_categories(later):
    assert Recipe([Category("x"), later]).fit(pd.DataFrame({"x": ["a", "b"]})).categories_out == ()


@pytest.mark.parametrize("maximum", [1, 0, 2.0, True])
def test_a_cap_that_means_nothing_is_refused(maximum):
    with pytest.raises(InvalidDefinitionError, match="Category has maximum_categories"):
        Category(maximum_categories=maximum)
