"""Builds that need not look up again: what they read is what they would have computed, byte for byte."""

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import treering as tr
from support.airports import FLIGHTS, FRAME, LABELS, store_with_weather
from treering.errors import CorruptDataError, InvalidDefinitionError, ReadOnlyStoreError
from treering.feature_groups.feature_group import FeatureGroup
from treering.schema.times import time_text
from treering.schema.view import Lookup
from treering.training_sets.receipt import canonical_json
from treering.training_sets.reuse import Reuse
from treering.training_sets.training_set import TrainingSet

WEATHER = Lookup("weather", on="origin", with_age=True, with_event_time=True)
TOWERS = Lookup("towers", on="origin")
OTHER_TARGET = tr.Labels(FLIGHTS.assign(minutes=[5.0, None, 7.0])[["origin", "minutes", "departs"]], time="departs", target="minutes")


def store_with_two_groups(root: Path | str) -> tr.Store:
    store, weather = store_with_weather(root)
    create_towers(store).ingest(TOWER_ROWS)
    # A correction that is known later, a second commit, and a deletion.
    weather.ingest(FRAME.iloc[[1]].assign(temp=99.0))
    weather.delete(["JFK"], "2013-01-01T10:10Z")
    return store


# A column of every type.
TOWER_ROWS = pa.table(
    {
        "origin": ["EWR", "JFK"],
        "height": [99.0, None],
        "floors": pa.array([None, 30], pa.int64()),
        "name": ["east", None],
        "lit": [True, None],
        "opened": pa.array([None, 1_000_000], pa.timestamp("us", tz="UTC")),
        "place": pa.array([[40.5, -74.0], None], pa.list_(pa.float32(), 2)),
    }
)


def create_towers(store: tr.Store) -> FeatureGroup:
    return store.feature_groups.create("towers", entity="origin", event_time=tr.STATIC, schema=tr.Schema.of(TOWER_ROWS))


def committed_at(store: tr.Store, commit: int) -> str:
    return time_text(store.feature_groups["weather"].commits()[commit - 1].committed_at)


def reused(built: TrainingSet) -> Reuse:
    assert built.reuse is not None
    return built.reuse


@pytest.fixture
def two_groups(any_root: str) -> tr.Store:
    return store_with_two_groups(any_root)


def test_another_model_from_the_same_labels_reprocesses_no_row(two_groups: tr.Store) -> None:
    first = two_groups.training_sets.build("late", [WEATHER, TOWERS], LABELS)
    second = two_groups.training_sets.build("delay", [WEATHER, TOWERS], OTHER_TARGET)
    assert (reused(first).lookups_reused, reused(first).lookups_computed, reused(first).rows_processed) == (0, 2, 6)
    assert (reused(second).lookups_reused, reused(second).lookups_computed, reused(second).rows_processed) == (2, 0, 0)
    assert "  reused      2 of 2 lookups read from late:1; 0 rows reprocessed" in repr(second)
    assert second.to_arrow(columns=first.receipt.features).equals(first.to_arrow(columns=first.receipt.features))


SMALLER = [
    [Lookup("weather", on="origin")],
    [Lookup("weather", on="origin", features={"temp": "degrees"}, with_age=True)],
    [Lookup("weather", on="origin", features=["sky", "temp"], prefix="at_departure_", with_event_time=True)],
    [Lookup("weather", on="origin", prefix="a_"), TOWERS, Lookup("weather", on="origin", features=["temp"], prefix="b_")],
    [TOWERS],
    [Lookup("weather", on="origin", as_of=3, with_age=True)],
    [Lookup("weather", on="origin", as_of="2100-01-01T00:00Z")],
]


@pytest.mark.parametrize("lookups", SMALLER, ids=str)
def test_a_set_that_reuses_is_byte_for_byte_the_one_that_would_be_computed(tmp_path: Path, lookups: list[Lookup]) -> None:
    store = store_with_two_groups(tmp_path / "store")
    store.training_sets.build("late", [WEATHER, TOWERS], LABELS)
    shutil.copytree(tmp_path / "store", tmp_path / "fresh")
    shutil.rmtree(tmp_path / "fresh" / "documents" / "looked-up")
    read, computed = (tr.Store(tmp_path / root).training_sets.build("delay", lookups, OTHER_TARGET) for root in ("store", "fresh"))
    assert (reused(read).rows_processed, reused(computed).lookups_reused) == (0, 0)
    assert canonical_json(read.receipt.content) == canonical_json(computed.receipt.content)
    assert read.id == computed.id
    assert [part_bytes(tmp_path / "store", read)] == [part_bytes(tmp_path / "fresh", computed)]


def part_bytes(root: Path, built: TrainingSet) -> bytes:
    return (root / built.receipt.folder / "part-00000.parquet").read_bytes()


OTHERWISE: dict[str, Callable[[tr.Store], tuple[Lookup, tr.Labels]]] = {
    "times": lambda _: (WEATHER, tr.Labels(FLIGHTS.assign(departs=FLIGHTS["departs"] + pd.Timedelta("1h")), time="departs")),
    "keys": lambda _: (WEATHER, tr.Labels(FLIGHTS.assign(origin=["JFK", "JFK", "LGA"]), time="departs")),
    "order of rows": lambda _: (WEATHER, tr.Labels(FLIGHTS.iloc[::-1], time="departs")),
    "maximum age": lambda _: (Lookup("weather", on="origin", max_age="2h"), LABELS),
    "strictly before": lambda _: (Lookup("weather", on="origin", strictly_before=True), LABELS),
    "commit": lambda _: (Lookup("weather", on="origin", as_of=1), LABELS),
    "commit by its time": lambda store: (Lookup("weather", on="origin", as_of=committed_at(store, 1)), LABELS),
    "records": lambda store: (store.feature_groups["weather"].ingest(FRAME.iloc[[3]].assign(temp=5.0)) and WEATHER, LABELS),
    "definition": lambda store: (store.feature_groups["weather"].add_features(tr.Feature("wind", "Fractional")) or WEATHER, LABELS),
}


@pytest.mark.parametrize("change", OTHERWISE.values(), ids=OTHERWISE)
def test_a_lookup_that_follows_from_anything_else_is_computed(tmp_path: Path, change: Callable[[tr.Store], tuple[Lookup, tr.Labels]]) -> None:
    store = store_with_two_groups(tmp_path)
    store.training_sets.build("late", WEATHER, LABELS)
    lookup, labels = change(store)
    built = store.training_sets.build("late", lookup, labels)
    assert reused(built).lookups_computed == 1
    assert built.to_arrow(columns=["temp"]).equals(store.lookup(labels, lookup).to_arrow().select(["temp"]))


def test_words_about_a_group_and_the_type_of_a_key_change_no_answer(tmp_path: Path) -> None:
    store = store_with_two_groups(tmp_path)
    store.training_sets.build("late", WEATHER, LABELS)
    store.feature_groups.describe("weather", description="Hourly", owner="Ann")
    store.feature_groups.describe_feature("weather", "temp", tags={"unit": "C"})
    built = store.training_sets.build("late", WEATHER, tr.Labels(FLIGHTS.astype({"origin": "category"}), time="departs", target="late"))
    assert (built.version, reused(built).rows_processed) == (2, 0)
    assert built.receipt.provenance["groups"]["weather"]["owner"] == "Ann"


def test_a_group_that_was_made_anew_under_its_name_is_looked_up(tmp_path: Path) -> None:
    store = store_with_two_groups(tmp_path)
    store.training_sets.build("late", TOWERS, LABELS)
    store.feature_groups.drop("towers", confirm="towers")
    create_towers(store).ingest(TOWER_ROWS.set_column(1, "height", pa.array([1.0, 1.0])))
    built = store.training_sets.build("late", TOWERS, LABELS)
    assert (built.version, built.to_arrow()["height"].to_pylist()) == (2, [1.0, 1.0, None])


def test_only_the_columns_that_no_set_holds_are_looked_up(tmp_path: Path) -> None:
    sets = store_with_two_groups(tmp_path).training_sets
    sets.build("a", Lookup("weather", on="origin", features=["temp"]), LABELS)
    both = sets.build("b", Lookup("weather", on="origin"), LABELS)
    assert str(both.reuse) == "0 of 1 lookup and 1 column of others read from a:1; 3 rows looked up in 1 group"
    third = sets.build("c", Lookup("weather", on="origin"), OTHER_TARGET)
    assert str(third.reuse) == "1 of 1 lookup read from a:1, b:1; 0 rows reprocessed"
    assert third.to_arrow(columns=["temp", "sky"]).equals(both.to_arrow(columns=["temp", "sky"]))


def test_a_group_that_looks_itself_up_shares_nothing_with_a_copy_that_does_not(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path, available_after=None)
    previous = Lookup("weather", features=["temp"], prefix="previous_")
    itself = store.training_sets.build("itself", previous, tr.Labels(group, time="observed_at"))
    copy = store.training_sets.build("copy", previous, tr.Labels(group.to_arrow(), time="observed_at"))
    assert itself.to_arrow()["previous_temp"].to_pylist() == [None, 1.0, 2.0, None]
    assert copy.to_arrow()["previous_temp"].to_pylist() == [1.0, 2.0, 3.0, 4.0]


def break_file(path: Path, at: float = 0.25) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", [break_file, Path.unlink])
def test_a_damaged_older_set_is_looked_up_anew_and_said_so(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    store = store_with_two_groups(tmp_path)
    older = store.training_sets.build("late", WEATHER, LABELS)
    expected = older.to_arrow(columns=older.receipt.features)
    harm(tmp_path / older.receipt.folder / "part-00000.parquet")
    built = store.training_sets.build("delay", WEATHER, OTHER_TARGET)
    assert built.to_arrow(columns=older.receipt.features).equals(expected)
    assert reused(built).lookups_computed == 1
    assert "what late:1 holds was looked up anew" in str(built.reuse)
    assert str(store.training_sets.build("third", WEATHER, OTHER_TARGET).reuse) == "1 of 1 lookup read from delay:1; 0 rows reprocessed"


def test_another_set_under_the_name_and_number_of_an_older_one_is_not_read(tmp_path: Path) -> None:
    store_with_two_groups(tmp_path).training_sets.build("late", WEATHER, LABELS)
    shutil.rmtree(tmp_path / "documents" / "training-sets" / "late")
    sets = tr.Store(tmp_path).training_sets
    assert sets.build("late", WEATHER, tr.Labels(FLIGHTS.iloc[::-1], time="departs")).version == 1
    built = sets.build("delay", WEATHER, OTHER_TARGET)
    assert reused(built).lookups_computed == 1
    assert "late version 1 has another id" in str(built.reuse)


def test_the_same_build_gives_the_version_that_is_there_and_writes_nothing(two_groups: tr.Store) -> None:
    built = two_groups.training_sets.build("late", [WEATHER, TOWERS], LABELS)
    before = two_groups._shelf.objects.list("")
    again = two_groups.training_sets.build("late", [WEATHER, TOWERS], tr.Labels(FLIGHTS.copy(), time="departs", target="late"))
    assert (again, again.version, reused(again).is_identical) == (built, 1, True)
    assert two_groups._shelf.objects.list("") == before
    assert "  reused      identical to version 1: nothing was built" in repr(again)


def test_a_build_after_another_one_finds_its_own_version_again(tmp_path: Path) -> None:
    sets = store_with_two_groups(tmp_path).training_sets
    for lookup in (WEATHER, TOWERS):
        sets.build("late", lookup, LABELS)
    assert [sets.build("late", lookup, LABELS).version for lookup in (WEATHER, TOWERS)] == [1, 2]


DIFFERENT: dict[str, dict[str, Any]] = {
    "target": {"labels": tr.Labels(FLIGHTS, time="departs", target="flight")},
    "inputs": {"labels": tr.Labels(FLIGHTS, time="departs", target="late", inputs="flight")},
    "keys": {"labels": tr.Labels(FLIGHTS, time="departs", target="late", keys="flight")},
    "weight": {"labels": tr.Labels(FLIGHTS, time="departs", target="late", weight="flight")},
    "types": {"labels": tr.Labels(FLIGHTS.astype({"origin": "category"}), time="departs", target="late")},
    "split": {"split": tr.TimeSplit(test="2013-01-01T11:00Z")},
    "view": {"lookups": tr.View("v", (WEATHER,))},
    "name": {"name": "later"},
    "description": {"description": "other words"},
}


@pytest.mark.parametrize("changed", DIFFERENT.values(), ids=DIFFERENT)
def test_a_build_that_differs_in_anything_is_another_set(tmp_path: Path, changed: dict[str, Any]) -> None:
    sets = store_with_two_groups(tmp_path).training_sets
    asked: dict[str, Any] = {"name": "late", "lookups": WEATHER, "labels": LABELS}
    sets.build(**asked)
    other = sets.build(**asked | changed)
    assert not reused(other).is_identical
    assert (reused(other).rows_processed, sets[other.name]) == (0, other)


def test_a_csv_file_that_is_read_with_other_options_is_another_source(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("origin,departs,late\nEWR,2013-01-01T12:30:00Z,1\nJFK,2013-01-01T12:30:00Z,-\n")
    sets = store_with_two_groups(tmp_path / "store").training_sets
    options: Iterable[tuple[str, ...]] = (("",), ("-",))
    read = [sets.build("late", WEATHER, tr.Labels(tr.Csv(tmp_path / "labels.csv", null_values=nulls), time="departs", target="late")) for nulls in options]
    assert [one.receipt.null_targets for one in read] == [0, 1]


def test_a_set_whose_files_are_gone_is_built_again(tmp_path: Path) -> None:
    store = store_with_two_groups(tmp_path)
    built = store.training_sets.build("late", WEATHER, LABELS)
    (tmp_path / built.receipt.folder / "part-00000.parquet").unlink()
    again = store.training_sets.build("late", WEATHER, LABELS)
    again.verify_files()
    assert (again.version, again.id) == (2, built.id)
    assert store.training_sets.build("late", WEATHER, LABELS).version == 2


def test_who_may_only_read_gets_what_is_there_and_is_refused_before_the_lookup(tmp_path: Path) -> None:
    built = store_with_two_groups(tmp_path).training_sets.build("late", WEATHER, LABELS)
    sets = tr.Store(tmp_path, read_only=True).training_sets
    assert sets.build("late", WEATHER, LABELS) == built
    for run in tmp_path.glob("feature-groups/towers-*/**/*.parquet"):
        break_file(run, at=0.01)
    with pytest.raises(ReadOnlyStoreError, match="read_only=False"):
        sets.build("other", TOWERS, LABELS)
    with pytest.raises(CorruptDataError):
        tr.Store(tmp_path).training_sets.build("other", TOWERS, LABELS)


@pytest.mark.parametrize("text", ["{", '{"format": 99, "value": {}, "written_at": "2100-01-01T00:00:00+00:00"}'], ids=["torn", "of a newer treering"])
def test_advice_that_cannot_be_read_is_passed_over(tmp_path: Path, text: str) -> None:
    sets = store_with_two_groups(tmp_path).training_sets
    first = sets.build("late", WEATHER, LABELS)
    for path in [*(tmp_path / "documents" / "looked-up").rglob("*.json"), *(tmp_path / "documents" / "built-sets").rglob("*.json")]:
        path.chmod(0o644)
        path.write_text(text)
    again = sets.build("late", WEATHER, LABELS)
    assert (again.version, again.id, reused(again).lookups_computed) == (2, first.id, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"split": "time"}, "split='time' is no split. Make one: split=tr.TimeSplit"),
        ({"tags": {"tier": 1}}, "The tags of a training set are {'tier': 1}; give texts by texts"),
    ],
)
def test_what_cannot_be_built_leaves_no_file(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    store = store_with_two_groups(tmp_path)
    with pytest.raises(InvalidDefinitionError, match=message):
        store.training_sets.build("late", WEATHER, LABELS, **asked)
    assert not (tmp_path / "training-sets").exists()


def test_there_is_one_document_per_lookup_however_many_sets_there_are(tmp_path: Path) -> None:
    sets = store_with_two_groups(tmp_path).training_sets
    for number in range(5):
        sets.build(f"set-{number}", WEATHER, LABELS)
    assert [path.name for path in (tmp_path / "documents" / "looked-up").rglob("*.json")] == ["00000001.json"]


def test_builders_of_one_set_at_once_all_get_it(tmp_path: Path) -> None:
    sets = store_with_two_groups(tmp_path).training_sets
    with ThreadPoolExecutor(4) as builders:
        built = list(builders.map(lambda _: sets.build("late", [WEATHER, TOWERS], LABELS), range(4)))
    assert len({one.id for one in built}) == 1
    assert reused(sets.build("late", [WEATHER, TOWERS], LABELS)).is_identical
