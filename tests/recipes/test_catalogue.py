import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import treering as tr
from support.nyc_files import planes
from support.recipe_functions import edited, with_speed
from treering.errors import InvalidDefinitionError, InvalidNameError, NotConfirmedError, NotFoundError, ReadOnlyStoreError, RecipeError

PLANES = planes()[["seats", "engine"]]


def _recipe() -> tr.Recipe:
    return tr.Recipe([tr.FillMissing("seats"), tr.MinMax("seats"), tr.OneHot("engine")])


def test_a_saved_recipe_is_read_back_equal_from_a_folder_and_from_s3(any_root: str) -> None:
    recipe = _recipe().fit(PLANES)
    stored = tr.Store(any_root).recipes.save("planes", recipe, description="As trained", tags={"tier": "1"}, owner="Ann")
    recipes = tr.Store(any_root).recipes
    assert recipes["planes"] == recipes.get("planes") == recipe
    assert recipes["planes"].transform(PLANES).equals(recipe.transform(PLANES))
    assert recipes.describe("planes") == stored
    assert (stored.version, stored.digest, stored.is_fitted, stored.tags) == (1, recipe.digest(), True, {"tier": "1"})


def test_the_same_recipe_again_is_not_written_again(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    first = recipes.save("planes", _recipe().fit(PLANES))
    assert recipes.save("planes", _recipe().fit(PLANES)) == first
    assert len(list((tmp_path / "documents/recipes/planes").iterdir())) == 1


def test_savers_of_one_new_recipe_at_once_all_save_it(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    with ThreadPoolExecutor(4) as savers:
        saved = list(savers.map(lambda owner: recipes.save("planes", _recipe(), owner=owner), ["Ann", "Ben", "Cay", "Dan"]))
    assert sorted(stored.version for stored in saved) == [1, 2, 3, 4]


def test_other_content_or_words_are_the_next_version_and_the_old_ones_stay(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    recipes.save("planes", _recipe())
    recipes.save("planes", _recipe().fit(PLANES))
    recipes.save("planes", _recipe().fit(PLANES), owner="Ann")
    assert [(stored.version, stored.is_fitted, stored.owner) for stored in recipes.versions("planes")] == [(1, False, ""), (2, True, ""), (3, True, "Ann")]
    assert recipes.get("planes", 1) == _recipe()
    assert recipes.get("planes").is_fitted
    with pytest.raises(NotFoundError, match=r"Recipe 'planes' has no version 4. It has: 1, 2, 3"):
        recipes.get("planes", 4)


def test_two_versions_are_compared_in_words(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    recipes.save("planes", tr.Recipe([tr.MinMax("seats")]).fit(PLANES[["seats"]].query("seats < 300")))
    recipes.save("planes", tr.Recipe([tr.MinMax("seats")]).fit(PLANES[["seats"]]))
    lines = str(recipes.diff("planes", 1, 2)).splitlines()
    assert lines[0] == "fitted on: 3,108 rows -> 3,322 rows"
    assert "MinMax(seats): data_max_ 292 -> 450" in lines
    assert not recipes.diff("planes", 2, 2)


def test_a_function_of_ones_own_is_asked_for_when_the_recipe_is_used_and_not_before(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    recipe = tr.Recipe([tr.step(with_speed)])
    recipes.save("speeds", recipe)
    assert recipes.get("speeds", functions={"with_speed": with_speed}) == recipe
    assert recipes.describe("speeds").steps == ("with_speed()",)
    with pytest.raises(RecipeError, match=r"your function 'with_speed', which is not stored.*functions=\{'with_speed': \.\.\.\}"):
        recipes["speeds"]
    with pytest.raises(RecipeError, match="not the one that was saved"):
        recipes.get("speeds", functions={"with_speed": edited.with_speed})


def test_recipes_are_a_mapping_and_show_their_steps(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    recipes.save("planes", _recipe().fit(PLANES), description="As trained", owner="Ann")
    recipes.save("early", tr.Recipe([tr.MinMax()]))
    assert (list(recipes), len(recipes), "planes" in recipes, "plane" in recipes, 5 in recipes) == (["early", "planes"], 2, True, False, False)
    shown = "2 recipes\n  early: version 1, MinMax()\n  planes: version 1, FillMissing(seats), MinMax(seats), OneHot(engine)"
    assert repr(recipes) == shown
    told = repr(recipes.describe("planes")).splitlines()
    assert told[0].startswith("Recipe 'planes' version 1, fitted on 3,322 rows, saved 20")
    assert told[1:] == ["  As trained", "  owner Ann", "  1. FillMissing(seats)", "  2. MinMax(seats)", "  3. OneHot(engine)"]


def test_a_recipe_is_dropped_when_it_is_named_twice_and_its_numbers_are_not_given_again(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    recipes.save("planes", _recipe())
    with pytest.raises(NotConfirmedError, match=r"its versions \(1\).*say drop\('planes', confirm='planes'\)"):
        recipes.drop("planes", confirm="plane")
    recipes.drop("planes", confirm="planes")
    assert "planes" not in recipes
    with pytest.raises(NotFoundError, match="No recipe 'planes' in the store"):
        recipes.versions("planes")
    assert recipes.save("planes", _recipe()).version == 3
    assert [stored.version for stored in recipes.versions("planes")] == [3]


def test_what_is_kept_and_what_changed_can_be_written_as_json(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    stored = recipes.save("planes", tr.Recipe([tr.MinMax("seats")]), owner="Ann")
    recipes.save("planes", tr.Recipe([tr.Standard("seats")]))
    written = json.loads(json.dumps(stored.to_json()))
    assert (written["name"], written["version"], written["owner"], written["steps"]) == ("planes", 1, "Ann", ["MinMax(seats)"])
    assert tr.Recipe.from_json(written["recipe"]) == tr.Recipe([tr.MinMax("seats")])
    assert json.loads(json.dumps(recipes.diff("planes", 1, 2).to_json())) == [
        {"kind": "removed", "step": "MinMax(seats)", "text": "removed; it was step 1"},
        {"kind": "added", "step": "Standard(seats)", "text": "added as step 1"},
    ]


@pytest.mark.parametrize("act", [lambda recipes: recipes["plane"], lambda recipes: recipes.get("plane"), lambda recipes: recipes.diff("plane", 1, 2)])
def test_a_name_that_no_recipe_has_comes_with_the_nearest_one(tmp_path: Path, act: Any) -> None:
    recipes = tr.Store(tmp_path).recipes
    recipes.save("planes", _recipe())
    with pytest.raises(NotFoundError, match=r"No recipe 'plane' in the store. Did you mean 'planes'"):
        act(recipes)


def test_what_is_no_recipe_or_no_name_is_not_kept(tmp_path: Path) -> None:
    recipes = tr.Store(tmp_path).recipes
    with pytest.raises(InvalidNameError):
        recipes.save("my planes", _recipe())
    with pytest.raises(InvalidDefinitionError, match=r"keeps recipes, not MinMax\. Make one"):
        recipes.save("planes", tr.MinMax())  # type: ignore[arg-type]  # The mistake.
    assert list(recipes) == []


def test_a_read_only_store_reads_recipes_and_keeps_none(tmp_path: Path) -> None:
    tr.Store(tmp_path).recipes.save("planes", _recipe())
    recipes = tr.Store(tmp_path, read_only=True).recipes
    assert recipes["planes"] == _recipe()
    with pytest.raises(ReadOnlyStoreError):
        recipes.save("planes", tr.Recipe([tr.MinMax()]))
    assert recipes.save("planes", _recipe()).version == 1


def test_orders_cycles_and_names_are_kept_as_they_are(tmp_path: Path) -> None:
    recipe = tr.Recipe([tr.LabelEncode("x", categories=[3, 1]), tr.DateParts("at", cycles=True), tr.Rename({"y": "z"})])
    recipes = tr.Store(tmp_path).recipes
    first = recipes.save("all", recipe.fit(pd.DataFrame({"x": [1], "y": ["é"], "at": pd.to_datetime(["2013-01-01T00:00Z"])})))
    assert recipes.save("all", recipe) == first
    assert recipes["all"] == recipe
