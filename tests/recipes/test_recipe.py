import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.nyc_files import planes
from treering.errors import InvalidDefinitionError, NotFittedError, NotFoundError, RecipeError, StoreFormatError
from treering.recipes import Category, DateParts, DropMissing, FillMissing, Filter, Frequency, LabelEncode, MinMax, OneHot, Recipe, Robust, Standard

PLANES = ["year", "type", "manufacturer", "engines", "seats", "engine"]


def _planes_recipe() -> Recipe:
    return Recipe(
        [FillMissing(["year"], with_="median"), MinMax("seats"), Standard(["year", "engines"]), LabelEncode("manufacturer"), OneHot(maximum_categories=3)]
    )


def _through_json(recipe: Recipe) -> Recipe:
    return Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False, sort_keys=True)))


def test_a_fitted_recipe_read_back_transforms_value_for_value():
    train, later = planes()[PLANES].iloc[:2000], planes()[PLANES].iloc[2000:]
    recipe = _planes_recipe().fit(train)
    again = _through_json(recipe)
    assert again == recipe
    assert again.digest() == recipe.digest()
    pd.testing.assert_frame_equal(again.transform(later), recipe.transform(later), check_exact=True)


@given(st.lists(st.tuples(st.floats(-1e300, 1e300) | st.none(), st.text(max_size=5) | st.none()), min_size=1, max_size=20))
def test_any_learned_values_survive_json(rows):
    frame = pd.DataFrame({"x": pd.Series([row[0] for row in rows] + [0.5], dtype="float64"), "t": pd.Series([row[1] for row in rows] + ["a"], dtype=object)})
    recipe = Recipe([FillMissing("x", with_="median"), LabelEncode("t"), OneHot("t"), MinMax("x")]).fit(frame)
    assert _through_json(recipe) == recipe
    assert _through_json(recipe).transform(frame).equals(recipe.transform(frame))


def test_an_unfitted_recipe_is_read_back_unfitted():
    recipe = Recipe([Filter("seats > 3"), DropMissing(), FillMissing(with_=0), *_planes_recipe().steps])
    assert _through_json(recipe) == recipe
    assert not _through_json(recipe).is_fitted


def test_fit_learns_from_the_training_rows_alone():
    frame = planes()[PLANES]
    once = _planes_recipe().fit(frame.iloc[:1000])
    other = frame.copy()
    other.loc[1000:, "seats"] = 10_000
    assert _planes_recipe().fit(other.iloc[:1000]) == once
    assert _planes_recipe().fit(other) != once


def test_fitting_again_forgets_what_was_learned_before():
    recipe = Recipe([MinMax()]).fit(pd.DataFrame({"x": [0.0, 100.0]}))
    assert recipe.fit(pd.DataFrame({"y": [0.0, 4.0]})) is recipe
    assert recipe.transform(pd.DataFrame({"y": [1.0]}))["y"].tolist() == [0.25]


def test_a_fit_that_fails_leaves_the_recipe_as_it_was():
    recipe = Recipe([MinMax("x")]).fit(pd.DataFrame({"x": [0.0, 2.0]}))
    before = recipe.to_json()
    with pytest.raises(RecipeError):
        recipe.fit(pd.DataFrame({"x": ["a"]}))
    assert recipe.to_json() == before


def test_a_later_step_learns_from_what_the_earlier_ones_left():
    frame = pd.DataFrame({"x": [0.0, 2.0, 1000.0]})
    assert Recipe([Filter("x < 1000"), MinMax()]).fit_transform(frame)["x"].tolist() == [0.0, 1.0]


def test_the_columns_that_come_out_are_the_ones_that_were_announced():
    recipe = _planes_recipe().fit(planes()[PLANES])
    assert recipe.transform(planes()[PLANES[::-1]]).columns.tolist() == recipe.get_feature_names_out().tolist()


def test_transform_leaves_the_frame_as_it_was():
    frame = planes()[PLANES]
    _planes_recipe().fit_transform(frame)
    assert frame.equals(planes()[PLANES])


@pytest.mark.parametrize(
    ("steps", "named"),
    [([DropMissing()], ("step 1, DropMissing",)), ([MinMax(), Filter("x > 0")], ("step 2, Filter",)), ([FillMissing(), MinMax()], ())],
)
def test_a_recipe_names_the_steps_that_are_for_before_ingestion_only(steps, named):
    assert Recipe(steps).before_ingestion_only == named


@pytest.mark.parametrize(("steps", "learns"), [([DropMissing(), FillMissing(with_=0)], False), ([FillMissing()], True), ([OneHot()], True), ([MinMax()], True)])
def test_a_recipe_says_whether_it_learns_from_values(steps, learns):
    assert Recipe(steps).learns is learns


@pytest.mark.parametrize("act", [lambda recipe: recipe.transform(planes()), lambda recipe: recipe.get_feature_names_out()])
def test_a_recipe_that_was_not_fitted_says_so(act):
    with pytest.raises(NotFittedError, match="Call fit with the training rows first"):
        act(_planes_recipe())


@pytest.mark.parametrize("step_on", [FillMissing, DropMissing, LabelEncode, OneHot, Frequency, Category, DateParts, MinMax, Standard, Robust])
def test_a_missing_column_is_named_with_its_step_and_the_nearest_name(step_on):
    with pytest.raises(NotFoundError, match=rf"No column 'seat' in the frame that reaches step {step_on.__name__}. Did you mean 'seats'\?"):
        Recipe([step_on("seat")]).fit(planes())


def test_a_column_that_is_missing_after_fit_is_named_with_the_step_that_needs_it():
    recipe = Recipe([MinMax("year"), LabelEncode("engine")]).fit(planes()[["year", "engine", "model"]])
    with pytest.raises(NotFoundError, match=r"No column 'engine' in the frame given to the recipe \(step 2, LabelEncode, needs it\). Did you mean 'engines'\?"):
        recipe.transform(planes()[["year", "engines", "model"]])
    with pytest.raises(NotFoundError, match="it was there at fit"):
        recipe.transform(planes()[["year", "engine"]])


def test_a_column_that_fit_did_not_see_is_refused():
    with pytest.raises(RecipeError, match="fitted without column 'model'"):
        Recipe([MinMax("year")]).fit(planes()[["year"]]).transform(planes()[["year", "model"]])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"x": [1]}, "not dict"),
        (np.zeros((2, 2)), "not ndarray"),
        (pd.DataFrame([[1.0, 2.0]]), "whose names are text"),
        (pd.DataFrame([[1.0, 2.0]], columns=["x", "x"]), "column 'x' twice"),
        (pd.DataFrame({"t": ["a"]}), "takes numbers, and the frame that reaches it has no such column"),
    ],
)
def test_a_frame_that_no_recipe_takes_is_refused(frame, message):
    with pytest.raises(RecipeError, match=message):
        Recipe([MinMax()]).fit(frame)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "one or more steps"),
        (MinMax(), "takes a list"),
        ([MinMax], r"Make one: MinMax\("),
        ([lambda frame: frame], r"tr.step\(function\)"),
        (["MinMax"], "Steps are:"),
    ],
)
def test_what_is_no_list_of_steps_is_refused(steps, message):
    with pytest.raises(InvalidDefinitionError, match=message):
        Recipe(steps)


@pytest.mark.parametrize(("columns", "message"), [([], "no column"), (["x", "x"], "'x' twice"), ([1], "as text")])
def test_columns_that_cannot_be_meant_are_refused(columns, message):
    with pytest.raises(InvalidDefinitionError, match=message):
        MinMax(columns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"is": "os.system"}, "holds a step 'os.system', which this version of treering does not know"),
        ({"version": 2}, "MinMax step has version 2"),
        ({"parameters": {"columns": ["x"], "clip": True}}, "parameters that this version of treering does not know"),
        ({"learned": {"columns": ["x"], "quantiles": []}}, "fields that this version of treering does not know"),
    ],
)
def test_json_that_this_version_does_not_know_is_refused(change, message):
    value = Recipe([MinMax("x")]).fit(pd.DataFrame({"x": [0.0, 1.0]})).to_json()
    value["steps"][0] |= change
    with pytest.raises(StoreFormatError, match=message):
        Recipe.from_json(value)


@pytest.mark.parametrize("value", ["{}", {}, {"is": "View"}, {"is": "Recipe", "version": 1}, {"is": "Recipe", "version": 9, "steps": []}])
def test_json_that_is_no_recipe_is_refused(value):
    with pytest.raises(StoreFormatError):
        Recipe.from_json(value)


def test_importing_recipes_loads_neither_pandas_nor_scikit_learn():
    code = "import sys, treering.recipes; print(sorted({'pandas', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_missing_scikit_learn_is_named_with_the_command_that_installs_it():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import pandas as pd\nfrom treering.recipes import MinMax, Recipe\n"
        "Recipe([MinMax()]).fit(pd.DataFrame({'x': [1.0]}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Recipes needs scikit-learn: pip install 'treering[train]'" in run.stderr
