from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from support.nyc_files import planes
from support.recipe_functions import with_speed
from treering.recipes import DateParts, FillMissing, Filter, LabelEncode, MinMax, OneHot, Recipe, Standard, Step, step
from treering.recipes.diff import RecipeDiff


def _shown(old: Recipe, new: Recipe) -> list[str]:
    return str(RecipeDiff.of(old.to_json(), new.to_json())).splitlines()


def _of(old: Sequence[Step[Any]], new: Sequence[Step[Any]]) -> list[str]:
    return _shown(Recipe(old), Recipe(new))


def test_equal_recipes_have_no_difference() -> None:
    recipe = Recipe([MinMax("seats"), OneHot("engine")]).fit(planes()[["seats", "engine"]])
    diff = RecipeDiff.of(recipe.to_json(), Recipe.from_json(recipe.to_json()).to_json())
    assert (bool(diff), str(diff)) == (False, "no difference")


def test_steps_that_came_went_and_moved_are_told_with_their_places() -> None:
    old = [Filter("x > 0"), MinMax("x"), LabelEncode("t"), Standard("y")]
    new = [MinMax("x"), Standard("y"), LabelEncode("t"), OneHot("u")]
    assert _of(old, new) == [
        "Filter(): removed; it was step 1",
        "Standard(y): moved from step 4 to step 2",
        "OneHot(u): added as step 4",
    ]


def test_a_changed_parameter_is_told_with_both_values() -> None:
    assert _of([FillMissing("x"), MinMax("x")], [FillMissing("x", with_="median"), MinMax(["x", "y"])]) == [
        "FillMissing(x): with_ 'mean' -> 'median'",
        "MinMax(x, y): columns ['x'] -> ['x', 'y']",
    ]


def test_a_step_that_was_changed_and_moved_is_told_as_both() -> None:
    assert _of([MinMax("x"), Standard("y")], [Standard("x"), MinMax("x")]) == [
        "Standard(x): moved from step 2 to step 1",
        "Standard(x): columns ['y'] -> ['x']",
    ]


def test_of_several_steps_of_a_kind_the_changed_one_is_found() -> None:
    old, new = [MinMax("x"), MinMax("y"), MinMax("z")], [MinMax("x"), MinMax("w"), MinMax("z")]
    assert _of(old, new) == ["MinMax(w): columns ['y'] -> ['w']"]


def test_a_functions_parameters_are_told_and_another_function_is_another_step() -> None:
    assert _of([step(with_speed, per_hour=60)], [step(with_speed, per_hour=90)]) == ["with_speed(): parameters {'per_hour': 60} -> {'per_hour': 90}"]
    assert _of([step(with_speed)], [MinMax()]) == ["with_speed(): removed; it was step 1", "MinMax(): added as step 1"]


def test_learned_numbers_are_told_by_column_and_categories_as_gained_and_lost() -> None:
    steps = [MinMax(["seats", "engines"]), OneHot("engine")]
    old = Recipe(steps).fit(pd.DataFrame({"seats": [0, 50], "engines": [1, 2], "engine": ["jet", "prop"]}))
    new = Recipe(steps).fit(pd.DataFrame({"seats": [0, 80], "engines": [1, 2], "engine": ["jet", "fan"]}))
    assert _shown(old, new) == [
        "MinMax(seats): scale_ 0.02 -> 0.0125",
        "MinMax(seats): data_max_ 50 -> 80",
        "OneHot(engine): own gained 'fan', lost 'prop'",
        "OneHot(engine): names gained 'engine_fan', lost 'engine_prop'",
    ]


def test_numbers_that_differ_in_the_last_bit_are_told_in_full() -> None:
    old, new = (Recipe([MinMax("x")]).fit(pd.DataFrame({"x": [0.0, value]})) for value in (0.3, 0.1 + 0.2))
    assert "MinMax(x): data_max_ 0.3 -> 0.30000000000000004" in _shown(old, new)


def test_many_categories_are_counted_beyond_the_first() -> None:
    old, new = (Recipe([LabelEncode("x")]).fit(pd.DataFrame({"x": names})) for names in (["a"], [f"b{number}" for number in range(9)]))
    assert "LabelEncode(x): categories gained 'b0', 'b1', 'b2', 'b3', 'b4' and 4 more, lost 'a'" in _shown(old, new)


def test_a_column_found_by_its_type_that_is_new_is_gained() -> None:
    old, new = Recipe([MinMax()]).fit(pd.DataFrame({"x": [0, 1]})), Recipe([MinMax()]).fit(pd.DataFrame({"x": [0, 1], "y": [0, 1]}))
    assert _shown(old, new) == ["columns: gained 'y'", "MinMax(x, y): columns gained 'y'"]


@pytest.mark.parametrize("rows", [1, 1_000])
def test_a_fit_is_told_by_its_rows(rows: int) -> None:
    fitted = Recipe([DateParts("at")]).fit(pd.DataFrame({"at": pd.to_datetime(["2013-01-01T00:00Z"] * rows)}))
    assert _shown(Recipe(fitted.steps), fitted) == [f"fitted on: nothing yet -> {rows:,} rows"]
