from pathlib import Path

import treering as tr
from support.airports import FLIGHTS, LABELS, store_with_weather
from support.jobs import write_job
from support.ticking import Ticking
from treering.lineage import Lineage, Uses, dependants_of_group
from treering.storage.documents import Documents
from treering.storage.roots import open_objects
from treering.training.job import SecondaryStatus

TEMP = tr.Lookup("weather", on="origin", features=["temp"])
ALL = tr.Lookup("weather", on="origin")


def read(store: tr.Store) -> Lineage:
    return Lineage.read(Documents(open_objects(store.root, store.settings), Ticking()))


def test_a_group_and_its_features_know_who_looks_them_up(any_root: str) -> None:
    store, _ = store_with_weather(any_root)
    view = store.views.create("temperature", TEMP)
    built = store.training_sets.build("late", view, LABELS)
    store.training_sets.build("with-sky", ALL, LABELS)
    write_job(store, "late-1", built)
    lineage = read(store)
    everything = Uses(("temperature",), ("late", "with-sky"), ("late-1",), ("late-1",))
    assert (lineage.of_group("weather"), lineage.of_feature("weather", "temp")) == (everything, everything)
    assert lineage.of_feature("weather", "sky") == Uses(training_sets=("with-sky",))
    assert (lineage.of_view("temperature"), lineage.of_group("planes")) == (Uses((), ("late",), ("late-1",), ("late-1",)), Uses())


def test_a_model_counts_for_the_version_of_the_set_that_it_was_trained_on(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    write_job(store, "late-1", store.training_sets.build("late", ALL, LABELS))
    store.training_sets.build("late", TEMP, LABELS)
    lineage = read(store)
    assert lineage.of_feature("weather", "sky") == Uses((), ("late",), ("late-1",), ("late-1",))
    assert lineage.of_training_set("late").models == ("late-1",)
    assert [(one.name, one.number) for one in lineage.newest_training_sets] == [("late", 2)]


def test_a_job_that_failed_is_no_model(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    write_job(store, "late-1", store.training_sets.build("late", ALL, LABELS), SecondaryStatus.FAILED)
    uses = read(store).of_training_set("late")
    assert (uses.training_jobs, uses.models) == (("late-1",), ())


def test_a_group_that_gives_labels_is_used(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    schema = tr.Schema.of(FLIGHTS)
    flights = store.feature_groups.create("flights", entity="flight", event_time="departs", schema=schema)
    flights.ingest(FLIGHTS)
    store.training_sets.build("late", ALL, tr.Labels(flights, time="departs", target="late"))
    lineage = read(store)
    assert lineage.of_group("flights") == Uses(training_sets=("late",))
    assert lineage.of_feature("flights", "origin") == Uses()


def test_dependants_are_named_in_words(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    store.views.create("temperature", TEMP)
    write_job(store, "late-1", store.training_sets.build("late", ALL, LABELS))
    documents = Documents(open_objects(str(tmp_path), store.settings), Ticking())
    assert dependants_of_group(documents, "weather") == ["view 'temperature'", "training set 'late'", "training job 'late-1'"]


def test_uses_are_counted_in_words() -> None:
    assert str(Uses(("a", "b"), ("c",), ("d", "e"), ("d",))) == "2 views, 1 training set, 1 model"
    assert str(Uses()) == ""
