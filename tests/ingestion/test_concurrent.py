"""Many writers at once all land, and a reader sees one commit from start to end."""

import subprocess
import sys
from pathlib import Path

import pytest

import treering as tr
from support.weather import NAME, all_records, create_weather, rows
from treering.feature_groups.feature_group import FeatureGroup

TESTS = Path(__file__).parents[1]
WRITERS, INGESTIONS = 8, 3


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    return create_weather(tr.Store(tmp_path).feature_groups)


def test_eight_processes_ingest_at_once_and_all_land(group: FeatureGroup, tmp_path: Path):
    tokens = [[f"w{writer}-{number}" for number in range(INGESTIONS)] for writer in range(WRITERS)]
    commands = [[sys.executable, "-m", "support.weather", str(tmp_path), *mine] for mine in tokens]
    writers = [subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) for command in commands]
    seen = [len(all_records(group))]
    while any(writer.poll() is None for writer in writers):
        seen.append(len(all_records(group)))
    assert [len(writer.communicate()[0].splitlines()) for writer in writers] == [INGESTIONS] * WRITERS
    assert seen == sorted(seen)
    assert [origin for origin, _, _ in all_records(group)] == sorted(token for mine in tokens for token in mine)
    assert [commit.number for commit in group.commits()] == list(range(1, WRITERS * INGESTIONS + 1))


def test_a_reader_sees_one_commit_from_start_to_end(tmp_path: Path):
    group = create_weather(tr.Store(tmp_path, settings=tr.Settings(sort_bytes=1, run_rows=1)).feature_groups)
    group.ingest(rows(("EWR", 1, 1.0), ("JFK", 1, 1.0)))
    group.ingest(rows(("LGA", 1, 1.0)))
    batches = group.batches()
    first = next(batches)
    group.ingest(rows(("EWR", 1, 2.0), ("JFK", 1, 2.0), ("LGA", 1, 2.0), ("ORD", 1, 2.0)))
    read = [*first["temperature"].to_pylist(), *(value for batch in batches for value in batch["temperature"].to_pylist())]
    assert read == [1.0, 1.0, 1.0]
    assert [row[2] for row in all_records(group)] == [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0]


def test_records_opened_before_a_commit_stay_as_they_were(group: FeatureGroup):
    group.ingest(rows(("EWR", 1, 1.0)))
    opened = group.records()
    group.ingest(rows(("EWR", 2, 2.0)))
    assert (opened.commit, [run.rows for run in opened.runs]) == (1, [1])


def test_a_group_opened_earlier_sees_what_others_commit(group: FeatureGroup, tmp_path: Path):
    tr.Store(tmp_path).feature_groups[NAME].ingest(rows(("EWR", 1, 1.0)))
    assert all_records(group) == [("EWR", 1.0, 1.0)]
