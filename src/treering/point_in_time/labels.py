"""Labels: the rows that a lookup answers, each with a time, a key and perhaps a target."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import FeatureNotFoundError, LabelsError, SchemaMismatchError
from treering.point_in_time.history import History
from treering.schema.feature_group import TimeZone
from treering.schema.names import check_name
from treering.schema.times import Moment, microseconds_at
from treering.settings import Settings
from treering.sources.bad_rows import BadRow, sift
from treering.sources.digest import digest_of
from treering.sources.source import locate, open_source
from treering.sources.times import Converted, advice, label_times
from treering.storage.sorting import Integers, integers

_SHOWN = 5


@runtime_checkable
class RowsOfGroup(Protocol):
    """A feature group whose own records serve as labels."""

    def records(self) -> History:
        """Open the group's records."""

    def rows(self, records: History) -> pa.Table:
        """Read the records that count, as a table."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Where the label rows are, and what their columns mean.

    Rows that a group itself gives (`Labels(group, ...)`) never see themselves in that group. A copy of them, such as
    `Labels(group.to_pandas(), ...)`, is a frame like any other: there, looking the group up with `strictly_before=True` is the
    caller's to say.

    Attributes:
        source: a frame, Arrow data, a CSV or Parquet file (local or S3), or a feature group.
        time: the column with each row's time; None where `at` gives one time for all.
        at: microseconds; one time for all rows.
        target: the column that a model learns to predict.
        inputs: columns known at the label's time, which feed a model beside the looked-up features. No other column does.
        keys: the columns that identify what a row is about.
        weight: the column with each row's weight.
        time_zone: the zone of times written without one; None makes such times an error.
    """

    source: Any
    time: str | None
    at: int | None
    target: str | None
    inputs: tuple[str, ...]
    keys: tuple[str, ...]
    weight: str | None
    time_zone: TimeZone | None

    def __init__(
        self,
        source: Any,
        *,
        time: str | None = None,
        at: Moment | None = None,
        target: str | None = None,
        inputs: Iterable[str] = (),
        keys: Iterable[str] = (),
        weight: str | None = None,
        time_zone: str | TimeZone | None = None,
    ) -> None:
        """Keep where labels are; they are read when they are looked up.

        Raises:
            LabelsError: unless exactly one of `time` and `at` is given.
            InvalidDefinitionError: for an `at` that is no time with a zone, and a time zone that does not exist.
        """
        if (time is None) == (at is None):
            raise LabelsError("Labels need a time: name the column with `time=`, or give one time for all rows with `at=`.")
        set_ = object.__setattr__
        set_(self, "source", source)
        set_(self, "time", time)
        zone = None if time_zone is None else TimeZone.of(time_zone)
        set_(self, "at", None if at is None else microseconds_at(at, "time of the labels", zone=None if zone is None else zone.name))
        set_(self, "target", target)
        set_(self, "inputs", (inputs,) if isinstance(inputs, str) else tuple(inputs))
        set_(self, "keys", (keys,) if isinstance(keys, str) else tuple(keys))
        set_(self, "weight", weight)
        set_(self, "time_zone", zone)

    def read(self, settings: Settings) -> "LabelRows":
        """Read the rows and turn their times into microseconds.

        Raises:
            FeatureNotFoundError: for a column that the rows do not have, with the nearest name.
            LabelsError: for unreadable rows, rows without a time, and an input that would tell the model the answer.
        """
        if isinstance(self.source, RowsOfGroup):
            history = self.source.records()
            table = self.source.rows(history)
            digest = digest_of(table)
        else:
            table, digest = _read(self.source, settings)
            history = None
        self._check_columns(table.column_names)
        return LabelRows(self, table, self._moments(table), digest, history)

    def _check_columns(self, names: list[str]) -> None:
        asked = [name for name in (self.time, self.target, self.weight, *self.inputs, *self.keys) if name is not None]
        for name in asked:
            if name not in names:
                raise FeatureNotFoundError.among("column", name, names, "the labels")
        for name in self.inputs:
            if name in (self.target, self.time, self.weight):
                raise LabelsError(f"Label column {name!r} cannot be an input: it is the labels' target, time or weight, and would tell the model the answer.")
            check_name(name, "input")

    def _moments(self, table: pa.Table) -> Integers:
        if self.time is None:
            return np.full(table.num_rows, self.at, dtype=np.int64)
        try:
            converted = label_times(table[self.time], self.time_zone, name=self.time)
        except SchemaMismatchError as error:
            raise LabelsError(f"The labels' times cannot be used. {error}") from error
        if converted.values.null_count:
            raise _without_time(table, self.time, converted, self.time_zone)
        return integers(converted.values)


@dataclass(frozen=True, slots=True)
class LabelRows:
    """Label rows that were read.

    Attributes:
        labels: what their columns mean.
        table: every column, in the order given.
        moments: int64 microseconds since 1970 UTC, one per row.
        digest: of the source's content, or of the rows where a feature group is the source.
        history: the records that the rows are, where a feature group is the source; lookups of it see the same state.
    """

    labels: Labels
    table: pa.Table
    moments: Integers
    digest: str
    history: History | None


def _without_time(table: pa.Table, time: str, converted: Converted, zone: TimeZone | None) -> LabelsError:
    _, bad_rows = sift(table, np.arange(table.num_rows), converted.problems)
    reasons = {row.position: f"{row.reason} {row.text!r}" for row in bad_rows}
    missing = np.flatnonzero(np.asarray(pc.is_null(converted.values).to_numpy(zero_copy_only=False))).tolist()
    shown = "; ".join(f"row {row}: {reasons.get(row, 'no time')}" for row in missing[:_SHOWN]) + ("; and so on" if len(missing) > _SHOWN else "")
    ways = advice(converted.problems, zone)
    what_to_do = " ".join([*ways, "Or drop these rows." if ways else "Drop these rows or give them a time."])
    return LabelsError(f"{len(missing):,} of {table.num_rows:,} label rows have no time in {time!r} that can be used: {shown}. {what_to_do}")


def _read(source: Any, settings: Settings) -> tuple[pa.Table, str]:
    opened = open_source(source, settings)
    schema = opened.arrow_schema()
    tables, bad_rows = [], list[BadRow]()
    for batch in opened.batches():
        tables.append(batch.table)
        bad_rows += batch.bad_rows
    if bad_rows:
        shown = "; ".join(f"{locate(opened.parts(), row.position)}: {row.reason}" for row in bad_rows[:_SHOWN])
        raise LabelsError(f"{len(bad_rows):,} label rows cannot be read: {shown}. Mend them; a training set keeps every label row it is given.")
    return (pa.concat_tables(tables) if tables else schema.empty_table()), opened.digest()
