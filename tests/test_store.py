import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import treering as tr
from support.airports import FRAME, LABELS, store_with_weather
from treering.errors import InvalidDefinitionError, LabelsError, ReadOnlyStoreError, RelocatedTableError, StoreFormatError

LOOKUPS = [tr.Lookup("weather", on="origin", features=["temp"])]


def test_a_store_is_made_where_there_is_none_and_opened_where_there_is(any_root: str) -> None:
    store, _ = store_with_weather(any_root)
    again = tr.Store(any_root)
    assert again.root == store.root
    assert again.lookup(LABELS, LOOKUPS).to_arrow()["temp"].to_pylist() == [2.0, None, None]


def test_an_independent_reader_sees_the_same_rows_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")  # or Polars warns that a faster planner could be installed
    _, group = store_with_weather(tmp_path)
    group.ingest(FRAME.iloc[[1]].assign(temp=99.0))
    (table,) = tmp_path.glob("feature-groups/weather-*")
    version = (table / "metadata" / "version-hint.text").read_text()
    theirs = pl.scan_iceberg(str(table / "metadata" / f"v{version}.metadata.json")).select("origin", "temp", "sky").collect()
    ours = group.to_polars(include_duplicates=True).select("origin", "temp", "sky")
    assert sorted(theirs.rows(), key=str) == sorted(ours.rows(), key=str)


def test_a_store_opened_to_read_answers_and_refuses_every_write(tmp_path: Path) -> None:
    store_with_weather(tmp_path)
    store = tr.Store(tmp_path, read_only=True)
    assert store.lookup(LABELS, LOOKUPS).counts[0].matched == 1
    group = store.feature_groups["weather"]
    writes = [
        lambda: group.ingest(FRAME),
        lambda: group.delete(["EWR"], "2013-01-01T10:00Z"),
        lambda: group.add_features([tr.Feature("wind", "Fractional")]),
        lambda: store.views.create("v", LOOKUPS),
        lambda: store.feature_groups.drop("weather", confirm="weather"),
        lambda: store.training_sets.build("s", LOOKUPS, LABELS),
    ]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for write in writes:
        with pytest.raises(ReadOnlyStoreError, match="read_only=False"):
            write()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


AS_NOBODY = """
import os, sys
import treering as tr
from support.airports import FRAME, LABELS

def look_up():
    return tr.Store(sys.argv[1]).lookup(LABELS, [tr.Lookup("weather", on="origin")]).counts[0].matched

look_up()  # loads every module while they can be read
if os.getuid() == 0:
    os.setuid(65534)
print(look_up())
try:
    tr.Store(sys.argv[1]).feature_groups["weather"].ingest(FRAME.assign(temp=0.0))
except tr.errors.ReadOnlyStoreError as error:
    print(error)
"""


def test_a_folder_that_one_may_only_read_opens_and_says_so_when_written(tmp_path: Path) -> None:
    store_with_weather(tmp_path / "store")
    for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in [tmp_path, *tmp_path.parents]:
        if path.stat().st_uid == os.getuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    tests = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, tmp_path / "store"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": tests})
    assert done.stdout.splitlines()[:1] == ["1"], done.stderr
    assert "may not write" in done.stdout or "cannot" in done.stdout, done.stdout


def test_a_store_is_not_made_where_one_only_wants_to_read(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="no treering store"):
        tr.Store(tmp_path / "typo", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_a_newer_treering_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "treering.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(StoreFormatError, match=r"format 99.*Install a newer one"):
        tr.Store(tmp_path)


@pytest.mark.parametrize("marker", ["", "[]", "{}", '{"format": "1"}'])
def test_a_marker_that_treering_did_not_write_is_named(tmp_path: Path, marker: str) -> None:
    (tmp_path / "treering.json").write_text(marker)
    with pytest.raises(StoreFormatError, match=r"treering\.json is not the JSON that treering wrote"):
        tr.Store(tmp_path)


def test_a_moved_store_reads_at_once_and_writes_once_it_is_relocated(tmp_path: Path) -> None:
    store_with_weather(tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    store = tr.Store(tmp_path / "there")
    assert store.lookup(LABELS, LOOKUPS).counts[0].matched == 1
    with pytest.raises(RelocatedTableError, match=r"store\.relocate\(\)"):
        store.feature_groups["weather"].ingest(FRAME.assign(temp=0.0))
    store.relocate()
    store.feature_groups["weather"].ingest(FRAME.assign(temp=0.0))
    assert store.feature_groups["weather"].commits()[-1].number == 2


def test_two_lookups_of_a_group_see_one_state(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    labels = tr.Labels(group, time="observed_at")
    result = store.lookup(labels, [tr.Lookup("weather", prefix="before_"), tr.Lookup("weather", prefix="again_", features=["temp"])])
    assert result.to_arrow()["before_temp"].to_pylist() == result.to_arrow()["again_temp"].to_pylist()
    assert [planned.lookup.strictly_before for planned in result.planned] == [True, True]


@pytest.mark.parametrize("labels", [{"time": "published_at"}, {"at": "2013-06-01T00:00Z"}])
def test_a_record_never_sees_itself_at_a_later_time(tmp_path: Path, labels: dict[str, str]) -> None:
    store = tr.Store(tmp_path)
    frame = FRAME.assign(published_at=FRAME["observed_at"] + pd.Timedelta(minutes=30))
    group = store.feature_groups.create("weather", entity="origin", event_time="observed_at", schema=tr.Schema.of(frame))
    group.ingest(frame)
    with pytest.raises(LabelsError, match="a record would see itself"):
        store.lookup(tr.Labels(group, **labels), tr.Lookup("weather", prefix="previous_"))


def test_a_group_of_another_store_is_no_self(tmp_path: Path) -> None:
    _, elsewhere = store_with_weather(tmp_path / "elsewhere")
    store, _ = store_with_weather(tmp_path / "here", available_after=None)
    result = store.lookup(tr.Labels(elsewhere, time="observed_at"), tr.Lookup("weather", features=["temp"], prefix="here_"))
    assert result.to_arrow()["here_temp"].to_pylist() == result.to_arrow()["temp"].to_pylist()


def test_labels_from_a_group_leave_their_commit_and_digest_in_the_receipt(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    built = store.training_sets.build("s", tr.Lookup("weather", prefix="previous_"), tr.Labels(group, time="observed_at"))
    provenance = built.receipt.provenance
    assert provenance["label_group"] == {"group": "weather", "commit": 1}
    assert provenance["label_digest"].startswith("sha256:")


@pytest.mark.parametrize(("labels", "lookups", "error"), [(FRAME, LOOKUPS, LabelsError), (LABELS, "weather", InvalidDefinitionError)])
def test_what_is_no_label_or_lookup_is_told_what_would_be(tmp_path: Path, labels: object, lookups: object, error: type[Exception]) -> None:
    store, _ = store_with_weather(tmp_path)
    with pytest.raises(error, match=r"tr\.(Labels|Lookup)\("):
        store.lookup(labels, lookups)


def test_pandas_reads_the_same_bucket_with_the_stores_options(s3_root: str) -> None:
    store, _ = store_with_weather(s3_root)
    FRAME.to_csv(f"{s3_root}/raw/weather.csv", index=False, storage_options=store.storage_options())
    assert pd.read_csv(f"{s3_root}/raw/weather.csv", storage_options=store.storage_options())["temp"].tolist() == [1.0, 2.0, 3.0, 4.0]
    store.feature_groups["weather"].ingest(f"{s3_root}/raw/weather.csv")
    assert len(store.feature_groups["weather"].commits()) == 2


def test_a_folder_needs_no_options_for_pandas(tmp_path: Path) -> None:
    assert tr.Store(tmp_path).storage_options() == {}


def test_frames_files_and_groups_serve_as_labels_alike(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path / "store")
    frame = pd.DataFrame({"origin": ["EWR"], "at": pd.to_datetime(["2013-01-01T12:30Z"])})
    frame.to_csv(tmp_path / "labels.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    frame.to_parquet(tmp_path / "labels.parquet")
    for source in (frame, pl.from_pandas(frame), tmp_path / "labels.csv", str(tmp_path / "labels.parquet")):
        assert store.lookup(tr.Labels(source, time="at"), LOOKUPS).to_arrow()["temp"].to_pylist() == [2.0]
    assert len(store.lookup(tr.Labels(group, time="observed_at"), [tr.Lookup("weather", prefix="p_")])) == 4


def test_a_snapshot_has_one_time_for_all_its_keys(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    keys = pd.DataFrame({"origin": ["JFK", "EWR"]})
    assert store.lookup(tr.Labels(keys, at="2013-01-01T13:00Z"), LOOKUPS).to_arrow()["temp"].to_pylist() == [4.0, 3.0]
