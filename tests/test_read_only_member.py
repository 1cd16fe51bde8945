"""A member of a team whose credentials may only get and list objects: everything that reads works, and nothing is ever written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import treering as tr
from support.trained import flights, labels, weather
from treering.cli.main import main
from treering.clock import system_clock
from treering.errors import ReadOnlyStoreError, StoreFormatError
from treering.local_s3 import LocalS3
from treering.schema.times import microseconds
from treering.storage.roots import open_objects

pytestmark = pytest.mark.s3

LOOKUP = tr.Lookup("weather", on="airport", features=["wind"], max_age="6h")
SPLIT = tr.TimeSplit.fractions(validation=0.2, test=0.25)
RECIPE = tr.Recipe([tr.FillMissing(("wind",), with_=0.0), tr.OneHot(("carrier",))])
MODEL = "late-1"
LEFT = "training-sets/late-set/dead/part-00000.parquet"


@pytest.fixture(scope="module")
def filled(s3: LocalS3) -> str:
    """The root of a store with something of every kind in it, which its writer left in a bucket."""
    root = "s3://tests/read-only-member"
    store = tr.Store(root)
    group = store.feature_groups.create("weather", entity="airport", event_time="at", schema=tr.Schema.of(weather()), description="Hourly wind")
    group.ingest(weather(), recipe=tr.Recipe([tr.DropMissing("wind")]))
    store.recipes.save("prepared", RECIPE)
    store.views.create("late-view", LOOKUP)
    training_set = store.training_sets.build("late-set", "late-view", labels(flights(), "late"), split=SPLIT)
    store.training_jobs.run(MODEL, training_set, tr.XGBoost(objective="binary:logistic", num_round=4, seed=7), RECIPE, echo=lambda _: None)
    open_objects(root, store.settings).create(LEFT, b"half")
    return root


@pytest.fixture
def reader(s3: LocalS3, filled: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The root, to one whose credentials may only read; its owner finds it as it was."""
    owner = open_objects(filled, tr.Settings())
    before = {key: owner.read(key) for key in owner.list("")}
    for name, value in s3.reader_environment().items():
        monkeypatch.setenv(name, value)
    yield filled
    assert {key: owner.read(key) for key in owner.list("")} == before


@pytest.fixture(params=[False, True], ids=["credentials", "credentials and read_only"])
def store(request: pytest.FixtureRequest, reader: str) -> tr.Store:
    """The store of one who may only read, whether he says so or not; two days later, so that what was left behind is old."""
    return tr.Store(reader, read_only=request.param, clock=lambda: system_clock() + microseconds("2d"))


def test_groups_are_listed_read_and_described(store: tr.Store):
    groups = store.feature_groups
    group = groups["weather"]
    assert [one.definition.name for one in groups.list()] == ["weather"]
    assert len(group.to_pandas()) == group.statistics().rows == len(weather())
    assert group.latest().num_rows == 2
    assert group.history("EWR").num_rows == len(weather()) // 2
    assert len(group.commits()) == 1


@pytest.mark.parametrize(("text", "kind"), [("weather", "feature group"), ("wind", "feature"), ("late-view", "view"), ("late-set", "training set")])
def test_everything_is_found(store: tr.Store, text: str, kind: str):
    assert [hit.kind for hit in store.search(text, kind=kind)] == [kind]


def test_features_are_looked_up_and_explained(store: tr.Store):
    result = store.lookup(labels(flights(), "late"), LOOKUP)
    assert len(result.to_pandas()) == len(flights())
    assert "wind" in str(result.explain(0, "wind"))


def test_groups_are_asked_in_sql(store: tr.Store):
    assert store.sql("SELECT count(*) AS n FROM weather")["n"].to_pylist() == [len(weather())]


def test_a_training_set_is_read_batch_by_batch(store: tr.Store):
    training_set = store.training_sets.get("late-set")
    assert sum(batch.num_rows for batch in training_set.batches()) == len(flights())
    assert [one.version for one in store.training_sets.versions("late-set")] == [1]


def test_an_identical_build_gives_the_set_that_is_there(store: tr.Store):
    built = store.training_sets.build("late-set", "late-view", labels(flights(), "late"), split=SPLIT)
    assert (built.version, built.reuse.is_identical) == (1, True)


def test_content_that_is_in_already_needs_no_write(reader: str):
    report = tr.Store(reader).feature_groups["weather"].ingest(weather(), recipe=tr.Recipe([tr.DropMissing("wind")]))
    assert report.reused


def test_recipes_and_views_are_got(store: tr.Store):
    assert store.recipes.get("prepared") == RECIPE
    assert store.views["late-view"].lookups == (LOOKUP,)
    assert len(store.views.versions("late-view")) == 1


def test_a_model_predicts_scores_and_is_reported_on(store: tr.Store, tmp_path: Path):
    model = store.models.load(MODEL)
    scores = model.score(labels(flights(), "late"))
    assert len(scores.to_pandas()) == len(flights())
    assert set(scores.metrics)
    frame = store.training_sets["late-set"].to_pandas()[["distance", "carrier", "wind"]]
    assert len(model.predict(frame)) == len(flights())
    report = store.models.report(MODEL)
    assert report.address is None
    assert "<html" in report.save(tmp_path / "late.html").read_text("utf-8")


def test_a_job_is_followed_to_its_end(store: tr.Store):
    jobs = store.training_jobs
    assert jobs.get(MODEL).status.has_ended
    assert set(jobs.history(MODEL)) >= {"train", "validation"}
    assert jobs.logs(MODEL).splitlines() == list(jobs.follow(MODEL))


def test_what_is_left_behind_is_listed(store: tr.Store):
    assert [one.key for one in store.clean().leftovers] == [LEFT]


WRITES: dict[str, Callable[[tr.Store], Any]] = {
    "create a group": lambda store: store.feature_groups.create("other", entity="airport", event_time="at", schema=tr.Schema.of(weather())),
    "describe a group": lambda store: store.feature_groups.describe("weather", owner="me"),
    "drop a group": lambda store: store.feature_groups.drop("weather", confirm="weather"),
    "ingest": lambda store: store.feature_groups["weather"].ingest(weather().head(3)),
    "ingest through a recipe": lambda store: store.feature_groups["weather"].ingest(weather(), recipe=tr.Recipe([tr.Standard("wind")])),
    "quarantine": lambda store: store.feature_groups["weather"].ingest(weather().head(3).assign(airport=None), on_bad_rows="quarantine"),
    "delete": lambda store: store.feature_groups["weather"].delete(["EWR"], "2024-01-02T00:00Z"),
    "add a feature": lambda store: store.feature_groups["weather"].add_features(tr.Feature("humid", "Fractional")),
    "save a recipe": lambda store: store.recipes.save("other", RECIPE),
    "drop a recipe": lambda store: store.recipes.drop("prepared", confirm="prepared"),
    "create a view": lambda store: store.views.create("other", LOOKUP),
    "update a view": lambda store: store.views.update("late-view", tr.Lookup("weather", on="airport")),
    "drop a view": lambda store: store.views.drop("late-view", confirm="late-view"),
    "build": lambda store: store.training_sets.build("other", LOOKUP, labels(flights(), "late")),
    "train": lambda store: store.training_jobs.run("late-2", store.training_sets["late-set"], tr.XGBoost(objective="binary:logistic"), echo=lambda _: None),
    "clean": lambda store: store.clean(remove=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_write_is_refused_and_leaves_nothing(store: tr.Store, write: Callable[[tr.Store], Any]):
    with pytest.raises(ReadOnlyStoreError):
        write(store)


@pytest.mark.parametrize(
    "command",
    [
        "group ls",
        "group show weather",
        "search wind",
        "training-set show late-set",
        f"model predict {MODEL} flights.csv --time departs --null NA",
        f"model report {MODEL} --out late.html",
        "view ls",
        "recipe ls",
        "job ls",
    ],
)
def test_commands_that_read_work(reader: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    flights().drop(columns=["late", "delay", "outcome"]).to_csv("flights.csv", index=False)
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--store", reader])
    assert not ended.value.code


def test_a_command_that_writes_says_what_is_missing(reader: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    weather().to_csv(tmp_path / "weather.csv", index=False)
    with pytest.raises(SystemExit) as ended:
        main(["group", "ingest", "weather", str(tmp_path / "weather.csv"), "--store", reader])
    assert ended.value.code == 1
    assert "may not be written with these credentials" in capsys.readouterr().err


def test_nobody_makes_a_store_where_he_may_only_read(reader: str):
    with pytest.raises(ReadOnlyStoreError):
        tr.Store(f"{reader}/other")
    with pytest.raises(StoreFormatError, match="There is no treering store"):
        tr.Store(f"{reader}/other", read_only=True)
