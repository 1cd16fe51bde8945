import functools
import json

import pandas as pd
import pytest

from support import recipe_functions as mine
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import MinMax, Recipe, step, step_across_rows

FRAME = pd.DataFrame({"distance": [100.0, 300.0], "air_time": [60.0, 90.0]})


@step
def with_distance_in_km(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(km=frame["distance"] * 1.609)


def test_a_function_is_a_step_with_its_parameters():
    result = Recipe([step(mine.with_speed, per_hour=30), MinMax("speed")]).fit_transform(FRAME)
    assert result["speed"].tolist() == [0.0, 1.0]
    assert "speed" not in FRAME


def test_a_decorated_function_is_a_step_and_can_still_be_called():
    assert with_distance_in_km(FRAME)["km"].tolist() == Recipe([with_distance_in_km]).fit_transform(FRAME)["km"].tolist()


def test_json_holds_the_name_and_the_digest_of_a_function_and_not_its_code():
    stored = Recipe([step(mine.with_speed, per_hour=30)]).to_json()["steps"][0]["parameters"]
    assert stored["function"] == "with_speed"
    assert stored["parameters"] == {"per_hour": 30}
    assert len(stored["source_digest"]) == len("sha256:") + 64


def test_a_recipe_with_a_function_is_read_back_when_the_function_is_given():
    recipe = Recipe([step(mine.with_speed, per_hour=30), with_distance_in_km]).fit(FRAME)
    value = json.loads(json.dumps(recipe.to_json()))
    again = Recipe.from_json(value, functions={"with_speed": mine.with_speed, "with_distance_in_km": with_distance_in_km})
    assert again == recipe
    assert again.transform(FRAME).equals(recipe.transform(FRAME))


def test_a_function_that_is_not_given_is_never_imported():
    value = Recipe([step(mine.with_speed)]).to_json()
    with pytest.raises(RecipeError, match=r"your function 'with_speed', which is not stored with it. Pass it"):
        Recipe.from_json(value)


def test_a_function_that_changed_since_it_was_saved_is_refused():
    value = Recipe([step(mine.with_speed)]).to_json()
    with pytest.raises(RecipeError, match="The source of function 'with_speed' is not the one that was saved"):
        Recipe.from_json(value, functions={"with_speed": mine.edited.with_speed})


def test_recipes_with_other_functions_or_parameters_differ():
    recipes = [Recipe([made]) for made in (step(mine.with_speed), step(mine.with_speed, per_hour=1), step(mine.edited.with_speed))]
    assert len({recipe.digest() for recipe in recipes}) == 3


def test_a_function_may_change_the_frame_that_it_gets_without_changing_yours():
    assert Recipe([step(mine.in_place)]).fit_transform(FRAME)["distance"].tolist() == [0.0, 0.0]
    assert FRAME["distance"].tolist() == [100.0, 300.0]


@pytest.mark.parametrize(
    ("function", "message"), [(mine.without_a_row, "returned 1 rows for 2"), (mine.forgetful, "returned NoneType"), (mine.changeable, "returned the columns")]
)
def test_a_function_that_breaks_its_promise_is_refused(function, message):
    with pytest.raises(RecipeError, match=message):
        Recipe([step(function)]).fit(FRAME).transform(FRAME.iloc[:1])


def test_a_column_that_a_function_had_at_fit_has_to_be_there_later():
    recipe = Recipe([step(mine.with_speed)]).fit(FRAME)
    with pytest.raises(NotFoundError, match=r"No column 'air_time' in the frame given to the recipe \(step 1, Derived, needs it\)"):
        recipe.transform(FRAME[["distance"]])


def _inner(factor):
    def doubled(frame):
        return frame * factor

    return doubled


def _without_source():
    namespace = {}
    exec("def unread(frame):\n    return frame", namespace)
    return namespace["unread"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda frame: frame, "written with `def`, in a file"),
        (len, "written with `def`, in a file"),
        (functools.partial(mine.with_speed, per_hour=1), "written with `def`, in a file"),
        (_inner(2), "captures factor"),
        (_without_source(), "cannot be read. Define it in a file"),
    ],
)
def test_a_function_whose_source_does_not_say_it_all_is_refused(function, message):
    with pytest.raises(InvalidDefinitionError, match=message):
        step(function)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, pd.Timestamp(0)])
def test_a_parameter_that_json_cannot_hold_is_refused(value):
    with pytest.raises(InvalidDefinitionError, match="cannot be written as JSON"):
        step(mine.with_speed, per_hour=value)


@step_across_rows
def with_mean_of_plane(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(mean=frame.groupby("air_time")["distance"].transform("mean"))


def test_a_function_that_looks_at_other_rows_says_so_and_sees_them_all_at_once():
    frame = pd.DataFrame({"distance": [1.0, 3.0] * 50_000, "air_time": 60.0})
    assert with_mean_of_plane.looks_across_rows
    assert not step(mine.with_speed).looks_across_rows
    assert set(Recipe([with_mean_of_plane]).fit_transform(frame)["mean"]) == {2.0}


def test_a_function_across_rows_is_read_back_as_one():
    value = json.loads(json.dumps(Recipe([with_mean_of_plane]).fit(FRAME).to_json()))
    again = Recipe.from_json(value, functions={"with_mean_of_plane": with_mean_of_plane.function})
    assert again.steps[0] == with_mean_of_plane
    assert again.steps[0].looks_across_rows


def test_whether_a_function_looks_across_rows_is_part_of_what_a_recipe_is():
    assert Recipe([step(mine.with_speed)]) != Recipe([step_across_rows(mine.with_speed)])
