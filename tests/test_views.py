from pathlib import Path

import pytest

import treering as tr
from support.airports import LABELS, store_with_weather
from treering.errors import AlreadyExistsError, FeatureGroupNotFoundError, FeatureNotFoundError, InvalidDefinitionError, NotFoundError

LOOKUPS = [tr.Lookup("weather", on="origin", features=["temp"], max_age="6h")]


def test_a_view_is_kept_and_looked_up_by_name(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("late_arrivals", LOOKUPS, description="As known at departure", tags={"tier": "1"}, owner="Ann")
    again = tr.Store(tmp_path).views["late_arrivals"]
    assert again == view
    assert store.lookup(LABELS, again).to_arrow().equals(store.lookup(LABELS, LOOKUPS).to_arrow())
    assert (list(store.views), "late_arrivals" in store.views, store.views.names()) == ([view], True, ["late_arrivals"])


def test_a_views_name_is_given_once(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("v", LOOKUPS)
    with pytest.raises(AlreadyExistsError, match="'v' exists already"):
        store.views.create("v", LOOKUPS)


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
