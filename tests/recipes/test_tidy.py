import json

import numpy as np
import pandas as pd
import pytest

from treering.errors import InvalidDefinitionError, InvalidNameError, NotFoundError, RecipeError
from treering.recipes import DropColumns, KeepColumns, Recipe, Rename, Strip

FRAME = pd.DataFrame({"Air Time": [60, 90], "day": [1, 2], "note": [" a", "b "]}, index=[3, 3])


def test_columns_get_other_names_and_keep_their_places():
    recipe = Recipe([Rename({"note": "remark", "Air Time": "air_time"})])
    assert list(recipe.fit_transform(FRAME)) == recipe.get_feature_names_out().tolist() == ["air_time", "day", "remark"]
    assert list(FRAME) == ["Air Time", "day", "note"]


def test_two_columns_can_exchange_their_names():
    swapped = Recipe([Rename({"day": "note", "note": "day"})]).fit_transform(FRAME)
    assert list(swapped) == ["Air Time", "note", "day"]
    assert swapped["note"].tolist() == [1, 2]


def test_a_column_can_change_its_case():
    assert list(Recipe([Rename({"day": "Day"})]).fit_transform(FRAME))[1] == "Day"


@pytest.mark.parametrize("new", ["day", "DAY"])
def test_a_new_name_that_is_taken_is_refused(new):
    with pytest.raises(RecipeError, match=f"makes '{new}' of 'note', and the frame that reaches it has 'day' already"):
        Recipe([Rename({"note": new})]).fit(FRAME)


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ({}, InvalidDefinitionError),
        (["day"], InvalidDefinitionError),
        ({3: "day"}, InvalidDefinitionError),
        ({"a": "b", "c": "B"}, InvalidNameError),
        ({"a": "b", "c": "b"}, InvalidNameError),
        ({"a": "air time"}, InvalidNameError),
        ({"a": "write_time"}, InvalidNameError),
        ({"a": 3}, InvalidNameError),
    ],
)
def test_names_that_cannot_be_given_are_refused(names, error):
    with pytest.raises(error):
        Rename(names)


def test_the_mapping_that_was_given_may_change_afterwards():
    names = {"day": "d"}
    step = Rename(names)
    names["note"] = "n"
    assert step == Rename({"day": "d"})


@pytest.mark.parametrize("dtype", [object, "str", "string", "category"])
def test_outer_white_space_is_taken_off_text_of_any_type(dtype):
    frame = pd.DataFrame({"x": pd.Series(["\u2003a b\n", "", None, "  "], dtype=dtype)})
    stripped = Recipe([Strip()]).fit_transform(frame)["x"]
    assert stripped.fillna("null").tolist() == ["a b", "", "null", ""]
    assert Recipe([Strip(empty_is_null=True)]).fit_transform(frame)["x"].isna().tolist() == [False, True, True, True]


def test_values_that_are_no_text_stay():
    assert Recipe([Strip("x")]).fit_transform(pd.DataFrame({"x": [" a", 1, None, 2.5]}))["x"].tolist()[:2] == ["a", 1]


def test_a_batch_of_nothing_but_nulls_stays_null():
    recipe = Recipe([Strip("note")]).fit(FRAME)
    assert recipe.transform(FRAME.assign(note=np.nan))["note"].isna().all()


def test_only_text_is_stripped():
    assert list(Recipe([Strip()]).fit_transform(FRAME)["note"]) == ["a", "b"]
    with pytest.raises(RecipeError, match="Step Strip takes text; column 'day' is int64"):
        Recipe([Strip("day")]).fit(FRAME)


def test_columns_are_dropped_or_kept_in_the_order_named():
    for step, names in ((DropColumns("day"), ["Air Time", "note"]), (KeepColumns(["note", "day"]), ["note", "day"])):
        recipe = Recipe([step])
        assert list(recipe.fit_transform(FRAME)) == recipe.get_feature_names_out().tolist() == names


def test_a_column_is_left():
    with pytest.raises(RecipeError, match="drops every column"):
        Recipe([DropColumns(list(FRAME))]).fit(FRAME)


@pytest.mark.parametrize("step", [DropColumns("nota"), KeepColumns(["day", "nota"]), Strip("nota"), Rename({"nota": "n"})])
def test_a_column_that_is_missing_is_named_with_the_nearest(step):
    with pytest.raises(NotFoundError, match=rf"No column 'nota' in the frame that reaches step {step.name}. Did you mean 'note'\?"):
        Recipe([step]).fit(FRAME)


@pytest.mark.parametrize("kind", [DropColumns, KeepColumns])
def test_columns_to_drop_or_keep_have_to_be_named(kind):
    with pytest.raises(InvalidDefinitionError, match="name the columns"):
        kind(None)


@pytest.mark.parametrize("step", [DropColumns("day"), KeepColumns(["note", "day"]), Strip("note", empty_is_null=True), Rename({"note": "n", "Air Time": "a"})])
def test_a_step_read_back_from_json_is_the_same(step):
    recipe = Recipe([step]).fit(FRAME)
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), sort_keys=True)))
    assert again == recipe
    assert again.steps[0] == step
    assert again.transform(FRAME).equals(recipe.transform(FRAME))


@pytest.mark.parametrize("step", [DropColumns("day"), KeepColumns("note"), Strip(), Rename({"note": "n"})])
def test_no_rows_stay_no_rows(step):
    assert len(Recipe([step]).fit_transform(FRAME.iloc[:0])) == 0
