"""What is killed, and what has to hold afterwards: nothing acknowledged lost, nothing doubled, the store readable."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

import treering as tr
from support.children import Say
from support.weather import HOUR, NAME, START, START_TEXT, all_records, create_weather, groups_over, in_batches_of_one, rows
from treering.feature_groups.feature_group import FeatureGroup
from treering.schema.feature_group import API_INVOCATION_TIME, KNOWN_AT
from treering.storage.table_metadata import FOLD_AT

# Every row becomes a run of its own, so that an ingestion writes several.
SETTINGS = tr.Settings(sort_bytes=1, run_rows=1)

Prepare = Callable[[str], None]
Act = Callable[[Any, int], None]
Check = Callable[[str, int, Callable[[str], str], Say], None]


@dataclass(frozen=True)
class Scenario:
    """One kind of work to kill.

    Attributes:
        prepare: makes the store at a root.
        act: does the work over some objects, and returns when it is acknowledged; it is told how often that happened to the store before.
        check: opens the store after a kill, says "landed" or "absent", and repeats the work; it raises where anything is wrong.
    """

    prepare: Prepare
    act: Act
    check: Check


FIRST = rows(("EWR", 0, 1.0), ("JFK", 0, 2.0))
# A correction, a new record of another place, and a row that goes to quarantine.
SECOND = in_batches_of_one(rows(("EWR", 0, 9.0), ("LGA", 3, 4.0), (None, 3, 5.0)))
SCALED = tr.Recipe([tr.MinMax("temperature")])
_FIRST_VALUES = [("EWR", 0.0, 1.0), ("JFK", 0.0, 2.0)]
_SECOND_VALUES = [("EWR", 0.0, 9.0), ("LGA", 3.0, 4.0)]


def check_readable(store: tr.Store, group: FeatureGroup) -> None:
    """Every document, every commit and its statistics can be read, and commits follow one another."""
    documents = store._shelf.documents
    for kind in ("feature-groups", "ingestions", "contents"):
        assert all(document.value for document in documents.all(kind))
    commits = group.commits()
    assert [commit.number for commit in commits] == list(range(1, len(commits) + 1))
    assert len({commit.ingestion for commit in commits}) == len(commits)
    assert group.statistics().rows == len(all_records(group))


def check_ingested(root: str, number: int, retried: Callable[[str], str], say: Say, earlier: list[tuple[str, float, float]]) -> None:
    """All that was acknowledged is there; of the killed ingestion nothing is, or all; repeated, it is there once."""
    store = tr.Store(root, settings=SETTINGS)
    group = store.feature_groups[NAME]
    check_readable(store, group)
    found = all_records(group)
    absent, landed = (sorted(earlier + _SECOND_VALUES * times, key=str) for times in (number, number + 1))
    assert found in (absent, landed), f"{found} is neither {absent} nor {landed}"
    say("landed" if found == landed else "absent")
    report = group.ingest(SECOND, token=retried(_token(number)), on_bad_rows="quarantine")
    assert (report.rows, report.rejected, report.reused) == (2, {"null identifier": 1}, found == landed)
    again = tr.Store(root, settings=SETTINGS)
    group = again.feature_groups[NAME]
    check_readable(again, group)
    assert all_records(group) == landed, f"{all_records(group)} after the retry, not {landed}"
    assert group.ingest(SECOND, token=_token(number), on_bad_rows="quarantine") == replace(report, reused=True)
    _check_corrections(group)


def _check_corrections(group: FeatureGroup) -> None:
    """What mends an earlier record is known no sooner than it was received."""
    history = group.history("EWR")
    received, known, value = (history[name].to_pylist() for name in (API_INVOCATION_TIME, KNOWN_AT, "temperature"))
    assert all(known_at >= at for at, known_at, one in zip(received, known, value, strict=True) if one == 9.0)


def _token(number: int) -> str:
    return f"the second, {number}"


def _create_with_first(root: str) -> None:
    create_weather(tr.Store(root, settings=SETTINGS).feature_groups).ingest(FIRST, token="the first")


def _ingest_second(objects: Any, number: int) -> None:
    groups_over(objects, SETTINGS)[NAME].ingest(SECOND, token=_token(number), on_bad_rows="quarantine")


def _check_second(root: str, number: int, retried: Callable[[str], str], say: Say) -> None:
    check_ingested(root, number, retried, say, _FIRST_VALUES)


def _create_and_nearly_fold(root: str) -> None:
    group = create_weather(tr.Store(root, settings=SETTINGS).feature_groups)
    group.ingest(FIRST, token="the first")
    for _ in range(FOLD_AT - 2):
        group.delete([], START_TEXT)


def _check_folded(root: str, number: int, retried: Callable[[str], str], say: Say) -> None:
    check_ingested(root, number, retried, say, _FIRST_VALUES)
    first = tr.Store(root).feature_groups[NAME].ingest(FIRST, token="the first")
    assert (first.reused, first.commit) == (True, 1)


def _ingest_scaled(objects: Any, number: int) -> None:
    groups_over(objects, SETTINGS)[NAME].ingest(_fresh(number), recipe=SCALED)


def _check_scaled(root: str, number: int, retried: Callable[[str], str], say: Say) -> None:
    """Exactly the rows that are there say what was learned from them; the same content again is passed over only where it is there."""
    store = tr.Store(root, settings=SETTINGS)
    group = store.feature_groups[NAME]
    check_readable(store, group)
    landed = _scaled(number)[0] in all_records(group)
    say("landed" if landed else "absent")
    _check_learned(group, number + landed)
    assert landed or not group.ingest(_fresh(number), recipe=SCALED).reused
    assert group.ingest(_fresh(number), recipe=SCALED, token=_token(number)).rows == 2
    again = tr.Store(root, settings=SETTINGS)
    check_readable(again, again.feature_groups[NAME])
    _check_learned(again.feature_groups[NAME], number + 1)


def _check_learned(group: FeatureGroup, times: int) -> None:
    expected = {*_FIRST_VALUES, *(record for number in range(times) for record in _scaled(number))}
    assert set(all_records(group)) == expected, f"{all_records(group)}, not {expected}"
    assert {(steps.first - START) / HOUR for steps in group.records().fitted if steps.first} == {_scaled(number)[0][1] for number in range(times)}


def _scaled(number: int) -> list[tuple[str, float, float]]:
    return [("LGA", 3.0 + 2 * number, 0.0), ("LGA", 4.0 + 2 * number, 1.0)]


def _fresh(number: int) -> pa.Table:
    return rows(("LGA", 3 + 2 * number, 4.0), ("LGA", 4 + 2 * number, 8.0))


def _make_nothing(root: str) -> None:
    tr.Store(root, settings=SETTINGS)


def _create_and_ingest_first(objects: Any, number: int) -> None:
    create_weather(groups_over(objects, SETTINGS)).ingest(FIRST, token="the first")


def _check_creation(root: str, number: int, retried: Callable[[str], str], say: Say) -> None:
    groups = tr.Store(root, settings=SETTINGS).feature_groups
    landed = NAME in groups and all_records(groups[NAME]) == _FIRST_VALUES
    say("landed" if landed else "absent")
    group = groups[NAME] if NAME in groups else create_weather(groups)
    assert group.ingest(FIRST, token=retried("the first")).reused == landed
    again = tr.Store(root, settings=SETTINGS)
    check_readable(again, again.feature_groups[NAME])
    assert all_records(again.feature_groups[NAME]) == _FIRST_VALUES


SCENARIOS = {
    "ingestion": Scenario(_create_with_first, _ingest_second, _check_second),
    "creation": Scenario(_make_nothing, _create_and_ingest_first, _check_creation),
    "recipe": Scenario(_create_with_first, _ingest_scaled, _check_scaled),
    "fold": Scenario(_create_and_nearly_fold, _ingest_second, _check_folded),
}
