"""What a table looks like from outside: runs, commits, and the state at one commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class NewRun:
    """A Parquet file that is written and durable, and that no commit has made visible yet.

    Attributes:
        path: where it is, relative to the table's folder: `data/<run>.parquet`.
        rows: how many records it holds.
        bytes: its size.
        bounds: lowest and highest value by column, times as microseconds; a column that is absent is unknown.
        nulls: number of nulls by column.
    """

    path: str
    rows: int
    bytes: int
    bounds: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    nulls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredRun(NewRun):
    """A run that a commit made visible.

    Its bounds hold every value, and can be wider than the ones it was added with: long text is shortened.

    Attributes:
        commit: the number of the commit that added it.
    """

    commit: int = 0


@dataclass(frozen=True, slots=True)
class Commit:
    """One append to a table.

    Attributes:
        number: counts from 1; Iceberg calls it the sequence number.
        committed_at: microseconds since 1970, UTC; a later commit always has a later time.
        ingestion: the id that the append carried.
        rows: how many records it added.
        summary: what the append had to say about itself.
    """

    number: int
    committed_at: int
    ingestion: str
    rows: int
    summary: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a table that a reader works on from start to end.

    Attributes:
        version: number of the metadata file it was read from.
        commit: number of the last commit; 0 before the first.
        runs: every visible run, oldest first.
        columns: the table's columns, in order.
    """

    version: int
    commit: int
    runs: tuple[StoredRun, ...]
    columns: tuple[str, ...]
