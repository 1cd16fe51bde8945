"""Cleaning: what it finds is named by nothing, and what is named stays."""

from pathlib import Path

import pandas as pd
import pytest

import treering as tr
from support.airports import FRAME, LABELS, store_with_weather
from support.jobs import write_job
from treering.clock import system_clock
from treering.errors import BadRowsError, InvalidDefinitionError, ReadOnlyStoreError
from treering.schema.times import microseconds
from treering.storage.documents import Documents
from treering.storage.roots import open_objects
from treering.training.job import JobSpec, SecondaryStatus, TrainedOn
from treering.training.records import JobRecords

DAY = microseconds("1d")


def tomorrow() -> int:
    return system_clock() + 2 * DAY


def full_store(root: str) -> tr.Store:
    """A store with everything in it that names a file: runs, quarantine, statistics, a recipe, a training set."""
    store, group = store_with_weather(root)
    bad = pd.concat([FRAME, FRAME[:1].assign(origin=None)])
    group.ingest(bad.assign(temp=9.0), on_bad_rows="quarantine")
    group.ingest(FRAME.assign(observed_at=FRAME["observed_at"] + pd.Timedelta(days=1)), recipe=tr.Recipe([tr.Strip("sky"), tr.Standard("temp")]))
    store.training_sets.build("late", [tr.Lookup("weather", on="origin")], LABELS)
    return tr.Store(root, clock=tomorrow)


def test_nothing_that_is_named_is_ever_found(any_root: str) -> None:
    store = full_store(any_root)
    assert store.clean().leftovers == ()
    assert "Nothing is left behind" in str(store.clean())


def test_what_a_killed_writer_left_is_found_and_removed(any_root: str) -> None:
    store = full_store(any_root)
    objects = open_objects(any_root, store.settings)
    folder = store.feature_groups["weather"].records().table
    left = [
        f"{folder}/data/dead-00000.parquet",
        f"{folder}/statistics/dead.json",
        "feature-groups/ghost-0a1b2c3d/metadata/v1.metadata.json",
        "training-sets/late/dead/part-00000.parquet",
    ]
    for key in left:
        objects.create(key, b"half")
    found = store.clean()
    assert sorted(one.key for one in found.leftovers) == sorted(left)
    assert (found.bytes, found.were_removed) == (16, False)
    assert store.clean(remove=True).were_removed
    assert [key for key in left if objects.size(key) is not None] == []
    assert len(store.lookup(LABELS, tr.Lookup("weather", on="origin"))) == 3


def test_archives_of_a_job_that_ended_without_a_model_are_found(tmp_path: Path) -> None:
    store = full_store(str(tmp_path))
    objects = open_objects(tmp_path, store.settings)
    for name, status in (("failed", SecondaryStatus.FAILED), ("sound", SecondaryStatus.COMPLETED)):
        write_job(store, name, store.training_sets["late"], status)
        for file in ("model", "output"):
            objects.create(f"training-jobs/{name}/output/{file}.tar.gz", b"half")
        objects.create(f"training-jobs/{name}/logs/00000001.txt", b"begun")
    assert [one.key for one in store.clean().leftovers] == [f"training-jobs/failed/output/{file}.tar.gz" for file in ("model", "output")]


def test_the_archive_of_a_job_at_work_is_not_found_however_old(tmp_path: Path) -> None:
    store = full_store(str(tmp_path))
    objects = open_objects(tmp_path, store.settings)
    JobRecords(Documents(objects, system_clock), system_clock).begin(JobSpec("at-work", TrainedOn.of(store.training_sets["late"]), tr.XGBoost()))
    objects.create("training-jobs/at-work/output/model.tar.gz", b"half")
    assert store.clean().leftovers == ()


def test_a_file_of_a_moment_ago_may_belong_to_a_writer_at_work(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    open_objects(tmp_path, store.settings).create("training-sets/late/at-work/part-00000.parquet", b"half")
    assert store.clean().leftovers == ()


def test_writes_that_never_got_their_names_are_found(tmp_path: Path) -> None:
    full_store(str(tmp_path))
    (tmp_path / "documents" / ".00000009.json.0a1b2c3d.staging").write_bytes(b"half")
    (found,) = tr.Store(tmp_path, clock=tomorrow).clean(remove=True).leftovers
    assert found.key == "documents/.00000009.json.0a1b2c3d.staging"
    assert not (tmp_path / found.key).exists()


def test_a_refused_ingestion_leaves_nothing(tmp_path: Path) -> None:
    store = full_store(str(tmp_path))
    with pytest.raises(BadRowsError):
        store.feature_groups["weather"].ingest(FRAME.assign(origin=None))
    assert store.clean().leftovers == ()


def test_too_young_an_age_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDefinitionError, match="at least 1h"):
        tr.Store(tmp_path).clean("5min")


def test_a_reader_may_list_and_not_remove(tmp_path: Path) -> None:
    full_store(str(tmp_path))
    reader = tr.Store(tmp_path, read_only=True)
    assert reader.clean().leftovers == ()
    with pytest.raises(ReadOnlyStoreError):
        reader.clean(remove=True)
