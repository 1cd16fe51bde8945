"""Answer one SELECT over feature groups: ask a child what it needs, read that, and take its rows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Protocol

import pyarrow as pa

from treering.errors import MissingExtraError
from treering.schema.feature_group import API_INVOCATION_TIME, COMMIT, EVENT_TIME, IS_DELETED, KNOWN_AT, WRITE_TIME, FeatureGroupDefinition
from treering.schema.types import VECTOR_ELEMENT
from treering.sql.child import Child
from treering.sql.order import Order, QueryLimits
from treering.sql.spool import Spool
from treering.storage.runs import Run, batches_of

SYSTEM_COLUMNS = (WRITE_TIME, API_INVOCATION_TIME, IS_DELETED, EVENT_TIME, KNOWN_AT, COMMIT)
"""Columns that every table has after the group's own."""

# DuckDB sums 64-bit integers to 128 bits, and has its own name for a list's elements.
_RESTORED = ((pa.decimal128(38, 0), pa.int64()), (pa.list_(pa.float32()), pa.list_(VECTOR_ELEMENT)))


class Records(Protocol):
    """A feature group's records as of one commit."""

    @property
    def runs(self) -> Sequence[Run]:
        """Every run that holds records."""


class Group(Protocol):
    """What a query asks of a feature group."""

    @property
    def definition(self) -> FeatureGroupDefinition:
        """What is declared about the group."""

    def records(self) -> Records:
        """Open the group's records as of its newest commit."""


def run_query(query: str, groups: Iterable[Group], *, limits: QueryLimits | None = None, temporary_folder: str | None = None) -> pa.Table:
    """Answer one SELECT in DuckDB's dialect over all records of feature groups.

    Each group is a table under its name; names with hyphens are quoted, case does not matter. A table is the
    append-only log, as in SageMaker's offline store: its rows are all records, replaced ones and deletions (`is_deleted`)
    included, and after the group's columns stand `write_time`, `api_invocation_time`, `is_deleted`, `_event_time`,
    `_known_at` and `_commit`.

    Args:
        query: the SELECT. It can read feature groups, and reaches no file, network, setting or extension.
        groups: what can be read; only the columns that the query names are read.
        limits: time, memory, and size of the answer.
        temporary_folder: where the columns lie meanwhile, in a file without a name; None means the system's own.

    Returns:
        The rows. Times are UTC; whole numbers of 128 bits, such as sums, are int64 where all fit, else decimal.

    Raises:
        SqlError: for anything but one SELECT, what DuckDB refuses, and what is beyond the limits.
        MissingExtraError: if DuckDB is not installed.
    """
    if find_spec("duckdb") is None:
        raise MissingExtraError.of("SQL", "duckdb", "sql")
    by_name = {group.definition.name: group for group in groups}
    order = Order(query, {name: _table_schema(group.definition) for name, group in by_name.items()}, limits or QueryLimits())
    with Spool(temporary_folder) as spool, Child(spool.descriptor, order.limits) as child:
        for message in order.messages():
            child.tell(message)
        answers = child.answers()
        _, needs = next(answers)
        spans = _read(json.loads(needs), by_name, order, spool, child)
        child.tell(json.dumps(spans).encode())
        return _restored(pa.concat_tables([pa.ipc.open_stream(rows).read_all() for _, rows in answers]))


def _table_schema(definition: FeatureGroupDefinition) -> pa.Schema:
    stored = definition.run_schema()
    return pa.schema([stored.field(name) for name in (*definition.schema.names, *SYSTEM_COLUMNS)])


def _read(needs: Mapping[str, list[str]], groups: Mapping[str, Group], order: Order, spool: Spool, child: Child) -> dict[str, tuple[int, int]]:
    """Write the columns that a query needs to the spool, and say where each table stands."""
    # Every group's commit is settled before the first row is read.
    opened = {name: groups[name].records().runs for name in needs}
    spans = {}
    for name, columns in needs.items():
        # A query that only counts rows names no column.
        schema = pa.schema([order.tables[name].field(column) for column in columns or [IS_DELETED]])
        spans[name] = spool.write(schema, _in_time(batches_of(opened[name], schema.names), child))
    return spans


def _in_time(tables: Iterable[pa.Table], child: Child) -> Iterator[pa.Table]:
    for table in tables:
        child.check_time()
        yield table


def _restored(table: pa.Table) -> pa.Table:
    """Give columns the types that feature groups have where DuckDB has others for the same values."""
    return pa.table([_as_stored(column) for column in table.columns], names=table.column_names)


def _as_stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for found, stored in _RESTORED:
        if column.type == found:
            try:
                return column.cast(stored)
            except pa.ArrowInvalid:
                return column
    return column
