"""Why one cell holds what it holds, in words and data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from treering.point_in_time.history import History
from treering.point_in_time.keys import label_key_columns
from treering.point_in_time.labels import LabelRows
from treering.point_in_time.lookup import PlannedLookup
from treering.point_in_time.match import Match, Outcome
from treering.schema.feature_group import API_INVOCATION_TIME, COMMIT, EVENT_TIME, INGESTION, IS_DELETED, KNOWN_AT, ROW, WRITE_TIME
from treering.schema.times import FIRST_TIME, duration_text, time_text
from treering.storage.record_keys import KeyCodes
from treering.storage.sorting import integers

if TYPE_CHECKING:
    from rich.text import Text

_CLOCKS = (EVENT_TIME, KNOWN_AT, API_INVOCATION_TIME, WRITE_TIME)
_SHOWN_NEWER, _SHOWN_OLDER = 4, 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record of the label's key.

    Attributes:
        identifier: its record identifier, by column.
        event_time, known_at, api_invocation_time, write_time: microseconds since 1970 UTC.
        is_deleted: whether it is a deletion.
        commit: the commit it came with.
        ingestion: the ingestion that wrote it.
        position: its position in that ingestion's source.
        value: the explained feature's; None where the cell holds the record's event time or age.
        is_answer: whether it is the record that answered.
        verdict: why it did, or did not.
    """

    identifier: dict[str, Any]
    event_time: int
    known_at: int
    api_invocation_time: int
    write_time: int
    is_deleted: bool
    commit: int
    ingestion: str
    position: int
    value: Any
    is_answer: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a lookup's result.

    Attributes:
        row: the label row, counted from 0.
        column: the output column.
        value: what the cell holds.
    """

    row: int
    column: str
    value: Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cell, explained; print it, or read its parts.

    Attributes:
        row: the label row.
        column: the output column.
        group: the feature group that was looked up.
        feature: the feature that the column holds; None where it holds the record's event time or age.
        key: the label's key, by entity column.
        time: the label's time in microseconds since 1970 UTC.
        value: what the cell holds.
        outcome: how the lookup ended for this row.
        reason: the same in words.
        origin: where the record that answered came from; None without one.
        candidates: every record of the key, the latest event first.
    """

    row: int
    column: str
    group: str
    feature: str | None
    key: dict[str, Any]
    time: int
    value: Any
    outcome: str
    reason: str
    origin: str | None
    candidates: tuple[Candidate, ...]

    def to_json(self) -> dict[str, Any]:
        """Turn the explanation into plain data."""
        return asdict(self)

    def lines(self) -> list[tuple[str, str]]:
        """The printout, line by line, each with the style that it is printed in."""
        key = ", ".join(f"{name} = {value!r}" for name, value in self.key.items())
        lines = [(f"{self.column} of label row {self.row:,}", "bold"), ("", "")]
        lines += [(f"  label    {key} at {_short(time_text(self.time))}", "")]
        lines += [(f"  cell     {_value_text(self.value)}", "bold"), (f"  because  {self.reason}", "")]
        lines += [(f"  from     {self.origin}", "")] if self.origin else []
        return lines + self._candidate_lines()

    def _candidate_lines(self) -> list[tuple[str, str]]:
        if not self.candidates:
            return []
        answer = next((number for number, one in enumerate(self.candidates) if one.is_answer), len(self.candidates))
        first, last = max(0, answer - _SHOWN_NEWER), min(len(self.candidates), answer + 1 + _SHOWN_OLDER)
        shown = self.candidates[first:last]
        rows = [_cells(one, has_value=self.feature is not None) for one in shown]
        titles = ("", "event time", "known", "written", self.feature or "", "verdict")
        widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]
        lines = [("", ""), (_laid_out(titles, widths), "dim")]
        lines += [(f"  ↑ {first:,} later records of {self._key_text()}", "dim")] if first else []
        lines += [(_laid_out(row, widths), "green" if one.is_answer else "dim") for row, one in zip(rows, shown, strict=True)]
        lines += [(f"  ↓ {len(self.candidates) - last:,} earlier records of {self._key_text()}", "dim")] if last < len(self.candidates) else []
        return lines

    def _key_text(self) -> str:
        return ", ".join(str(value) for value in self.key.values())

    def __str__(self) -> str:
        return "\n".join(line.rstrip() for line, _ in self.lines())

    __repr__ = __str__

    def __rich__(self) -> "Text":
        from rich.text import Text

        text = Text(no_wrap=True, overflow="ignore")
        for line, style in self.lines():
            text.append(line + "\n", style=style)
        return text


def _cells(one: Candidate, *, has_value: bool) -> tuple[str, ...]:
    is_static = one.event_time == FIRST_TIME
    known = "always" if is_static and one.known_at == FIRST_TIME else "at once"
    if one.known_at != one.event_time:
        known = _short(time_text(one.known_at)) if is_static else f"+{duration_text(one.known_at - one.event_time)}"
    event_time = "static" if is_static else _short(time_text(one.event_time))
    value = "deleted" if one.is_deleted else _value_text(one.value) if has_value else ""
    return ("  ✓" if one.is_answer else "  ·", event_time, known, time_text(one.write_time)[:16], value, one.verdict)


def _short(time: str) -> str:
    """Leave out seconds that are zero: most events are given to the minute."""
    return time.removesuffix(":00Z") + "Z" if time.endswith(":00Z") else time


def _laid_out(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))


def _value_text(value: Any) -> str:
    text = "null" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else text[:21] + "..."


def explain_cell(rows: LabelRows, planned: PlannedLookup, match: Match, cell: Cell) -> Explanation:
    """Explain one cell of a lookup's result from the group's records."""
    row, column = cell.row, cell.column
    definition = planned.history.definition
    feature = next((name for name, output in planned.features.items() if output == column), None)
    key_columns = label_key_columns(rows.table.slice(row, 1), planned.on, definition)
    key = {name: values[0].as_py() for name, values in zip(definition.entity, key_columns, strict=True)}
    moment = int(rows.moments[row])
    found = _Found(int(match.found.run[row]), int(match.found.row[row]))
    candidates = _candidates(planned, KeyCodes.of(key_columns), feature, moment, found)
    answer = next((one for one in candidates if one.is_answer), None)
    outcome = Outcome(int(match.outcome[row]))
    lacks = feature is not None and planned.history.lacks(feature)
    return Explanation(
        row=row,
        column=column,
        group=definition.name,
        feature=feature,
        key=key,
        time=moment,
        value=cell.value,
        outcome="before the feature existed" if lacks and outcome is Outcome.MATCHED else outcome.name.lower().replace("_", " "),
        reason=_reason(planned, outcome, answer, moment, lacks=lacks),
        origin=None if answer is None else _origin(planned.history, answer),
        candidates=candidates,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    run: int
    row: int


def _candidates(planned: PlannedLookup, keys: KeyCodes, feature: str | None, moment: int, found: _Found) -> tuple[Candidate, ...]:
    if keys.count == 0:
        return ()
    definition = planned.history.definition
    columns = list(dict.fromkeys([*definition.record_identifier, *([feature] if feature else []), *_CLOCKS, IS_DELETED, COMMIT, INGESTION, ROW]))
    records: list[tuple[tuple[Any, ...], dict[str, Any], bool]] = []
    for number, run in enumerate(planned.history.runs):
        low, high = keys.extremes() or (None, None)
        for group in run.groups_between(definition.entity[0], low, high):
            table = run.read(columns, [group])
            visible = integers(table[COMMIT]) <= planned.history.commit
            mine = np.flatnonzero(visible & (keys.codes_of([table[name] for name in definition.entity]) == 0))
            for position, record in zip(mine, _as_dicts(table.take(pa.array(mine))), strict=True):
                won = (number, int(position) + int(run.group_starts[group])) == (found.run, found.row)
                records.append((tuple(record[name] for name in (EVENT_TIME, API_INVOCATION_TIME, WRITE_TIME, COMMIT, ROW)), record, won))
    records.sort(key=lambda one: one[0], reverse=True)
    answer = next((record for _, record, won in records if won), None)
    return tuple(_candidate(planned, record, feature, moment, answer, is_answer=won) for _, record, won in records)


def _as_dicts(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries, with the clocks as whole microseconds."""
    clocks = {name: integers(table[name]).tolist() for name in _CLOCKS}
    values = {name: table[name].to_pylist() for name in table.column_names if name not in clocks} | clocks
    return [{name: column[row] for name, column in values.items()} for row in range(table.num_rows)]


def _candidate(
    planned: PlannedLookup, record: dict[str, Any], feature: str | None, moment: int, answer: dict[str, Any] | None, *, is_answer: bool
) -> Candidate:
    return Candidate(
        identifier={name: record[name] for name in planned.history.definition.record_identifier},
        event_time=record[EVENT_TIME],
        known_at=record[KNOWN_AT],
        api_invocation_time=record[API_INVOCATION_TIME],
        write_time=record[WRITE_TIME],
        is_deleted=bool(record[IS_DELETED]),
        commit=record[COMMIT],
        ingestion=record[INGESTION],
        position=record[ROW],
        value=record[feature] if feature else None,
        is_answer=is_answer,
        verdict="the answer: latest known by then" if is_answer else _verdict(planned, record, moment, answer),
    )


def _verdict(planned: PlannedLookup, record: dict[str, Any], moment: int, answer: dict[str, Any] | None) -> str:
    """Say why a record did not answer: the first of the rules that puts it out."""
    known, event = record[KNOWN_AT], record[EVENT_TIME]
    if event > moment:
        return f"happened {duration_text(event - moment)} too late"
    if known > moment:
        return f"known {duration_text(known - moment)} too late"
    if known == moment and planned.lookup.strictly_before:
        return "known at the label's time, not before"
    if answer is not None and event < answer[EVENT_TIME]:
        return f"older by {duration_text(answer[EVENT_TIME] - event)}"
    if answer is not None and record[API_INVOCATION_TIME] < answer[API_INVOCATION_TIME]:
        return f"replaced {duration_text(answer[API_INVOCATION_TIME] - record[API_INVOCATION_TIME])} later"
    return "same event time, an earlier row"


def _reason(planned: PlannedLookup, outcome: Outcome, answer: Candidate | None, moment: int, *, lacks: bool) -> str:
    group = planned.history.definition.name
    if answer is None:
        if outcome is Outcome.NO_HISTORY:
            return f"{group!r} has no record of this key"
        return f"{group!r} has records of this key, but none was known by then"
    if planned.history.definition.is_static:
        age = "static: its records are known always"
    else:
        happened, known = duration_text(moment - answer.event_time), duration_text(moment - answer.known_at)
        age = f"it happened {happened} before the label" + (f" and was known {known} before" if known != happened else "")
    if lacks:
        return f"the feature was added after commit {planned.history.commit}, which was asked for"
    reasons = {
        Outcome.MATCHED: f"a record answers; {age}",
        Outcome.DELETED: f"the latest record known by then is a deletion; {age}",
        Outcome.EXPIRED: f"the record is older than max_age ({duration_text(planned.lookup.max_age or 0)}); {age}",
    }
    return reasons[outcome]


def _origin(history: History, answer: Candidate) -> str:
    origin = history.origin(answer.ingestion, answer.position)
    return f"{origin} (commit {answer.commit}, ingestion {answer.ingestion})" if answer.ingestion else origin
