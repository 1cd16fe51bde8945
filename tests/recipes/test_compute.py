import json

import pandas as pd
import pytest

from treering.errors import InvalidDefinitionError, InvalidNameError, NotFoundError, RecipeError
from treering.recipes import Compute, MinMax, Recipe

FRAME = pd.DataFrame(
    {
        "distance": [200.0, 90.0, None],
        "air_time": [40, 0, 30],
        "seats": pd.array([2, None, 4], dtype="Int64"),
        "origin": pd.Categorical(["EWR", "JFK", None]),
    },
    index=[5, 5, 9],
)


def computed(expression: str) -> "pd.Series":
    return Recipe([Compute("new", expression)]).fit_transform(FRAME)["new"]


def test_a_number_is_computed_row_by_row_and_a_null_or_a_division_by_zero_gives_null():
    assert computed("distance / air_time * 60").fillna(-1).tolist() == [300.0, -1, -1]
    assert computed("distance / air_time").dtype == "float64"


def test_whole_numbers_stay_whole():
    assert computed("seats * 2 + 1").tolist() == [5, pd.NA, 9]
    assert computed("air_time // 7").tolist() == [5, 0, 4]


def test_a_condition_is_true_false_or_null():
    late = computed("distance > 100 and origin == 'EWR'")
    assert late.tolist() == [True, False, pd.NA]
    assert late.dtype == "boolean"


def test_a_column_can_be_copied():
    assert computed("origin").equals(FRAME["origin"].rename("new"))


def test_a_new_column_comes_last_and_a_replaced_one_stays_in_its_place():
    recipe = Recipe([Compute("speed", "distance * 2"), Compute("air_time", "air_time / 60"), MinMax("speed")])
    result = recipe.fit_transform(FRAME)
    assert list(result) == recipe.get_feature_names_out().tolist() == ["distance", "air_time", "seats", "origin", "speed"]
    assert result.index.tolist() == [5, 5, 9]
    assert FRAME["air_time"].tolist() == [40, 0, 30]


def test_no_rows_give_no_values():
    assert Recipe([Compute("new", "distance / air_time")]).fit_transform(FRAME.iloc[:0])["new"].tolist() == []


def test_a_computation_read_back_from_json_is_the_same():
    recipe = Recipe([Compute("speed", "distance / air_time")]).fit(FRAME)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(NotFoundError, match=r"No column 'distanse' in the frame that reaches step Compute. Did you mean 'distance'\?"):
        Recipe([Compute("speed", "distanse / air_time")]).fit(FRAME)


def test_a_name_that_differs_only_by_case_is_refused():
    with pytest.raises(RecipeError, match="Step Compute adds column 'Distance', and the frame that reaches it has 'distance' already"):
        Recipe([Compute("Distance", "distance * 2")]).fit(FRAME)


@pytest.mark.parametrize(
    ("column", "expression", "error"),
    [
        ("air time", "n + 1", InvalidNameError),
        ("", "n + 1", InvalidNameError),
        (3, "n + 1", InvalidDefinitionError),
        ("y", "print(n)", InvalidDefinitionError),
        ("y", "1 + 1", InvalidDefinitionError),
        ("y", "n if n else 0", InvalidDefinitionError),
    ],
)
def test_what_cannot_be_computed_is_refused_when_it_is_written(column, expression, error):
    with pytest.raises(error):
        Compute(column, expression)


@pytest.mark.parametrize("expression", ["origin + 1", "distance > 'a'", "origin * 2 > 3"])
def test_values_of_the_wrong_kind_are_refused(expression):
    with pytest.raises(RecipeError, match=r"is no number|is a number and is compared with text"):
        computed(expression)


def test_a_column_may_have_any_name_that_a_feature_has():
    frame = pd.DataFrame({"self": [1.0, 3.0]})
    assert Recipe([Compute("self", "self * 2")]).fit_transform(frame)["self"].tolist() == [2.0, 6.0]
    assert frame["self"].tolist() == [1.0, 3.0]
