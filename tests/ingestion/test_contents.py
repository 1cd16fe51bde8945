"""The same content again writes nothing, as long as what it brought certainly still counts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treering as tr
from support.ticking import Ticking
from support.weather import NAME, START_TEXT, all_records, create_weather, groups_over, rows
from treering.clock import system_clock
from treering.errors import StorageError
from treering.feature_groups.feature_group import FeatureGroup
from treering.schema.times import microseconds
from treering.settings import Settings
from treering.sources.source import open_source
from treering.storage.local_objects import LocalObjects

JANUARY = rows(("EWR", 1, 1.0), ("JFK", 2, 2.0))
FEBRUARY = rows(("EWR", 800, 3.0), ("JFK", 801, 4.0))
MENDED = rows(("EWR", 1, 9.0))
HEADER = "origin,observed_at,temperature\n"


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    return create_weather(tr.Store(tmp_path).feature_groups)


def write(path: Path, text: str) -> Path:
    path.write_text(HEADER + text)
    return path


def test_the_same_content_again_writes_nothing(any_root: str):
    group = create_weather(tr.Store(any_root).feature_groups)
    first = group.ingest(JANUARY)
    again = tr.Store(any_root).feature_groups[NAME].ingest(JANUARY)
    assert again == replace(first, reused=True, notes=())
    assert len(group.commits()) == 1


def test_a_report_says_that_nothing_was_reprocessed(group: FeatureGroup):
    group.ingest(JANUARY)
    lines = str(group.ingest(JANUARY)).splitlines()
    assert lines[0] == "Arrow table is in 'weather' already (commit 1): nothing was written, 0 rows reprocessed"
    assert not any("written  " in line for line in lines[1:])


def test_months_that_do_not_meet_leave_each_other_as_they_are(group: FeatureGroup):
    for month in (JANUARY, FEBRUARY):
        group.ingest(month)
    assert [group.ingest(month).commit for month in (JANUARY, FEBRUARY, JANUARY)] == [1, 2, 1]
    assert len(group.commits()) == 2


def test_a_file_its_correction_and_the_file_again_are_three_ingestions(group: FeatureGroup):
    reports = [group.ingest(table) for table in (JANUARY, MENDED, JANUARY)]
    assert [report.commit for report in reports] == [1, 2, 3]
    assert group.latest()["temperature"].to_pylist() == [1.0, 2.0]
    assert group.ingest(JANUARY).commit == 3


def test_a_correction_that_began_later_and_landed_sooner_makes_the_content_new(tmp_path: Path):
    early, late = Ticking(), Ticking(now=Ticking().now + 3_600_000_000)
    create_weather(groups_over(LocalObjects(str(tmp_path)), clock=late)).ingest(MENDED)
    slow = groups_over(LocalObjects(str(tmp_path)), clock=early)[NAME]
    assert slow.ingest(JANUARY).commit == 2
    assert slow.latest()["temperature"].to_pylist() == [9.0, 2.0]
    early.now = late.now
    assert not slow.ingest(JANUARY).reused
    assert slow.latest()["temperature"].to_pylist() == [1.0, 2.0]


def test_a_deletion_of_the_records_makes_their_content_new(group: FeatureGroup):
    group.ingest(rows(("EWR", 0, 1.0)))
    group.delete(["EWR"], START_TEXT)
    assert not group.ingest(rows(("EWR", 0, 1.0))).reused
    assert group.latest()["temperature"].to_pylist() == [1.0]


def test_a_feature_that_was_added_makes_the_same_content_new(group: FeatureGroup):
    group.ingest(JANUARY, allow_missing="humid")
    group.add_features(tr.Feature("humid", "Fractional"))
    assert not group.ingest(JANUARY, allow_missing="humid").reused


@pytest.mark.parametrize("options", [{"rewrites_history": True}, {"on_bad_rows": "quarantine"}, {"allow_missing": "temperature"}, {"again": True}], ids=str)
def test_content_that_is_taken_in_another_way_is_written(group: FeatureGroup, options: Any):
    group.ingest(JANUARY)
    assert not group.ingest(JANUARY, **options).reused
    assert len(group.commits()) == 2


def test_a_csv_that_is_read_with_other_options_is_written(group: FeatureGroup, tmp_path: Path):
    path = write(tmp_path / "one.csv", "EWR,2024-01-01T00:00:00Z,5\n")
    group.ingest(path)
    assert group.ingest(tr.Csv(path)).reused
    assert not group.ingest(tr.Csv(path, null_values=("", "5"))).reused
    assert group.latest()["temperature"].to_pylist() == [None]


def test_a_file_is_known_again_under_another_name(group: FeatureGroup, tmp_path: Path):
    one, two = (write(tmp_path / name, "EWR,2024-01-01T00:00:00Z,5\n") for name in ("one.csv", "two.csv"))
    group.ingest(one)
    report = group.ingest(two)
    assert (report.reused, report.source, report.notes) == (True, str(two), (f"it came as {one}",))


def test_a_parquet_file_is_known_again(group: FeatureGroup, tmp_path: Path):
    pq.write_table(JANUARY, tmp_path / "one.parquet")
    assert not group.ingest(tmp_path / "one.parquet").reused
    assert group.ingest(tmp_path / "one.parquet").reused


def test_a_stream_is_always_read(group: FeatureGroup):
    for _ in range(2):
        assert not group.ingest(pa.RecordBatchReader.from_batches(JANUARY.schema, JANUARY.to_batches())).reused


def test_content_that_came_with_a_token_is_known_without_one(group: FeatureGroup):
    group.ingest(JANUARY, token="daily")
    report = group.ingest(JANUARY)
    assert (report.reused, report.token) == (True, None)
    assert not group.ingest(JANUARY, token="another").reused


def test_a_group_that_is_created_again_under_a_name_knows_nothing(tmp_path: Path):
    groups = tr.Store(tmp_path).feature_groups
    create_weather(groups).ingest(JANUARY)
    groups.drop(NAME, confirm=NAME)
    assert not create_weather(groups).ingest(JANUARY).reused


class ForgettingContents(LocalObjects):
    """A folder on which contents cannot be noted."""

    def create(self, key: str, data: bytes) -> bool:
        if "/contents/" in key:
            raise StorageError("The disk is full.")
        return super().create(key, data)


def test_content_that_could_not_be_noted_is_in_all_the_same(group: FeatureGroup, tmp_path: Path):
    report = groups_over(ForgettingContents(str(tmp_path)))[NAME].ingest(JANUARY)
    assert report.notes == ("the same content again will be written again: it could not be noted that it is in (The disk is full.)",)
    assert len(all_records(group)) == 2
    assert not group.ingest(JANUARY).reused


def test_cleaning_forgets_no_content(group: FeatureGroup, tmp_path: Path):
    path = write(tmp_path / "one.csv", "EWR,2024-01-01T00:00:00Z,5\n")
    group.ingest(path)
    tr.Store(tmp_path, clock=lambda: system_clock() + microseconds("2d")).clean(remove=True)
    assert group.ingest(path).reused


def test_files_of_a_new_size_are_read_once(group: FeatureGroup, tmp_path: Path):
    group.ingest(write(tmp_path / "one.csv", "EWR,2024-01-01T00:00:00Z,5\n"))
    larger = open_source(write(tmp_path / "two.csv", "EWR,2024-01-02T00:00:00Z,15\n"), Settings())
    contents = group._landing().contents
    assert contents.may_hold((tmp_path / "one.csv").stat().st_size)
    assert not contents.may_hold(larger.total_bytes)
