"""The engines that are held against the cases: each plays a case's steps its own way and looks up the labels."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

import treering as tr
from conformance.case import OUTCOMES, AddFeature, Case, Cell, Delete, Group, Ingest, Labels, Look, Observed, Step

COUNTS = (*OUTCOMES, "rows", "ties", "withheld", "written_after_label", "before_feature_existed")

ARROW_OF_FORM: Mapping[str, pa.DataType] = {
    "Boolean": pa.bool_(),
    "Fractional": pa.float64(),
    "Integral": pa.int64(),
    "String": pa.string(),
    "Timestamp": pa.timestamp("us", tz="UTC"),
    "Vector(2)": pa.list_(pa.float32()),
    "berlin": pa.timestamp("us", tz="Europe/Berlin"),
    "bool": pa.bool_(),
    "category": pa.dictionary(pa.int32(), pa.string()),
    "date": pa.date32(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "int8": pa.int8(),
    "large_string": pa.large_string(),
    "local": pa.timestamp("us"),
    "string": pa.string(),
    "uint8": pa.uint8(),
    "utc": pa.timestamp("us", tz="UTC"),
    "utc_ns": pa.timestamp("ns", tz="UTC"),
}
READ_TEXT: Mapping[str, Callable[[str], Any]] = {"local": datetime.fromisoformat, "date": date.fromisoformat}


class Engine(Protocol):
    """What can be held against the cases."""

    name: str

    def takes(self, case: Case) -> bool:
        """Say whether the engine offers what the case is about."""

    def run(self, case: Case, folder: Path, *, row_by_row: bool) -> Observed:
        """Play the steps in an empty folder and look up the labels; row by row tells each row's outcome as well."""


@dataclass
class Clock:
    """A clock that shows what it is told to."""

    now: int = 0

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class InStore:
    """A store in a folder.

    Attributes:
        settings: tuning, which must not change an answer.
        reopened: whether the lookup is made by a second store object on the same folder.
    """

    name: str
    settings: tr.Settings = field(default_factory=tr.Settings)
    reopened: bool = False

    def takes(self, case: Case) -> bool:
        return True

    def run(self, case: Case, folder: Path, *, row_by_row: bool) -> Observed:
        clock = Clock()
        store = tr.Store(folder, clock=clock, settings=self.settings)
        group = store.feature_groups.create("g", **declaration(case.group), schema=schema_of(case.group))
        commits = [play(group, case.group, step, clock) for step in with_added_columns(case)]
        if self.reopened:
            store = tr.Store(folder, clock=clock, settings=self.settings)
        lookups = [lookup_of(look, commits) for look in case.lookups]
        if case.labels.from_group:
            labels = tr.Labels(store.feature_groups["g"], time=case.group.event_time)
            return observed(case, [store.lookup(labels, lookups)], row_by_row=False)
        return observed(case, (store.lookup(labels, lookups) for labels in label_sets(case.labels, row_by_row=row_by_row)), row_by_row=row_by_row)


@dataclass(frozen=True)
class WithoutStore:
    """A lookup in a frame as it is: no store, no ingestion, and so no time of writing."""

    name: str = "without-a-store"

    def takes(self, case: Case) -> bool:
        one_load = len(case.steps) == 1 and isinstance(case.steps[0], Ingest)
        return one_load and not case.labels.from_group and all(look.as_of is None and look.as_of_time is None for look in case.lookups)

    def run(self, case: Case, folder: Path, *, row_by_row: bool) -> Observed:
        step = case.steps[0]
        assert isinstance(step, Ingest)
        records = tr.Records(frame(case.group, step, ()), **declaration(case.group), schema=schema_of(case.group))
        lookups = [lookup_of(look, []) for look in case.lookups]
        results = (tr.lookup(labels, lookups, sources={"g": records}) for labels in label_sets(case.labels, row_by_row=row_by_row))
        seen = observed(case, results, row_by_row=row_by_row)
        known = [{name: count for name, count in counts.items() if name != "written_after_label"} for counts in seen.counts]
        return replace(seen, counts=known)


ENGINES: tuple[Engine, ...] = (
    InStore("store"),
    InStore("store-of-tiny-runs-reopened", settings=tr.Settings(run_rows=2, row_group_rows=1), reopened=True),
    WithoutStore(),
)


def declaration(group: Group) -> dict[str, Any]:
    """Write a case's group as the arguments that declare it."""
    declared: dict[str, Any] = {"entity": group.entity, "event_time": group.event_time or tr.STATIC}
    declared |= {"record_identifier": group.identifier} if group.identifier else {}
    declared |= {"available_after": timedelta(microseconds=group.available_after)} if group.available_after is not None else {}
    declared |= {"available_at": group.available_at} if group.available_at is not None else {}
    declared |= {"date_means": timedelta(microseconds=group.date_means)} if group.date_means is not None else {}
    if group.time_zone is not None:
        zone = group.time_zone
        declared["time_zone"] = tr.TimeZone(zone.name, ambiguous=zone.ambiguous, nonexistent=zone.nonexistent)
    return declared


def schema_of(group: Group) -> Any:
    """Write a case's columns as a schema."""
    return tr.Schema(tuple(feature_of(name, type) for name, type in group.columns.items()))


def feature_of(name: str, type: str) -> Any:
    """Write one column as a feature."""
    kind, _, dimension = type.rstrip(")").partition("(")
    return tr.Feature(name, kind, int(dimension) if dimension else None)


def with_added_columns(case: Case) -> Iterator[tuple[Step, tuple[AddFeature, ...]]]:
    """Give each step with the features that were added before it."""
    added: tuple[AddFeature, ...] = ()
    for step in case.steps:
        yield step, added
        added += (step,) if isinstance(step, AddFeature) else ()


def play(group: Any, declared: Group, step_and_added: tuple[Step, tuple[AddFeature, ...]], clock: Clock) -> int | None:
    """Make one step at its time; return its commit."""
    step, added = step_and_added
    clock.now = step.at
    if isinstance(step, Ingest):
        return group.ingest(frame(declared, step, added), rewrites_history=step.rewrites_history, again=True).commit
    if isinstance(step, Delete):
        identifiers = dict(zip(declared.record_identifier, map(list, zip(*step.identifiers, strict=True)), strict=True))
        return group.delete(identifiers, None if step.event_time is None else as_datetime(step.event_time)).commit
    group.add_features([feature_of(step.name, step.type)])
    return None


def as_datetime(time: int) -> datetime:
    """Write microseconds since 1970 as a time with a zone."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)


def frame(group: Group, step: Ingest, added: tuple[AddFeature, ...]) -> pa.Table:
    """Write an ingestion's rows as an Arrow table, in the forms that the group's columns arrive in."""
    forms = {name: group.arrives_as.get(name, type) for name, type in group.columns.items()} | {one.name: one.type for one in added}
    rows = [row + (None,) * (len(forms) - len(row)) for row in step.rows]
    return table(forms, rows)


def table(forms: Mapping[str, str], rows: list[tuple[Any, ...]]) -> pa.Table:
    """Write rows as an Arrow table."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(forms)
    return pa.table({name: array(form, values) for (name, form), values in zip(forms.items(), columns, strict=True)})


def array(form: str, values: tuple[Any, ...]) -> pa.Array:
    """Write one column; local times and dates stand as text in the cases."""
    read = READ_TEXT.get(form, lambda value: value)
    return pa.array([None if value is None else read(value) for value in values], ARROW_OF_FORM[form])


def label_sets(labels: Labels, *, row_by_row: bool) -> Iterator[Any]:
    """Give all label rows at once and then, to learn what became of each, one by one."""
    rows = list(labels.rows)
    for chosen in [rows, *([row] for row in rows)] if row_by_row else [rows]:
        yield tr.Labels(table(labels.columns, chosen), time=labels.time, time_zone=labels.time_zone)


def lookup_of(look: Look, commits: list[int | None]) -> Any:
    """Write one lookup; a step's number becomes its commit."""
    as_of: int | datetime | None = None
    if look.as_of is not None:
        as_of = commits[look.as_of - 1]
        assert as_of is not None
    if look.as_of_time is not None:
        as_of = as_datetime(look.as_of_time)
    return tr.Lookup(
        look.group,
        on=look.on,
        features=look.features,
        prefix=look.prefix,
        max_age=None if look.max_age is None else timedelta(microseconds=look.max_age),
        strictly_before=look.strictly_before,
        as_of=as_of,
        with_event_time=look.with_event_time,
        with_age=look.with_age,
    )


def observed(case: Case, results: Any, *, row_by_row: bool) -> Observed:
    """Read results: the first is of all rows; the others, of one row each, tell what became of it.

    A row looked up alone has to get what it got among the others.
    """
    whole, *alone = results
    time = case.group.event_time if case.labels.from_group else case.labels.time
    carried, cells = read_rows(whole.to_arrow(), case, time)
    if row_by_row:
        assert [values for one in alone for values in read_rows(one.to_arrow(), case, time)[1]] == cells
        cells = [named_outcomes(row, [counts_of(count) for count in one.counts]) for row, one in zip(cells, alone, strict=True)]
    if case.labels.from_group:
        carried, cells = zip(*sorted(zip(carried, cells, strict=True), key=repr), strict=True)
    return Observed(tuple(whole.to_arrow().column_names), list(carried), list(cells), [counts_of(count) for count in whole.counts])


def counts_of(counts: Any) -> dict[str, Any]:
    """Read one lookup's counts."""
    found = {name: getattr(counts, name) for name in COUNTS}
    return found | {"before_feature_existed": {name: count for name, count in found["before_feature_existed"].items() if count}}


def read_rows(result: pa.Table, case: Case, time: str | None) -> tuple[list[tuple[Any, ...]], list[tuple[Cell, ...]]]:
    """Read a result as the labels' columns without their time, and a cell of unnamed outcome per lookup."""
    columns = [python_values(column) for column in result.columns]
    label_count = len(case.group.columns if case.labels.from_group else case.labels.columns)
    carried = [values for name, values in zip(result.column_names[:label_count], columns, strict=False) if name != time]
    cells = []
    for row in zip(*columns[label_count:], strict=True):
        widths = [width_of(case, look) for look in case.lookups]
        starts = [sum(widths[:number]) for number in range(len(widths))]
        cells.append(tuple(Cell("", row[start : start + width]) for start, width in zip(starts, widths, strict=True)))
    return list(zip(*carried, strict=True)), cells


def named_outcomes(row: tuple[Cell, ...], counts: list[dict[str, Any]]) -> tuple[Cell, ...]:
    """Name each cell's outcome, which is the one that a lookup of this row alone counted; nulls go unsaid unless matched."""
    named = []
    for cell, count in zip(row, counts, strict=True):
        (outcome,) = [name for name in OUTCOMES if count[name] == 1]
        is_silent = outcome != "matched" and all(value is None for value in cell.values)
        named.append(Cell(outcome, () if is_silent else cell.values))
    return tuple(named)


def width_of(case: Case, look: Look) -> int:
    """Count the columns that a lookup adds."""
    hidden = {*case.group.record_identifier, *case.group.clocks}
    added = sum(isinstance(step, AddFeature) for step in case.steps)
    features = len(look.features) if look.features is not None else sum(name not in hidden for name in case.group.columns) + added
    return features + look.with_event_time + look.with_age


def python_values(column: pa.ChunkedArray) -> list[Any]:
    """Read a column: times as microseconds, NaN as null, vectors as tuples."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64()).to_pylist()
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        return [None if value is None else tuple(value) for value in column.to_pylist()]
    return [None if value != value else value for value in column.to_pylist()]
