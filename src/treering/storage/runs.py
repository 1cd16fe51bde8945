"""Sorted runs: Parquet files whose rows stand in the order that a lookup searches, and their equals in memory."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from treering.errors import CorruptDataError, ObjectNotFoundError, StoreFormatError, TreeringError
from treering.schema.feature_group import (
    API_INVOCATION_TIME,
    COMMIT,
    EVENT_TIME,
    INGESTION,
    IS_DELETED,
    KNOWN_AT,
    SYSTEM_COLUMNS,
    WRITE_TIME,
)
from treering.storage.objects import Objects
from treering.storage.offline_table import NewRun, StoredRun
from treering.storage.sorting import PRECEDENCE, Integers, integers, starts_of_slices

_TRAITS_KEY = b"treering.run"
_TRAITS_VERSION = 1
_REPETITIVE = (API_INVOCATION_TIME, WRITE_TIME, IS_DELETED, INGESTION)


@dataclass(frozen=True, slots=True)
class RunTraits:
    """What is true of every row of a run, so that a lookup can leave columns unread.

    Attributes:
        known_at_event: every record is known at its event time.
        in_event_order: within every entity, records that become known later also have precedence.
        has_deletions: some records are deletions.
    """

    known_at_event: bool = True
    in_event_order: bool = True
    has_deletions: bool = False

    def and_also(self, other: "RunTraits") -> "RunTraits":
        """The traits of two runs taken together, entities apart."""
        return RunTraits(
            self.known_at_event and other.known_at_event,
            self.in_event_order and other.in_event_order,
            self.has_deletions or other.has_deletions,
        )

    @classmethod
    def of(cls, table: pa.Table, entity: Sequence[str]) -> "RunTraits":
        """Find the traits of rows that stand in run order and hold whole entities."""
        event, known = integers(table[EVENT_TIME]), integers(table[KNOWN_AT])
        return cls(
            known_at_event=bool(np.array_equal(event, known)),
            in_event_order=_in_event_order(table, entity),
            has_deletions=bool(pc.any(table[IS_DELETED]).as_py()),
        )


def _in_event_order(table: pa.Table, entity: Sequence[str]) -> bool:
    if table.num_rows < 2:
        return True
    undecided = np.ones(table.num_rows - 1, dtype=bool)
    undecided[starts_of_slices([table[name] for name in entity])[1:] - 1] = False
    for name in PRECEDENCE:
        if name not in table.column_names:
            continue
        steps = np.diff(integers(table[name]))
        if bool(np.any(steps[undecided] < 0)):
            return False
        undecided &= steps == 0
    return True


class Run(Protocol):
    """Rows in run order that a lookup can read by column and by row group."""

    @property
    def rows(self) -> int:
        """How many records the run holds."""

    @property
    def commit(self) -> int:
        """The commit that added the run; records may say an earlier one for themselves."""

    @property
    def traits(self) -> RunTraits:
        """What is true of every row."""

    @property
    def group_starts(self) -> Integers:
        """The first row of every row group, and after them the number of rows."""

    def uniform(self, column: str) -> int | None:
        """The value that every row has in a system column of times or numbers; None if they differ, or may."""

    def groups_between(self, column: str, low: Any, high: Any) -> list[int]:
        """The row groups that can hold a value of a column from `low` to `high`, both included."""

    def read(self, columns: Sequence[str], groups: Sequence[int] | None = None) -> pa.Table:
        """Read columns of some row groups; a column younger than the run reads null."""


class StoredRunReader:
    """A sorted run in a Parquet file, with every page's checksum verified as it is read.

    Between reads the file is closed: a group may have more runs than a process may have open files.
    """

    def __init__(self, objects: Objects, key: str, stored: StoredRun, schema: pa.Schema) -> None:
        self._objects, self._key, self._stored, self._schema = objects, key, stored, schema
        with self._opened(None) as file:
            self._metadata, self._names = file.metadata, file.schema_arrow.names
        self._known = frozenset(self._names)
        self.traits = self._read_traits()

    @contextmanager
    def _opened(self, metadata: pq.FileMetaData | None) -> Iterator[pq.ParquetFile]:
        try:
            with self._objects.input(self._key) as source:
                yield pq.ParquetFile(source, metadata=metadata, page_checksum_verification=True, pre_buffer=True)
        except ObjectNotFoundError as error:
            raise CorruptDataError(
                f"The sorted run {self._key} is missing. Restore it from a backup, or drop the group and ingest its sources again."
            ) from error
        except TreeringError:
            raise
        except (OSError, pa.ArrowInvalid) as error:
            raise CorruptDataError(
                f"The sorted run {self._key} is damaged ({error}). Restore it from a backup, or drop the group and ingest its sources again."
            ) from error

    def _read_traits(self) -> RunTraits:
        metadata = self._metadata.metadata or {}
        if _TRAITS_KEY not in metadata:
            raise StoreFormatError(f"The file {self._key} is no sorted run of treering: its footer does not say so.")
        value = json.loads(metadata[_TRAITS_KEY])
        if value.pop("version") != _TRAITS_VERSION:
            raise StoreFormatError(f"The sorted run {self._key} was written by a newer treering. Install a newer one.")
        return RunTraits(**value)

    @property
    def rows(self) -> int:
        return int(self._metadata.num_rows)

    @property
    def commit(self) -> int:
        return self._stored.commit

    @property
    def group_starts(self) -> Integers:
        sizes = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    def uniform(self, column: str) -> int | None:
        low, high = self._stored.bounds.get(column, (None, None))
        return int(low) if low is not None and low == high else None

    def groups_between(self, column: str, low: Any, high: Any) -> list[int]:
        index = self._names.index(column)
        groups = []
        for group in range(self._metadata.num_row_groups):
            statistics = self._metadata.row_group(group).column(index).statistics
            known = statistics is not None and statistics.has_min_max
            if not known or (statistics.min <= high and statistics.max >= low):
                groups.append(group)
        return groups

    def read(self, columns: Sequence[str], groups: Sequence[int] | None = None) -> pa.Table:
        present = [name for name in columns if name in self._known]
        chosen = list(range(self._metadata.num_row_groups) if groups is None else groups)
        with self._opened(self._metadata) as file:
            table = file.read_row_groups(chosen, columns=present, use_threads=True)
        rows = sum(self._metadata.row_group(group).num_rows for group in chosen)
        return completed(table, columns, self._schema, rows, self.commit)


def completed(table: pa.Table, columns: Sequence[str], schema: pa.Schema, rows: int, commit: int) -> pa.Table:
    """Give a run's table the columns that its file lacks: the commit it came with, and nulls for younger features."""
    arrays, present = [], set(table.column_names)
    for name in columns:
        if name in present:
            arrays.append(table[name])
        elif name == COMMIT:
            arrays.append(pa.chunked_array([pa.repeat(pa.scalar(commit, pa.int64()), rows)]))
        else:
            arrays.append(pa.chunked_array([pa.nulls(rows, schema.field(name).type)]))
    return pa.table(arrays, names=list(columns))


class RunInMemory:
    """Rows in run order that were never stored: the frames of a lookup without a store."""

    def __init__(self, table: pa.Table, entity: Sequence[str], commit: int = 1) -> None:
        self._table, self.commit = table, commit
        self.traits = RunTraits.of(table, entity)

    @property
    def rows(self) -> int:
        return int(self._table.num_rows)

    @property
    def group_starts(self) -> Integers:
        return np.array([0, self._table.num_rows], dtype=np.int64)

    def uniform(self, column: str) -> int | None:
        low, high = bounds_of(self._table[column])
        return int(low) if low is not None and low == high else None

    def groups_between(self, column: str, low: Any, high: Any) -> list[int]:
        return [0]

    def read(self, columns: Sequence[str], groups: Sequence[int] | None = None) -> pa.Table:
        table = self._table if groups is None or list(groups) else self._table.slice(0, 0)
        return completed(table, columns, self._table.schema, table.num_rows, self.commit)


class RunWriter:
    """Writes one sorted run: tables in run order, each holding whole entities, one after another."""

    def __init__(self, objects: Objects, folder: str, path: str, schema: pa.Schema, entity: Sequence[str], row_group_rows: int) -> None:
        self.path, self.rows = path, 0
        self._schema, self._entity, self._row_group_rows = schema, entity, row_group_rows
        self._traits = RunTraits()
        self._bounds: dict[str, tuple[Any, Any]] = {}
        self._nulls: dict[str, int] = {}
        self._exit = ExitStack()
        self._objects, self._key = objects, f"{folder}/{path}"

    def __enter__(self) -> Self:
        schema, keys = self._schema, (*_REPETITIVE, *self._entity)
        repetitive = [field.name for field in schema if field.name in keys or pa.types.is_string(field.type)]
        with ExitStack() as opening:
            sink = opening.enter_context(self._objects.output(self._key))
            writer = pq.ParquetWriter(sink, schema, compression="lz4", use_dictionary=repetitive, write_page_checksum=True)
            self._writer = opening.enter_context(writer)
            self._exit = opening.pop_all()
        return self

    def write(self, table: pa.Table) -> None:
        """Append rows that follow the ones before in run order."""
        self._writer.write_table(table, row_group_size=self._row_group_rows)
        self._traits = self._traits.and_also(RunTraits.of(table, self._entity))
        self.rows += table.num_rows
        for name in (*self._entity, *(name for name in SYSTEM_COLUMNS if name in table.column_names)):
            low, high = bounds_of(table[name])
            if name in self._bounds:
                low, high = min(low, self._bounds[name][0]), max(high, self._bounds[name][1])
            self._bounds[name] = (low, high)
            self._nulls[name] = self._nulls.get(name, 0) + table[name].null_count

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            value = {"version": _TRAITS_VERSION, **asdict(self._traits)}
            self._writer.add_key_value_metadata({_TRAITS_KEY.decode(): json.dumps(value)})
        self._exit.__exit__(kind, error, trace)

    def finished(self) -> NewRun:
        """Describe the run for the commit; call it after the writer is closed."""
        return NewRun(path=self.path, rows=self.rows, bytes=self._objects.size(self._key) or 0, bounds=self._bounds, nulls=self._nulls)


def bounds_of(column: pa.ChunkedArray) -> tuple[Any, Any]:
    """The least and the greatest value of a column without nulls; times as whole microseconds."""
    extremes = pc.min_max(column)
    if pa.types.is_timestamp(column.type):
        return extremes["min"].cast(pa.int64()).as_py(), extremes["max"].cast(pa.int64()).as_py()
    return extremes["min"].as_py(), extremes["max"].as_py()


def batches_of(runs: Iterable[Run], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Read runs one row group at a time."""
    for run in runs:
        for group in range(len(run.group_starts) - 1):
            yield run.read(columns, [group])


def may_hold(stored: StoredRun, bounds: Mapping[str, tuple[Any, Any]]) -> bool:
    """Whether a run's statistics allow it to hold rows within the bounds; unknown statistics allow all."""
    for name, (low, high) in bounds.items():
        if name in stored.bounds and (stored.bounds[name][1] < low or stored.bounds[name][0] > high):
            return False
    return True
