"""What a lookup means, in plain loops: slow, short, and meant to be read beside README.md.

It knows nothing of the library under test. A record is a dict; every rule of README.md is named where it is kept.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from conformance.case import MATCHED, OUTCOMES, AddFeature, Case, Cell, Delete, Group, Ingest, Look, Observed, Step, Zone

Record = dict[str, Any]
ALWAYS = (datetime(1, 1, 1) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
NEVER = 2**63
# Above this, two whole numbers share one 64-bit float.
FLOAT_LIMIT = 2**53


class RefusedError(Exception):
    """What the semantics refuse; `error` names the class that an engine has to raise."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def run(case: Case) -> Observed:
    """Answer a case."""
    check_definition(case.group)
    for look in case.lookups:
        check_look(case.group, look)
    records = records_of(case.group, case.steps)
    label_rows = records_as_labels(case.group, records) if case.labels.from_group else case.labels.rows
    label_columns = case.group.columns if case.labels.from_group else case.labels.columns
    times = label_times(case, label_columns, label_rows)
    columns = output_columns(case, label_columns)
    answers = [[answer_row(case, look, records, row, t) for row, t in zip(label_rows, times, strict=True)] for look in case.lookups]
    return Observed(
        columns=columns,
        carried=[carried(case, label_columns, row) for row in label_rows],
        cells=[tuple(cell_of(case, look, found) for look, found in zip(case.lookups, row, strict=True)) for row in zip(*answers, strict=True)],
        counts=[counts_of(case, look, found) for look, found in zip(case.lookups, answers, strict=True)],
    )


# --- Records: rules 1 to 5 ---


def records_of(group: Group, steps: Sequence[Step]) -> list[Record]:
    """Play the steps; every step is one commit, and nothing is ever changed or removed (rule 2)."""
    records: list[Record] = []
    for commit, step in enumerate(steps, start=1):
        built_upon = {(record["identifier"], record["event_time"]) for record in records}
        if isinstance(step, Ingest):
            records += [ingested(group, step, commit, position, built_upon) for position in range(len(step.rows))]
        elif isinstance(step, Delete):
            records += [tombstone(group, step, commit, position) for position in range(len(step.identifiers))]
    return records


def ingested(group: Group, step: Ingest, commit: int, position: int, built_upon: set[tuple[Any, int]]) -> Record:
    """Make the record of one ingested row."""
    values = {name: no_nan(value) for name, value in zip(group.columns, step.rows[position], strict=False)}
    # A row longer than the declared columns holds the features that were added, in the order of their adding.
    values["+"] = step.rows[position][len(group.columns) :]
    identifier = tuple(values[name] for name in group.record_identifier)
    if None in identifier:
        raise RefusedError("BadRowsError", f"row {position}: null in the record identifier")
    event_time = group_time(group, group.event_time, values) if group.event_time else ALWAYS
    known_at = max(event_time, availability(group, values, event_time))
    is_correction = (identifier, event_time) in built_upon and group.event_time is not None
    if is_correction and not step.rewrites_history:
        known_at = max(known_at, step.at)
    return record(group, identifier, event_time, known_at, step.at, commit, position) | {"values": values, "deleted": False}


def tombstone(group: Group, step: Delete, commit: int, position: int) -> Record:
    """Make the record of one deletion: known no earlier than it was asked for (rules 3 and 5)."""
    event_time = ALWAYS if group.event_time is None or step.event_time is None else step.event_time
    known_at = max(event_time, step.at)
    return record(group, step.identifiers[position], event_time, known_at, step.at, commit, position) | {"values": {}, "deleted": True}


def record(group: Group, identifier: tuple[Any, ...], event_time: int, known_at: int, at: int, commit: int, row: int) -> Record:
    """Put together what every record has; `order` is rules 7 and 2 in one: the greatest answers."""
    entity = tuple(identifier[group.record_identifier.index(name)] for name in group.entity)
    return {
        "entity": entity,
        "identifier": identifier,
        "event_time": event_time,
        "known_at": known_at,
        "write_time": at,
        "commit": commit,
        "order": (event_time, at, commit, row),
    }


def availability(group: Group, values: Mapping[str, Any], event_time: int) -> int:
    """Work out when a record became available, as its group declares it (rule 5)."""
    if group.available_at is not None:
        return group_time(group, group.available_at, values)
    return event_time + (group.available_after or 0)


def no_nan(value: Any) -> Any:
    """Take NaN for null."""
    return None if isinstance(value, float) and math.isnan(value) else value


# --- Times: rule 4 ---


def group_time(group: Group, column: str, values: Mapping[str, Any]) -> int:
    """Read one of a record's clocks; what is finer than a microsecond rounds up."""
    if values[column] is None:
        raise RefusedError("BadRowsError", f"null in {column!r}")
    form = group.arrives_as.get(column, {"Timestamp": "utc", "String": "text", "Fractional": "seconds"}[group.columns[column]])
    return math.ceil(READ[form](values[column], group.time_zone, group.date_means))


def label_times(case: Case, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """Read the labels' times; what is finer than a microsecond rounds down, and none may be null (rule 10)."""
    if case.labels.from_group:
        name, zone = case.group.event_time or "", case.group.time_zone
        form = case.group.arrives_as.get(name, "utc")
    else:
        name, zone = case.labels.time, Zone(case.labels.time_zone) if case.labels.time_zone else None
        form = columns[name]
    found = [row[list(columns).index(name)] for row in rows]
    missing = [position for position, value in enumerate(found) if value is None]
    if missing:
        raise RefusedError("LabelsError", f"{len(missing)} label rows have no time; the first are {missing[:3]}")
    try:
        return [math.floor(READ[form](value, zone, None)) for value in found]
    except RefusedError as refusal:
        raise RefusedError("LabelsError", str(refusal)) from None


def from_local(text: str, zone: Zone | None, _date_means: int | None) -> int:
    """Read a time without a zone: an error, unless a zone is declared."""
    if zone is None:
        raise RefusedError("TreeringError", f"{text} has no zone: declare a time_zone")
    wall = datetime.fromisoformat(text)
    readings = sorted({in_utc(wall.replace(tzinfo=ZoneInfo(zone.name), fold=fold)) for fold in (0, 1)})
    occurring = [time for time in readings if wall_clock(time, zone) == wall]
    if len(occurring) == 1:
        return occurring[0]
    choice = zone.ambiguous if occurring else zone.nonexistent
    if choice == "error":
        raise RefusedError("BadRowsError", f"{text} does not exist, or occurs twice, in {zone.name}")
    if occurring:
        return occurring[0] if choice == "earliest" else occurring[1]
    after_the_gap = first_after_gap(readings[0], readings[1], zone)
    return after_the_gap - 1 if choice == "earliest" else after_the_gap


def first_after_gap(before: int, after: int, zone: Zone) -> int:
    """Halve the span until the moment is found at which the clocks went forward."""
    offset = wall_clock(before, zone) - wall_clock(before, Zone("UTC"))
    while after - before > 1:
        middle = (before + after) // 2
        if wall_clock(middle, zone) - wall_clock(middle, Zone("UTC")) == offset:
            before = middle
        else:
            after = middle
    return after


def in_utc(time: datetime) -> int:
    """Count microseconds since 1970."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def wall_clock(time: int, zone: Zone) -> datetime:
    """Say what a clock on the wall shows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).astimezone(ZoneInfo(zone.name)).replace(tzinfo=None)


def from_date(text: str, zone: Zone | None, date_means: int | None) -> int:
    """Read a date: an error, unless the group says which moment of its day is meant."""
    if date_means is None:
        raise RefusedError("TreeringError", f"{text} is a date: declare date_means")
    if zone is None:
        raise RefusedError("TreeringError", f"{text} has no zone: declare a time_zone")
    # A day is counted on the wall: the end of a day of 23 hours is the next midnight.
    return from_local((datetime.fromisoformat(text) + timedelta(microseconds=date_means)).isoformat(), zone, None)


def from_text(text: str, zone: Zone | None, _date_means: int | None) -> int:
    """Read ISO 8601 with a zone, or without one as local time."""
    time = datetime.fromisoformat(text)
    return in_utc(time) if time.tzinfo else from_local(text, zone, None)


READ: Mapping[str, Callable[[Any, Zone | None, int | None], Any]] = {
    "utc": lambda value, _zone, _means: value,
    "berlin": lambda value, _zone, _means: value,
    "utc_ns": lambda value, _zone, _means: Fraction(value, 1000),
    "seconds": lambda value, _zone, _means: Fraction(value) * 1_000_000,
    "local": from_local,
    "date": from_date,
    "text": from_text,
}


# --- The answer: rules 6 to 9 ---


@dataclass(frozen=True)
class Answer:
    """What one lookup finds for one label row; `record` is the one that decided, if any did."""

    outcome: str
    record: Record | None
    time: int
    is_tie: bool = False
    is_withheld: bool = False


def answer(history: Sequence[Record], t: int, look: Look) -> Answer:
    """Decide what a label at time `t` sees of one entity's records."""
    if not history:
        return Answer("no_history", None, t)
    candidates = [record for record in history if (record["known_at"] < t if look.strictly_before else record["known_at"] <= t)]
    others = [record for record in history if record not in candidates]
    happened = [record for record in others if (record["event_time"] < t if look.strictly_before else record["event_time"] <= t)]
    if not candidates:
        return Answer("not_yet_known", None, t, is_withheld=len(happened) > 0)
    best = max(candidates, key=lambda record: record["order"])
    is_tie = any(other["event_time"] == best["event_time"] and other["identifier"] != best["identifier"] for other in candidates)
    is_withheld = any(other["order"] > best["order"] for other in happened)
    return Answer(outcome_of(best, t, look), best, t, is_tie, is_withheld)


def outcome_of(best: Record, t: int, look: Look) -> str:
    """Say what the answering record means; there is no falling back to an older one (rule 8)."""
    if best["deleted"]:
        return "deleted"
    if look.max_age is not None and t - best["event_time"] > look.max_age:
        return "expired"
    return MATCHED


def answer_row(case: Case, look: Look, records: Sequence[Record], row: tuple[Any, ...], t: int) -> Answer:
    """Answer one label row: find its key's records as of the commit asked for."""
    key = key_of(case, look, row)
    if None in key:  # rule 10
        return answer([], t, look)
    last = last_commit(case.steps, look)
    history = [record for record in records if record["entity"] == key and record["commit"] <= last]
    # A record never sees itself (rule 6).
    forced = Look(max_age=look.max_age, strictly_before=look.strictly_before or case.labels.from_group)
    return answer(history, t, forced)


def last_commit(steps: Sequence[Step], look: Look) -> int:
    """Find the commit as of which is looked: a time means the last commit at or before it (rule 6)."""
    if look.as_of is not None:
        return look.as_of
    if look.as_of_time is None:
        return NEVER
    return max((commit for commit, time in enumerate(commit_times(steps), start=1) if time <= look.as_of_time), default=0)


def commit_times(steps: Sequence[Step]) -> list[int]:
    """Say when each commit was made: writers' clocks differ, but commits never run backwards."""
    times: list[int] = []
    for step in steps:
        times.append(max(step.at, times[-1] + 1) if times else step.at)
    return times


# --- Keys: rule 13 ---


def key_of(case: Case, look: Look, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Read a label row's key as the group's types."""
    names = look.on or case.group.entity
    forms = case.group.columns if case.labels.from_group else case.labels.columns
    for name in names:
        if name not in forms:
            raise RefusedError("FeatureNotFoundError", f"the labels have no column {name!r}")
    found = [(row[list(forms).index(name)], forms[name]) for name in names]
    types = [case.group.columns[column] for column in case.group.entity]
    return tuple(as_key(value, form, type) for (value, form), type in zip(found, types, strict=True))


FORMS_OF_KEYS = {
    "Integral": {"Integral", "int64", "int32", "int8", "uint8", "float64"},
    "String": {"String", "string", "large_string", "category"},
    "Boolean": {"Boolean", "bool"},
    "Timestamp": {"Timestamp", "utc"},
}


def as_key(value: Any, form: str, type: str) -> Any:
    """Compare as the group's type, or refuse: never an empty match."""
    if form not in FORMS_OF_KEYS[type]:
        raise RefusedError("KeyTypeError", f"{form} cannot be compared with {type}")
    value = no_nan(value)
    if form != "float64" or value is None:
        return value
    if abs(value) >= FLOAT_LIMIT or value != int(value):
        raise RefusedError("KeyTypeError", f"{value} is no whole number below 2**53")
    return int(value)


# --- What comes out: rules 9, 11 and 12, and what is refused ---


def output_columns(case: Case, label_columns: Mapping[str, str]) -> tuple[str, ...]:
    """List the label's columns, then the features of each lookup; no two may share a name (rules 11 and 12)."""
    columns = list(label_columns)
    for look in case.lookups:
        for feature, name in asked_for(case, look).items():
            columns.append(name if name != feature else look.prefix + feature)
    for position, name in enumerate(columns):
        if name.lower() in [other.lower() for other in columns[:position]]:
            raise RefusedError("ColumnCollisionError", f"two columns named {name!r}")
    return tuple(columns)


def asked_for(case: Case, look: Look) -> Mapping[str, str]:
    """List the features of a lookup: output name by name; by default all that are neither identifiers nor clocks."""
    added = [step.name for step in case.steps if isinstance(step, AddFeature)]
    if look.group != "g":
        raise RefusedError("FeatureGroupNotFoundError", f"no group {look.group!r}")
    if look.features is None:
        return {name: name for name in [*case.group.columns, *added] if name not in (*case.group.record_identifier, *case.group.clocks)}
    for name in look.features:
        if name not in [*case.group.columns, *added]:
            raise RefusedError("FeatureNotFoundError", f"no feature {name!r}")
    return look.features


def cell_of(case: Case, look: Look, found: Answer) -> Cell:
    """Give the features of a match; every other outcome gives nulls."""
    if found.outcome != MATCHED or found.record is None:
        return Cell(found.outcome)
    values = [value_of(case, found.record, name) for name in asked_for(case, look)]
    values += [found.record["event_time"]] if look.with_event_time else []
    values += [(found.time - found.record["event_time"]) / 1_000_000] if look.with_age else []
    return Cell(MATCHED, tuple(values))


def value_of(case: Case, record: Record, name: str) -> Any:
    """Read one feature; one that was added later is null in records from before."""
    if name in case.group.columns:
        return record["values"].get(name)
    added = [step.name for step in case.steps if isinstance(step, AddFeature)]
    position = added.index(name)
    return record["values"]["+"][position] if position < len(record["values"]["+"]) else None


def counts_of(case: Case, look: Look, found: Sequence[Answer]) -> dict[str, Any]:
    """Count a lookup's label rows by outcome, and what stands beside the outcomes (rules 5, 7 and 9)."""
    counts: dict[str, Any] = {outcome: sum(one.outcome == outcome for one in found) for outcome in OUTCOMES}
    matches = [one for one in found if one.outcome == MATCHED and one.record is not None]
    younger = [step.name for commit, step in enumerate(case.steps, start=1) if isinstance(step, AddFeature) and commit > last_commit(case.steps, look)]
    return counts | {
        "rows": len(found),
        "ties": sum(one.is_tie for one in found),
        "withheld": sum(one.is_withheld for one in found),
        "written_after_label": sum(one.record["write_time"] > one.time for one in matches if one.record),
        "before_feature_existed": {name: len(matches) for name in asked_for(case, look) if name in younger and matches},
    }


def check_definition(group: Group) -> None:
    """Refuse what cannot be a key (rule 13)."""
    for name in group.record_identifier:
        if group.columns[name] not in FORMS_OF_KEYS:
            raise RefusedError("InvalidDefinitionError", f"{name!r} is {group.columns[name]}, which cannot identify records")


def check_look(group: Group, look: Look) -> None:
    """Refuse a maximum age that can never match, or that means nothing (rule 8)."""
    if look.max_age is None:
        return
    if group.event_time is None:
        raise RefusedError("InvalidDefinitionError", "max_age on a static group, whose records have no age")
    if group.available_after and look.max_age <= group.available_after:
        raise RefusedError("InvalidDefinitionError", "max_age is not longer than the lag")


def carried(case: Case, columns: Mapping[str, str], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give a label row's columns without its time, which may come back in another resolution."""
    time = case.group.event_time if case.labels.from_group else case.labels.time
    return tuple(no_nan(value) for name, value in zip(columns, row, strict=True) if name != time)


def records_as_labels(group: Group, records: Sequence[Record]) -> tuple[tuple[Any, ...], ...]:
    """Read a group's records as label rows."""
    return tuple(tuple(record["values"].get(name) for name in group.columns) for record in records)
