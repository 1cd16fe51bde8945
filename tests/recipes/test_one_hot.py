import json

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

from support.nyc_files import planes
from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes import OneHot, Recipe
from treering.schema.names import check_column_names

TEXT = ["type", "manufacturer", "model", "engine"]


def _again(recipe: Recipe) -> Recipe:
    return Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False, sort_keys=True)))


@pytest.mark.parametrize("maximum", [None, 2, 3, 10])
def test_one_hot_is_scikit_learns_value_for_value(maximum):
    frame = planes()[TEXT]
    ours = Recipe([OneHot(maximum_categories=maximum)]).fit(frame)
    theirs = OneHotEncoder(max_categories=maximum, sparse_output=False).fit(frame)
    np.testing.assert_array_equal(ours.transform(frame).to_numpy(), theirs.transform(frame))
    np.testing.assert_array_equal(_again(ours).transform(frame).to_numpy(), theirs.transform(frame))


def test_one_hot_columns_follow_the_rule_for_feature_names():
    recipe = Recipe([OneHot()]).fit(planes()[TEXT])
    names = recipe.get_feature_names_out()
    assert check_column_names(names) == tuple(recipe.transform(planes()[TEXT]).columns)
    assert "type_Fixed_wing_multi_engine" in names


def test_categories_whose_names_would_be_equal_get_names_of_their_own():
    frame = pd.DataFrame({"x_a_b": [1, 1, 1, 1, 1], "x": ["a b", "a-b", "A-B", "*", "c" * 80]})
    names = Recipe([OneHot("x")]).fit(frame).get_feature_names_out().tolist()
    assert len(check_column_names(names)) == 6
    assert Recipe([OneHot("x")]).fit(frame[::-1]).get_feature_names_out().tolist() == names


def test_a_null_and_an_unknown_category_are_0_everywhere():
    recipe = Recipe([OneHot("origin")]).fit(pd.DataFrame({"origin": ["EWR", "JFK", None]}))
    frame = pd.DataFrame({"origin": ["BOS", None, "JFK"]}, index=[7, 7, 9])
    assert recipe.transform(frame).to_numpy().tolist() == [[0, 0], [0, 0], [0, 1]]
    assert recipe.transform(frame).index.tolist() == [7, 7, 9]


def test_an_unknown_category_can_be_refused_and_a_null_or_a_rare_one_is_not_unknown():
    recipe = Recipe([OneHot("x", unknown="error", maximum_categories=2)]).fit(pd.DataFrame({"x": ["a", "a", "b", "c"]}))
    assert recipe.transform(pd.DataFrame({"x": ["c", None, "a"]})).to_numpy().tolist() == [[0, 1], [0, 0], [1, 0]]
    with pytest.raises(RecipeError, match=r"'d', which fit did not see \(2 such rows\)"):
        recipe.transform(pd.DataFrame({"x": ["a", "d", "d"]}))


@pytest.mark.parametrize("parameters", [{"unknown": "drop"}, {"maximum_categories": 1}, {"maximum_categories": 2.0}])
def test_a_one_hot_with_parameters_that_mean_nothing_is_refused(parameters):
    with pytest.raises(InvalidDefinitionError, match="OneHot has"):
        OneHot(**parameters)
