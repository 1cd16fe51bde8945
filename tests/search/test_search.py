import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import treering as tr
from support.airports import LABELS, store_with_weather
from support.faults import CountingObjects
from support.jobs import write_job
from support.ticking import Ticking
from treering.errors import InvalidDefinitionError
from treering.feature_groups.catalogue import FeatureGroups
from treering.lineage import Uses
from treering.search.results import SearchResults
from treering.search.search import Query, search
from treering.storage.documents import Documents
from treering.storage.roots import open_objects
from treering.storage.shelf import Shelf

PLANES = pd.DataFrame({"tailnum": ["N1", "N2"], "seats": [1_200_000, 2], "delay_class": ["a", None]})


def filled(root: Path | str) -> tr.Store:
    """A store with two groups, a view, a set, two models and a recipe."""
    store, _ = store_with_weather(root, owner="Ann", tags={"team": "sky"})
    schema = tr.Schema.of(PLANES)
    store.feature_groups.create("planes", entity="tailnum", event_time=tr.STATIC, schema=schema, description="One row per delayed plane").ingest(PLANES)
    store.feature_groups.describe_feature("weather", "temp", description="Air temperature", tags={"unit": "F"})
    view = store.views.create("delay_view", tr.Lookup("weather", on="origin", features=["temp"]), owner="Bob")
    built = store.training_sets.build("delay-set", view, LABELS)
    for job in ("delay-1", "delay-2"):
        write_job(store, job, built)
    store.recipes.save("delay", tr.Recipe([tr.MinMax("temp")]), description="Scales the temperature")
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tr.Store:
    return filled(tmp_path_factory.mktemp("store"))


def titles(found: SearchResults) -> list[str]:
    return [hit.title for hit in found]


def test_everything_that_a_store_holds_is_found(any_root: str) -> None:
    filled(any_root)
    found = tr.Store(any_root, read_only=True).search()
    kinds = ["feature group"] * 2 + ["feature"] * 4 + ["view", "training set", "model", "model", "recipe"]
    assert [hit.kind for hit in found] == kinds
    assert [hit.title for hit in found][:6] == ["planes", "weather", "planes.delay_class", "planes.seats", "weather.sky", "weather.temp"]


def test_exact_names_come_first_then_beginnings_then_the_rest(store: tr.Store) -> None:
    found = titles(store.search("DELAY"))
    assert found == ["delay", "planes.delay_class", "delay_view", "delay-set", "delay-1", "delay-2", "planes"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("air TEMPERATURE", ["weather.temp"]),
        ("temperature", ["weather.temp", "delay"]),
        ("sky ann", ["weather"]),
        ("bob", ["delay_view"]),
        ("weather.temp", ["weather.temp"]),
        ("weather temp", ["weather.temp"]),
        ("class delay", ["planes.delay_class"]),
        ("tailnum plane", ["planes"]),
        ("tailnum", []),
        ("delay nothing", []),
    ],
)
def test_all_words_have_to_be_there(store: tr.Store, text: str, found: list[str]) -> None:
    assert titles(store.search(text)) == found


@pytest.mark.parametrize("kind", ["training set", "training_set", "Training-Sets"])
def test_one_kind_can_be_asked_for(store: tr.Store, kind: str) -> None:
    assert titles(store.search("delay", kind=kind)) == ["delay-set"]


def test_tags_have_to_be_held(store: tr.Store) -> None:
    assert titles(store.search(tags={"team": "sky"})) == ["weather"]
    assert titles(store.search("temp", tags={"unit": "C"})) == []


def test_a_hit_says_who_uses_it(store: tr.Store) -> None:
    (temp,) = store.search("temp", kind="feature")
    assert temp.uses == Uses(("delay_view",), ("delay-set",), ("delay-1", "delay-2"), ("delay-1", "delay-2"))
    assert (temp.used_by, store.search("sky")[0].used_by) == ("1 view, 1 training set, 2 models", "")


def test_a_hit_says_how_fresh_and_how_full_it_is(store: tr.Store) -> None:
    sky, temp = (store.search(name, kind="feature")[0].measured for name in ("sky", "temp"))
    seats, weather = store.search("seats")[0].measured, store.search("weather")[0].measured
    assert (sky.null_share, temp.null_share, temp.range, seats.range) == (0.25, 0.0, "1 to 4", "2 to 1,200,000")
    assert weather.last_event_time == int(pd.Timestamp("2013-01-01T12:00Z").value // 1_000)
    assert weather.committed_at == store.feature_groups["weather"].commits()[-1].committed_at
    assert (weather.rows, seats.last_event_time) == (4, None)


def test_hits_are_a_table_with_the_columns_that_have_something_to_say(store: tr.Store) -> None:
    lines = repr(store.search("temp", kind="feature")).splitlines()
    assert lines[0] == "1 found for 'temp', kind feature"
    assert lines[1].split() == ["name", "kind", "used", "by", "last", "event", "nulls", "range", "description"]
    assert "1 view, 1 training set, 2 models  2013-01-01 12:00" in lines[2]
    assert "nulls" not in repr(store.search(kind="view"))


def test_a_long_list_is_cut_and_says_so(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    schema = tr.Schema((tr.Feature("id", "String"), *(tr.Feature(f"f{n:02}", "Fractional", description="x" * 90) for n in range(40))))
    store.feature_groups.create("wide", entity="id", event_time=tr.STATIC, schema=schema)
    shown = repr(store.search("f", kind="feature"))
    assert shown.splitlines()[0].endswith("30 of them shown: say more words, or a kind")
    assert "x" * 57 + "..." in shown
    assert [hit.measured is None for hit in store.search("f", kind="feature")] == [False] * 30 + [True] * 10


def test_hits_are_json(store: tr.Store) -> None:
    found = {one["name"]: one for one in json.loads(json.dumps(store.search().to_json()))}
    assert found["temp"]["used_by"]["models"] == ["delay-1", "delay-2"]
    assert found["temp"]["measured"]["last_event_time"] == "2013-01-01 12:00:00Z"
    assert (found["delay"]["kind"], found["delay"]["measured"]) == ("recipe", None)


def test_nothing_found_names_the_nearest(store: tr.Store) -> None:
    assert repr(store.search("wether")) == "Nothing found for 'wether'. Did you mean 'weather'?"
    assert repr(store.search("delya", kind="recipe")) == "Nothing found for 'delya', kind recipe. Did you mean 'delay'?"
    assert repr(store.search(kind="model", tags={"a": "b"})) == "Nothing found for everything, kind model, a=b. There are: 'delay-1', 'delay-2'."


def test_an_unknown_kind_is_refused(store: tr.Store) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"kind='modle' is nothing that can be found\. Did you mean 'model'"):
        store.search(kind="modle")


def test_a_search_for_what_is_no_text_is_refused(store: tr.Store) -> None:
    with pytest.raises(InvalidDefinitionError, match="A search is for words, as text, and None is none"):
        store.search(None)


def test_what_was_dropped_is_not_found(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.views.drop("delay_view", confirm="delay_view")
    store.recipes.drop("delay", confirm="delay")
    store.feature_groups.drop("planes", confirm="planes")
    assert titles(store.search("delay")) == ["delay-set", "delay-1", "delay-2"]


def test_no_record_is_read(tmp_path: Path) -> None:
    store = filled(tmp_path)
    expected = store.search()
    for folder in [*tmp_path.glob("feature-groups/*/data"), tmp_path / "training-sets"]:
        shutil.rmtree(folder)
    assert tr.Store(tmp_path, read_only=True).search() == expected


def test_every_document_is_read_once_and_nothing_is_written(any_root: str) -> None:
    store = filled(any_root)
    counting = CountingObjects(open_objects(any_root, store.settings))
    documents = Documents(counting, Ticking())
    groups = FeatureGroups(Shelf(counting, documents, store.settings, Ticking()))
    search(documents, groups, Query("delay", kind="view"))
    # One view, one training set, two jobs; each kind is listed once.
    assert counting.calls == {"list": 3, "read": 4}
    search(documents, groups, Query())
    assert (counting.calls["create"], counting.calls["put"]) == (0, 0)
