"""What a group says of its columns without touching its data."""

import shutil
from pathlib import Path

import pytest

import treering as tr
from support.faults import CountingObjects
from support.weather import NAME, START_TEXT, create_weather, groups_over, rows
from treering.errors import InvalidDefinitionError
from treering.feature_groups.feature_group import FeatureGroup
from treering.storage.local_objects import LocalObjects


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    group = create_weather(tr.Store(tmp_path).feature_groups)
    group.ingest(rows(("EWR", 0, 1.0), ("JFK", 1, None)))
    group.ingest(rows(("EWR", 2, 3.0)))
    return group


def test_statistics_are_of_all_records(group: FeatureGroup):
    statistics = group.statistics()
    assert (statistics.rows, statistics.commit) == (3, 2)
    assert (statistics["temperature"].mean, statistics["temperature"].nulls) == (2.0, 1)
    assert statistics["origin"].top_values == (("EWR", 2), ("JFK", 1))


def test_statistics_can_be_those_of_an_earlier_commit(group: FeatureGroup):
    assert [group.statistics(commit).rows for commit in (0, 1, 2)] == [0, 2, 3]
    with pytest.raises(InvalidDefinitionError, match="has no commit 3 yet"):
        group.statistics(3)


def test_statistics_are_read_without_touching_data(group: FeatureGroup, tmp_path: Path):
    shutil.rmtree(next(tmp_path.glob("feature-groups/*/data")))
    assert tr.Store(tmp_path, read_only=True).feature_groups[NAME].statistics() == group.statistics()


def test_statistics_of_many_commits_are_as_many_reads_and_few_lists(group: FeatureGroup, tmp_path: Path):
    for number in range(100):
        group.ingest(rows(("LGA", number, 1.0)))
    counting = CountingObjects(LocalObjects(str(tmp_path)))
    assert groups_over(counting)[NAME].statistics().rows == 103
    assert counting.calls["read"] <= 102 + 16
    assert counting.calls["list"] <= 2


def test_a_deletion_has_no_values(group: FeatureGroup):
    before = group.statistics()
    group.delete(["EWR"], START_TEXT)
    assert group.statistics().columns == before.columns


def test_a_feature_that_was_added_is_null_in_older_rows(group: FeatureGroup):
    group.add_features(tr.Feature("humid", "Fractional"))
    assert group.statistics()["humid"].nulls == 3
    assert "humid" not in group.statistics(as_of=1).columns


def test_statistics_work_on_any_storage(any_root: str):
    group = create_weather(tr.Store(any_root).feature_groups)
    group.ingest(rows(("EWR", 0, 1.0)))
    assert tr.Store(any_root, read_only=True).feature_groups[NAME].statistics()["temperature"].maximum == 1.0


def test_rows_in_quarantine_do_not_count(tmp_path: Path):
    group = create_weather(tr.Store(tmp_path).feature_groups)
    group.ingest(rows((None, 0, 99.0), ("EWR", 0, 1.0)), on_bad_rows="quarantine")
    assert group.statistics()["temperature"].maximum == 1.0
