from pathlib import Path
from typing import Any

import pytest

import treering as tr
from support.airports import LABELS, store_with_weather
from support.ticking import Ticking
from treering.errors import AlreadyExistsError, FeatureGroupNotFoundError, FeatureNotFoundError, InvalidDefinitionError, NotConfirmedError, NotFoundError
from treering.lineage import dependants_of_group
from treering.storage.documents import Documents
from treering.storage.local_objects import LocalObjects

LOOKUPS = [tr.Lookup("weather", on="origin", features=["temp"], max_age="6h")]


def test_a_view_is_kept_and_looked_up_by_name(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("late_arrivals", LOOKUPS, description="As known at departure", tags={"tier": "1"}, owner="Ann")
    again = tr.Store(tmp_path).views["late_arrivals"]
    assert again == view
    assert store.lookup(LABELS, again).to_arrow().equals(store.lookup(LABELS, LOOKUPS).to_arrow())
    assert (list(store.views), len(store.views), "late_arrivals" in store.views, store.views.list()) == (["late_arrivals"], 1, True, [view])


def test_a_view_may_be_created_again_as_it_is(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    first = store.views.create("v", LOOKUPS, tags={"tier": "1"})
    assert store.views.create("v", LOOKUPS[0], tags={"tier": "1"}) == first
    assert len(list((tmp_path / "documents/views/v").iterdir())) == 1


@pytest.mark.parametrize("features", [["temp"], ["sky", "temp"]])
def test_a_views_name_is_not_given_to_other_lookups(tmp_path: Path, features: list[str]) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("v", tr.Lookup("weather", on="origin", features=["temp", "sky"]))
    with pytest.raises(AlreadyExistsError, match=r"a view 'v' already, with other content\. Change it with store\.views\.update\('v', \.\.\.\)"):
        store.views.create("v", tr.Lookup("weather", on="origin", features=features))


def test_an_updated_view_keeps_what_is_not_said(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("v", LOOKUPS, description="As known", owner="Ann")
    wider = tr.Lookup("weather", on="origin", max_age="12h")
    updated = store.views.update("v", wider, description="")
    assert updated == tr.Store(tmp_path).views["v"] == tr.View("v", (wider,), owner="Ann")
    assert store.views.update("v", owner="Bob").lookups == (wider,)


def test_an_older_version_of_a_view_is_found_again(any_root: str) -> None:
    store, _ = store_with_weather(any_root)
    first = store.views.create("v", LOOKUPS)
    second = store.views.update("v", tr.Lookup("weather", on="origin", max_age="12h"))
    third = store.views.update("v", owner="Ann")
    assert [(one.version, one.view) for one in store.views.versions("v")] == [(1, first), (2, second), (3, third)]
    assert (store.views.get("v"), store.views.get("v", 2), store.views.get("v", version=1)) == (third, second, first)
    with pytest.raises(NotFoundError, match=r"View 'v' has no version 4; it has 1, 2, 3\."):
        store.views.get("v", 4)


def test_an_update_that_changes_nothing_makes_no_version(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("v", LOOKUPS, owner="Ann")
    assert store.views.update("v", LOOKUPS, owner="Ann") == view
    assert len(store.views.versions("v")) == 1


def test_a_name_that_was_given_again_has_no_versions_of_the_view_before(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("v", LOOKUPS)
    store.views.drop("v", confirm="v")
    with pytest.raises(NotFoundError, match="No view 'v'"):
        store.views.versions("v")
    store.views.create("v", tr.Lookup("weather", on="origin"))
    assert [one.version for one in store.views.versions("v")] == [3]
    assert repr(store.views.versions("v")[0]).startswith("version 3, since 2023-11-14 22:13:20")


def test_a_set_keeps_the_version_of_the_view_that_it_was_built_from(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("v", LOOKUPS)
    built = store.training_sets.build("late", view, LABELS)
    store.views.update("v", tr.Lookup("weather", on="origin"))
    assert store.training_sets.get("late").receipt == built.receipt
    assert store.views.get("v", 1) == view


def test_a_view_is_not_updated_to_what_could_not_be_answered(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("v", LOOKUPS)
    with pytest.raises(FeatureNotFoundError, match="Did you mean 'temp'"):
        store.views.update("v", tr.Lookup("weather", on="origin", features=["tmp"]))
    with pytest.raises(NotFoundError, match=r"No view 'w'.*There are: 'v'"):
        store.views.update("w", LOOKUPS)
    assert store.views["v"] == view


def test_dropping_a_view_names_every_training_set_that_came_from_it(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("v", LOOKUPS)
    for number, lookups in enumerate((view, LOOKUPS, view)):
        store.training_sets.build("late", lookups, LABELS, description=f"build {number}")
    with pytest.raises(NotConfirmedError, match=r"training set 'late' version 1, training set 'late' version 3.*confirm='v'"):
        store.views.drop("v")
    store.views.drop("v", confirm="v")
    assert ("v" in store.views, list(store.views), store.training_sets.get("late").version) == (False, [], 3)


def test_a_dropped_view_depends_on_nothing_and_its_name_is_free(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("v", LOOKUPS)
    with pytest.raises(NotConfirmedError, match="No training set came from it"):
        store.views.drop("v", confirm="V")
    store.views.drop("v", confirm="v")
    assert dependants_of_group(Documents(LocalObjects(str(tmp_path)), Ticking()), "weather") == []
    with pytest.raises(NotFoundError, match="No view 'v'"):
        store.views.update("v", owner="Ann")
    other = tr.Lookup("weather", on="origin")
    assert store.views.create("v", other) == store.views["v"] == tr.View("v", (other,))


@pytest.mark.parametrize("name", ["late arrivals", "late_arrival", "", 5])
def test_a_name_that_no_view_has_comes_with_the_nearest_one(tmp_path: Path, name: Any) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("late_arrivals", LOOKUPS)
    assert name not in store.views
    with pytest.raises(NotFoundError, match=f"No view '{name}' in the store.*'late_arrivals'"):
        store.views[name]


def test_views_show_what_they_look_up(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("v", LOOKUPS)
    assert repr(store.views).splitlines() == ["1 views", "  v: looks up weather"]


@pytest.mark.parametrize(
    ("lookups", "error"),
    [
        ([tr.Lookup("wether", on="origin")], FeatureGroupNotFoundError),
        ([tr.Lookup("weather", on="origin", features=["tmp"])], FeatureNotFoundError),
        ([], InvalidDefinitionError),
    ],
)
def test_a_view_that_could_not_be_answered_is_not_kept(tmp_path: Path, lookups: list[tr.Lookup], error: type[Exception]) -> None:
    store, _ = store_with_weather(tmp_path)
    with pytest.raises(error):
        store.views.create("v", lookups)
    with pytest.raises(NotFoundError, match=r"No view 'v'.*none yet"):
        store.views["v"]


@pytest.mark.parametrize("features", [[], ["temp", "temp"]])
def test_a_lookup_of_no_feature_or_of_one_twice_is_refused(features: list[str]) -> None:
    with pytest.raises(InvalidDefinitionError, match="The lookup of 'weather' asks for"):
        tr.Lookup("weather", features=features)
