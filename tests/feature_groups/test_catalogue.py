from pathlib import Path

import pytest

import treering as tr
from support.airports import FRAME, LABELS, store_with_weather
from treering.errors import AlreadyExistsError, FeatureGroupNotFoundError, InvalidNameError, NotConfirmedError

PLANES = tr.Schema((tr.Feature("tailnum", "String"), tr.Feature("seats", "Integral", description="Passengers", owner="fleet team")))


def with_planes(store: tr.Store, name: str = "planes") -> None:
    store.feature_groups.create(name, entity="tailnum", event_time=tr.STATIC, schema=PLANES, tags={"team": "fleet"}, owner="Ann")


def test_groups_are_listed_by_name(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    with_planes(store)
    assert list(store.feature_groups.names()) == ["planes", "weather"]
    assert (len(store.feature_groups), "weather" in store.feature_groups, "water" in store.feature_groups) == (2, True, False)
    assert "2 feature groups" in repr(store)


def test_a_group_that_does_not_exist_comes_with_the_nearest_name(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    with pytest.raises(FeatureGroupNotFoundError, match=r"No feature group 'wether'.*Did you mean 'weather'"):
        store.feature_groups["wether"]


@pytest.mark.parametrize("name", ["weather", "WEATHER"])
def test_a_name_is_given_once_whatever_its_case(tmp_path: Path, name: str) -> None:
    store, _ = store_with_weather(tmp_path)
    with pytest.raises(AlreadyExistsError, match="There is a feature group 'weather' already"):
        with_planes(store, name)


def test_a_group_that_is_declared_again_just_so_is_returned(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    again = store.feature_groups.add(group.definition)
    assert again.to_arrow().num_rows == 4
    assert len(store.feature_groups) == 1


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", "s3://x", "a\x00"])
def test_a_name_that_could_leave_the_store_reaches_no_file(tmp_path: Path, name: str) -> None:
    store = tr.Store(tmp_path / "store")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidNameError):
        with_planes(store, name)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_said_about_a_group_and_its_features_can_change(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.feature_groups.describe("weather", owner="Bob", tags={"tier": "1"})
    store.feature_groups.describe_feature("weather", "temp", description="Degrees Fahrenheit")
    definition = tr.Store(tmp_path).feature_groups["weather"].definition
    assert (definition.owner, definition.tags, definition.description) == ("Bob", {"tier": "1"}, "Hourly weather at the origin airport")
    assert definition.schema["temp"].description == "Degrees Fahrenheit"


def test_dropping_asks_for_the_name_and_names_what_depends_on_it(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    view = store.views.create("late_arrivals", [tr.Lookup("weather", on="origin")])
    store.training_sets.build("flights", view, LABELS)
    with pytest.raises(NotConfirmedError, match=r"view 'late_arrivals', training set 'flights'.*confirm='weather'"):
        store.feature_groups.drop("weather")
    assert "weather" in store.feature_groups


def test_a_dropped_group_is_gone_and_its_name_is_free_for_a_new_one(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.feature_groups.drop("weather", confirm="weather")
    assert "weather" not in store.feature_groups
    again = store.feature_groups.create("weather", entity="origin", event_time="observed_at", schema=tr.Schema.of(FRAME))
    assert again.to_arrow().num_rows == 0
    again.ingest(FRAME)
    assert tr.Store(tmp_path).feature_groups["weather"].to_arrow().num_rows == 4
