"""A correction is known no earlier than it was received, whoever wrote first; nothing else is held back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import treering as tr
from support.ticking import Ticking
from support.weather import HOUR, NAME, START, all_records, create_weather, groups_over, known_at, rows
from treering.feature_groups.catalogue import FeatureGroups
from treering.storage.local_objects import LocalObjects

EVENT = START + HOUR


@pytest.fixture
def clock() -> Ticking:
    """Starts two days after the weather."""
    return Ticking(START + 48 * HOUR)


@pytest.fixture
def groups(tmp_path: Path, clock: Ticking) -> FeatureGroups:
    return tr.Store(tmp_path, clock=clock, settings=tr.Settings(sort_bytes=1, run_rows=1)).feature_groups


def received_at(group: Any, commit: int) -> int:
    """The api invocation time of a commit's records."""
    table = group.to_arrow(include_duplicates=True, columns=["origin", "api_invocation_time", "_commit"])
    return next(
        at for at, number in zip(table["api_invocation_time"].cast(pa.int64()).to_pylist(), table["_commit"].to_pylist(), strict=True) if number == commit
    )


def test_a_first_record_is_known_at_its_event_time(groups: FeatureGroups):
    group = create_weather(groups)
    group.ingest(rows(("EWR", 1, 1.0)))
    assert known_at(group, "EWR") == {1.0: EVENT}


def test_a_correction_is_known_when_it_was_received(groups: FeatureGroups, clock: Ticking):
    group = create_weather(groups)
    group.ingest(rows(("EWR", 1, 1.0)))
    before = clock.now
    group.ingest(rows(("EWR", 1, 2.0)))
    known = known_at(group, "EWR")
    assert known[1.0] == EVENT
    assert known[2.0] == received_at(group, 2)
    assert before < known[2.0] <= clock.now


@pytest.mark.parametrize("other", [("JFK", 1, 2.0), ("EWR", 2, 2.0)], ids=["another airport", "another hour"])
def test_a_late_record_of_another_identifier_or_time_is_no_correction(groups: FeatureGroups, other: tuple[str, int, float]):
    group = create_weather(groups)
    group.ingest(rows(("EWR", 1, 1.0)))
    group.ingest(rows(other))
    assert known_at(group, other[0])[2.0] == START + other[1] * HOUR


def test_another_record_of_one_entity_and_moment_is_no_correction(groups: FeatureGroups):
    schema = tr.Schema.of(rows().append_column("station", pa.array([], pa.int64())).schema)
    group = create_weather(groups, record_identifier=["origin", "station"], schema=schema)
    for station, temperature in ((1, 1.0), (2, 2.0), (1, 3.0)):
        group.ingest(rows(("EWR", 1, temperature)).append_column("station", pa.array([station])))
    assert known_at(group, "EWR") == {1.0: EVENT, 2.0: EVENT, 3.0: received_at(group, 3)}


def test_rewritten_history_was_known_all_along(groups: FeatureGroups):
    group = create_weather(groups)
    group.ingest(rows(("EWR", 1, 1.0)))
    group.ingest(rows(("EWR", 1, 2.0)), rewrites_history=True)
    assert known_at(group, "EWR") == {1.0: EVENT, 2.0: EVENT}


def test_records_of_a_static_group_are_known_always(groups: FeatureGroups):
    schema = tr.Schema.of(pa.schema([("tail", pa.string()), ("seats", pa.int64())]))
    group = groups.create("planes", entity="tail", event_time=tr.STATIC, schema=schema)
    for seats in (100, 200):
        group.ingest(pa.table({"tail": ["N1"], "seats": [seats]}))
    assert len(set(group.history("N1")["_known_at"].to_pylist())) == 1


def test_duplicates_of_one_ingestion_correct_nothing(groups: FeatureGroups):
    group = create_weather(groups)
    group.ingest(rows(("EWR", 1, 1.0), ("JFK", 1, 5.0), ("EWR", 1, 2.0)))
    assert known_at(group, "EWR") == {1.0: EVENT, 2.0: EVENT}
    assert group.to_arrow()["temperature"].to_pylist() == [2.0, 5.0]


def test_a_correction_of_a_record_that_becomes_known_later_is_known_no_sooner(tmp_path: Path):
    group = create_weather(tr.Store(tmp_path, clock=Ticking(START)).feature_groups, available_after="10h")
    group.ingest(rows(("EWR", 1, 1.0)))
    group.ingest(rows(("EWR", 1, 2.0)))
    assert known_at(group, "EWR") == {1.0: EVENT + 10 * HOUR, 2.0: EVENT + 10 * HOUR}


def test_corrections_among_many_other_records_are_found(groups: FeatureGroups):
    group = create_weather(groups)
    group.ingest(rows(*((f"A{number % 7}", number, 1.0) for number in range(50))))
    group.ingest(rows(*((f"A{number % 7}", number, 2.0) for number in range(0, 100, 2))))
    received = received_at(group, 2)
    corrected = group.to_arrow(include_duplicates=True).to_pylist()
    late = {(row["origin"], row["observed_at"]) for row in corrected if row["temperature"] == 2.0 and row["_known_at"].timestamp() * 1e6 == received}
    first = {(row["origin"], row["observed_at"]) for row in corrected if row["temperature"] == 1.0}
    second = {(row["origin"], row["observed_at"]) for row in corrected if row["temperature"] == 2.0}
    assert late == first & second
    assert len(late) == 25


def test_corrections_of_wide_identifiers_are_found_however_many_there_are(tmp_path: Path):
    # 70,000 values in each of four columns are more combinations than 64 bits can number.
    size = 70_000
    numbers = pa.array(np.arange(size))
    table = pa.table({"a": numbers, "b": numbers, "c": numbers, "at": pa.array(START + np.arange(size)).cast(pa.timestamp("us", tz="UTC")), "value": numbers})
    groups = tr.Store(tmp_path, clock=Ticking(START + 48 * HOUR)).feature_groups
    group = groups.create("wide", entity="a", record_identifier=["a", "b", "c"], event_time="at", schema=tr.Schema.of(table))
    group.ingest(table)
    group.ingest(table, again=True)
    history = group.to_arrow(include_duplicates=True, columns=["_known_at", "_commit", "api_invocation_time"])
    second = history.filter(pa.array(np.asarray(history["_commit"]) == 2))
    assert len(second) == size
    assert second["_known_at"].equals(second["api_invocation_time"])


class Interrupting:
    """Objects that let somebody else in, once, just before the first commit they see."""

    def __init__(self, objects: Any, rival: Callable[[], object]) -> None:
        self._objects, self._rival = objects, rival
        self.outputs = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def output(self, key: str) -> Any:
        self.outputs += "/data/" in key
        return self._objects.output(key)

    def create(self, key: str, data: bytes) -> bool:
        if key.endswith(".metadata.json") and self._rival is not None:
            rival, self._rival = self._rival, None
            rival()
        return bool(self._objects.create(key, data))


@pytest.mark.parametrize(("rivals", "is_correction"), [(("EWR", 1, 1.0), True), (("EWR", 2, 1.0), False), (("JFK", 1, 1.0), False)], ids=str)
def test_a_record_that_landed_during_an_ingestion_is_corrected_by_it(tmp_path: Path, clock: Ticking, rivals: tuple[str, int, float], is_correction: bool):
    other = create_weather(tr.Store(tmp_path, clock=clock).feature_groups)
    objects = Interrupting(LocalObjects(str(tmp_path)), lambda: other.ingest(rows(rivals)))
    group = groups_over(objects, clock=clock)[NAME]
    group.ingest(rows(("EWR", 1, 2.0)))
    assert [commit.rows for commit in group.commits()] == [1, 1]
    assert objects.outputs == (2 if is_correction else 1)
    assert known_at(other, rivals[0])[1.0] == START + rivals[1] * HOUR
    assert known_at(other, "EWR")[2.0] == (received_at(group, 2) if is_correction else EVENT)


def test_the_runs_that_were_outdated_are_not_visible(tmp_path: Path, clock: Ticking):
    other = create_weather(tr.Store(tmp_path, clock=clock).feature_groups)
    group = groups_over(Interrupting(LocalObjects(str(tmp_path)), lambda: other.ingest(rows(("EWR", 1, 1.0)))), clock=clock)[NAME]
    group.ingest(rows(("EWR", 1, 2.0), ("LGA", 1, 3.0)))
    assert all_records(other) == [("EWR", 1.0, 1.0), ("EWR", 1.0, 2.0), ("LGA", 1.0, 3.0)]
