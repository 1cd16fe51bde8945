"""Deletions: what they have to name, and what they leave true."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import treering as tr
from support.ticking import Ticking
from support.weather import HOUR, NAME, START, START_TEXT, create_weather, records, rows
from treering.errors import TreeringError
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.feature_group import FeatureGroup

AFTER = START + 48 * HOUR
IN_TWO_HOURS = "2023-11-15T00:13:20Z"


@pytest.fixture
def groups(tmp_path: Path) -> FeatureGroups:
    return tr.Store(tmp_path, clock=Ticking(AFTER)).feature_groups


@pytest.fixture
def group(groups: FeatureGroups) -> FeatureGroup:
    group = create_weather(groups)
    group.ingest(rows(("EWR", 1, 1.0), ("EWR", 5, 5.0), ("JFK", 1, 2.0)))
    return group


@pytest.fixture
def stations(groups: FeatureGroups) -> FeatureGroup:
    schema = tr.Schema.of(pa.schema([("origin", pa.string()), ("station", pa.int64()), ("at", pa.timestamp("us", "UTC"))]))
    return groups.create("stations", entity="origin", record_identifier=["origin", "station"], event_time="at", schema=schema)


def deletions(group: FeatureGroup, origin: str = "EWR") -> list[dict[str, Any]]:
    return [row for row in group.history(origin).to_pylist() if row["is_deleted"]]


def microseconds(time: Any) -> int:
    return int(pa.scalar(time, pa.timestamp("us", "UTC")).cast(pa.int64()).as_py())


def test_a_deletion_is_a_record_and_what_was_before_stays(group: FeatureGroup):
    report = group.delete(["EWR"], IN_TWO_HOURS)
    assert (report.rows, report.commit, report.source) == (1, 2, "a deletion")
    assert group.history("EWR")["temperature"].to_pylist() == [1.0, None, 5.0]
    assert records(group) == [("EWR", 1.0, 1.0), ("EWR", 5.0, 5.0), ("JFK", 1.0, 2.0)]


def test_a_deletion_of_now_is_known_from_now_on(group: FeatureGroup):
    group.delete(["EWR"], IN_TWO_HOURS)
    (deletion,) = deletions(group)
    assert deletion["_known_at"] == deletion["api_invocation_time"]
    assert microseconds(deletion["_known_at"]) > AFTER


def test_a_deletion_that_says_since_when_it_was_known_is_known_since(group: FeatureGroup):
    group.delete(["EWR"], IN_TWO_HOURS, available_at="2023-11-15T01:13:20Z")
    (deletion,) = deletions(group)
    assert microseconds(deletion["_known_at"]) == START + 3 * HOUR


def test_a_deletion_is_never_known_before_its_event_time(group: FeatureGroup):
    group.delete(["EWR"], IN_TWO_HOURS, available_at=START_TEXT)
    (deletion,) = deletions(group)
    assert microseconds(deletion["_known_at"]) == START + 2 * HOUR


def test_a_deletion_of_the_moment_of_a_record_replaces_it(group: FeatureGroup):
    group.delete(["EWR"], "2023-11-14T23:13:20Z")
    assert records(group) == [("EWR", 5.0, 5.0), ("JFK", 1.0, 2.0)]


def test_several_identifiers_are_deleted_in_one_commit(group: FeatureGroup):
    assert group.delete(["EWR", "JFK", "nobody"], IN_TWO_HOURS).rows == 3
    assert [commit.rows for commit in group.commits()] == [3, 3]
    assert group.latest()["origin"].to_pylist() == ["EWR"]


def test_deleting_nothing_is_a_deletion_of_no_rows(group: FeatureGroup):
    assert group.delete([], IN_TWO_HOURS).rows == 0
    assert len(group.commits()) == 2


def test_the_declared_event_time_says_when(groups: FeatureGroups):
    for name, type, expected in (("as_text", "String", "2023-11-15T00:13:20Z"), ("as_seconds", "Fractional", 1700007200.0)):
        schema = tr.Schema.of(pa.schema([("id", pa.int64()), ("at", pa.string())]), at=type)
        group = groups.create(name, entity="id", event_time="at", schema=schema)
        group.delete([7], IN_TWO_HOURS)
        assert group.history(7)["at"].to_pylist() == [expected]


def test_composite_identifiers_are_named_by_column(stations: FeatureGroup):
    report = stations.delete({"origin": ["EWR", "EWR"], "station": [1, 2]}, IN_TWO_HOURS)
    assert report.rows == 2
    assert [row["station"] for row in deletions(stations)] == [1, 2]


def test_a_record_of_a_static_group_is_deleted_without_a_time(groups: FeatureGroups):
    schema = tr.Schema.of(pa.schema([("tail", pa.string()), ("seats", pa.int64())]))
    planes = groups.create("planes", entity="tail", event_time=tr.STATIC, schema=schema)
    planes.ingest(pa.table({"tail": ["N1", "N2"], "seats": [1, 2]}))
    report = planes.delete(["N1"])
    assert (report.first_event_time, report.last_event_time) == (None, None)
    assert planes.latest()["tail"].to_pylist() == ["N2"]


REFUSED: list[tuple[str, Any, Any, str]] = [
    (NAME, ["EWR"], None, r"A deletion from 'weather' needs an event time: the moment from which the records are gone\."),
    (NAME, ["EWR"], "2023-11-15 00:13:20", r"event time of the deletion"),
    (NAME, {"airport": ["EWR"]}, IN_TWO_HOURS, r"Records of 'weather' are identified by origin; these identifiers name airport\."),
    (NAME, "EWR", IN_TWO_HOURS, r"Identifiers of 'weather' are a list, such as \['EWR'\], and not 'EWR' itself\."),
    (NAME, [7], IN_TWO_HOURS, r"column 'origin' of these identifiers of 'weather' is int64, and 'origin' holds text\."),
    (NAME, ["EWR", 7], IN_TWO_HOURS, r"The identifiers of 'weather' in column 'origin' are of different kinds: "),
    (NAME, ["EWR", None], IN_TWO_HOURS, r"Column 'origin' of the identifiers holds 1 nulls; nothing was deleted\."),
    (
        "stations",
        ["EWR"],
        IN_TWO_HOURS,
        r"Records of 'stations' are identified by several columns: give lists by column, \{'origin': \[...\], 'station': \[...\]\}\.",
    ),
    ("stations", {"origin": ["EWR"]}, IN_TWO_HOURS, r"Records of 'stations' are identified by origin, station; these identifiers name origin\."),
    (
        "stations",
        {"origin": ["EWR"], "station": ["x"]},
        IN_TWO_HOURS,
        r"column 'station' of these identifiers of 'stations' is string, and 'station' holds whole numbers\.",
    ),
    (
        "stations",
        {"origin": ["EWR"], "station": [1, 2]},
        IN_TWO_HOURS,
        r"The identifiers of 'stations' have lists of different lengths: origin: 1, station: 2\.",
    ),
]


@pytest.mark.parametrize(("name", "identifiers", "event_time", "message"), REFUSED, ids=[str(case[1:3]) for case in REFUSED])
def test_a_deletion_that_names_no_record_is_refused(
    groups: FeatureGroups, group: FeatureGroup, stations: FeatureGroup, name: str, identifiers: Any, event_time: Any, message: str
):
    before = groups[name].commits()
    with pytest.raises(TreeringError, match=message):
        groups[name].delete(identifiers, event_time)
    assert groups[name].commits() == before
