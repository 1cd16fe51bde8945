"""A token writes once, whenever, from wherever and however often it comes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import treering as tr
from support.weather import NAME, all_records, create_weather, groups_over, rows
from treering.errors import BadRowsError, InvalidDefinitionError, TokenReusedError
from treering.feature_groups.feature_group import FeatureGroup
from treering.storage.local_objects import LocalObjects
from treering.storage.table_metadata import FOLD_AT

FIRST = rows(("EWR", 1, 1.0), ("JFK", 1, 2.0))
TESTS = Path(__file__).parents[1]


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    return create_weather(tr.Store(tmp_path).feature_groups)


def files_of(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_token_used_again_writes_nothing_and_answers_with_the_first_report(group: FeatureGroup, tmp_path: Path):
    first = group.ingest(FIRST, token="daily")
    before = files_of(tmp_path)
    assert group.ingest(FIRST, token="daily") == replace(first, reused=True)
    assert files_of(tmp_path) == before
    assert len(group.commits()) == 1


def test_a_report_that_is_given_again_says_so(group: FeatureGroup):
    group.ingest(FIRST, token="daily")
    assert str(group.ingest(FIRST, token="daily")).startswith(
        "Token 'daily' was used before: nothing was written again. 2 rows of Arrow table are in 'weather'"
    )


def test_without_a_token_every_call_writes_if_it_is_told_to(group: FeatureGroup):
    for _ in range(2):
        group.ingest(FIRST, again=True)
    assert len(group.commits()) == 2
    assert len(all_records(group)) == 4


@pytest.mark.parametrize(
    "other", [rows(("EWR", 1, 1.5), ("JFK", 1, 2.0)), rows(("EWR", 1, 1.0)), rows(("JFK", 1, 2.0), ("EWR", 1, 1.0))], ids=["value", "row", "order"]
)
def test_a_token_with_other_content_is_refused(group: FeatureGroup, other: Any):
    group.ingest(FIRST, token="daily")
    with pytest.raises(TokenReusedError) as refusal:
        group.ingest(other, token="daily")
    assert str(refusal.value) == (
        "Token 'daily' was used before, in 'weather', for Arrow table with other content (commit 1). Nothing was written. "
        "Give every ingestion a token of its own."
    )
    assert all_records(group) == [("EWR", 1.0, 1.0), ("JFK", 1.0, 2.0)]


def test_a_token_belongs_to_its_group(tmp_path: Path):
    groups = tr.Store(tmp_path).feature_groups
    create_weather(groups).ingest(FIRST, token="daily")
    other = groups.create("other", entity="origin", event_time="observed_at", schema=groups[NAME].schema)
    assert not other.ingest(FIRST, token="daily").reused


def test_a_file_is_known_again_by_its_text_wherever_it_lies(group: FeatureGroup, tmp_path: Path):
    text = "origin,observed_at,temperature\nEWR,2023-11-14T23:00:00Z,1.5\n"
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(text)
    first = group.ingest(tmp_path / "one.csv", token="daily")
    assert group.ingest(str(tmp_path / "two.csv"), token="daily") == replace(first, reused=True)
    (tmp_path / "two.csv").write_text(text.replace("1.5", "1.6"))
    with pytest.raises(TokenReusedError):
        group.ingest(tmp_path / "two.csv", token="daily")


def test_a_token_with_rows_in_quarantine_answers_with_them(group: FeatureGroup):
    source = rows(("EWR", 1, 1.0), (None, 1, 2.0))
    first = group.ingest(source, token="daily", on_bad_rows="quarantine")
    again = group.ingest(source, token="daily", on_bad_rows="quarantine")
    assert again == replace(first, reused=True)
    assert again.rejected == {"null identifier": 1}


def test_a_failed_ingestion_does_not_use_up_its_token(group: FeatureGroup):
    with pytest.raises(BadRowsError):
        group.ingest(rows((None, 1, 1.0)), token="daily")
    assert not group.ingest(FIRST, token="daily").reused


def test_a_token_outlives_its_snapshot(group: FeatureGroup, tmp_path: Path):
    first = group.ingest(FIRST, token="daily")
    for _ in range(FOLD_AT + 1):
        group.ingest(rows(), again=True)
    again = tr.Store(tmp_path).feature_groups[NAME].ingest(FIRST, token="daily")
    assert again == replace(first, reused=True)
    assert len(group.commits()) == FOLD_AT + 2
    with pytest.raises(TokenReusedError):
        group.ingest(rows(("EWR", 1, 7.0)), token="daily")


class DyingBeforeTheLedger(LocalObjects):
    """A folder whose process ends when the ledger's document is to be written."""

    def create(self, key: str, data: bytes) -> bool:
        if "/ingestions/" in key:
            raise KeyboardInterrupt
        return super().create(key, data)


def test_an_ingestion_that_died_between_commit_and_ledger_is_found(group: FeatureGroup, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        groups_over(DyingBeforeTheLedger(str(tmp_path)))[NAME].ingest(FIRST, token="daily")
    again = group.ingest(FIRST, token="daily")
    assert (again.commit, again.rows, again.reused) == (1, 2, True)
    assert group.ingest(FIRST, token="daily") == again


def test_an_ingestion_without_its_document_gets_one_before_its_snapshot_goes(group: FeatureGroup, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        groups_over(DyingBeforeTheLedger(str(tmp_path)))[NAME].ingest(FIRST, token="daily")
    for _ in range(FOLD_AT + 1):
        group.ingest(rows(), again=True)
    assert group.ingest(FIRST, token="daily").reused
    assert len(all_records(group)) == 2


class LettingInBeforeTheCommit(LocalObjects):
    """A folder on which somebody else does something just before the first commit."""

    rival: Any = None

    def create(self, key: str, data: bytes) -> bool:
        if key.endswith(".metadata.json") and self.rival is not None:
            rival, self.rival = self.rival, None
            rival()
        return super().create(key, data)


@pytest.mark.parametrize("later_commits", [0, FOLD_AT + 1], ids=["still in the metadata", "known to the ledger alone"])
def test_a_token_that_lands_elsewhere_during_the_call_is_found(group: FeatureGroup, tmp_path: Path, later_commits: int):
    def rival() -> None:
        group.ingest(FIRST, token="daily")
        for _ in range(later_commits):
            group.ingest(rows(), again=True)

    objects = LettingInBeforeTheCommit(str(tmp_path))
    objects.rival = rival
    report = groups_over(objects)[NAME].ingest(FIRST, token="daily")
    assert (report.commit, report.reused) == (1, True)
    assert len(group.commits()) == 1 + later_commits
    assert len(all_records(group)) == 2


def test_two_processes_with_the_same_tokens_commit_each_once(group: FeatureGroup, tmp_path: Path):
    tokens = [f"token-{number}" for number in range(6)]
    command = [sys.executable, "-m", "support.weather", str(tmp_path), *tokens]
    racers = [subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [[json.loads(line) for line in racer.communicate()[0].splitlines()] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert len(group.commits()) == len(all_records(group)) == 6
    for one, other in zip(*told, strict=True):
        assert {**one, "reused": None} == {**other, "reused": None}
        assert one["reused"] != other["reused"]


@pytest.mark.parametrize("token", ["", "x" * 257])
def test_a_token_has_a_length(group: FeatureGroup, token: str):
    with pytest.raises(InvalidDefinitionError, match=f"A token has 1 to 256 characters; this one has {len(token)}"):
        group.ingest(FIRST, token=token)
