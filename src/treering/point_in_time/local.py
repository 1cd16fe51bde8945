"""Runs lookups on this machine: labels in, the same rows in the same order out, with the features they may see."""

import operator
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

import pyarrow as pa

from treering.errors import FeatureNotFoundError, LabelsError
from treering.point_in_time.counts import LookupCounts, counts_text
from treering.point_in_time.explain import Cell, Explanation, explain_cell
from treering.point_in_time.gather import gather
from treering.point_in_time.history import History
from treering.point_in_time.keys import label_key_columns
from treering.point_in_time.labels import LabelRows, Labels
from treering.point_in_time.lookup import PlannedLookup, plan
from treering.point_in_time.match import Match, match
from treering.schema.serialise import to_json
from treering.schema.view import Lookup
from treering.settings import Settings
from treering.storage.record_keys import KeyCodes

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

# Each lookup holds the times of a whole group: more at once would cost memory, and few machines the speed.
_LOOKUPS_AT_ONCE = min(2, os.cpu_count() or 1)

SEMANTICS_VERSION = 1
"""Changes with every change of what a lookup means; receipts record it."""


Columns = list[tuple[pa.Field, pa.Array]]
"""Looked-up columns, with their output names and types."""


@dataclass(frozen=True, slots=True)
class LookupPlan:
    """Lookups resolved for label rows: everything that the answers follow from.

    Attributes:
        rows: the labels.
        planned: the lookups, each with its group's records as of one commit.
    """

    rows: LabelRows
    planned: tuple[PlannedLookup, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The looked-up columns that feed a model, in order: features and ages, and not the records' event times."""
        return tuple(name for planned in self.planned for name in planned.output_names if name != planned.event_time_name)

    @property
    def provenance(self) -> dict[str, Any]:
        """What the answers are made from, as JSON: definitions, commits, lookups, the labels' digest."""
        labelled = self.rows.history
        return {
            "semantics_version": SEMANTICS_VERSION,
            "label_digest": self.rows.digest,
            "label_group": None if labelled is None else {"group": labelled.definition.name, "commit": labelled.commit},
            "lookups": [{"lookup": to_json(planned.lookup), "commit": planned.history.commit} for planned in self.planned],
            "groups": {planned.lookup.group: to_json(planned.history.definition) for planned in self.planned},
        }

    @property
    def histories(self) -> tuple[History, ...]:
        """The records that the answers and the labels come from."""
        return (*(planned.history for planned in self.planned), *(() if self.rows.history is None else (self.rows.history,)))

    @property
    def tables(self) -> dict[str, str]:
        """The folder of each group's records, by group; empty texts without a store."""
        return {history.definition.name: history.table for history in self.histories}

    def answers(self, planned: Sequence[PlannedLookup]) -> list[tuple[Match, Columns]]:
        """Answer some of the lookups, or some of their features."""
        numbered: dict[tuple[object, ...], KeyCodes] = {}
        keys = [_keys(self.rows, one, numbered) for one in planned]

        def answer(one: PlannedLookup, codes: KeyCodes) -> tuple[Match, Columns]:
            answers = match(one.history, one.lookup, codes, self.rows.moments)
            return answers, gather(one, answers, self.rows.moments)

        with ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="treering-lookup") as pool:
            return list(pool.map(answer, planned, keys))

    def completed(self, columns: Columns) -> pa.Table:
        """Put looked-up columns beside the labels' own."""
        table = self.rows.table
        schema = pa.schema([*table.schema, *(field for field, _ in columns)])
        return pa.table([*table.columns, *(values for _, values in columns)], schema=schema)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """One row per label row, in the labels' order: the label's columns, then the features of each lookup.

    Attributes:
        plan: the labels, and the lookups, resolved.
        matches: the lookups' answers.
        table: the result's columns.
    """

    plan: LookupPlan
    matches: tuple[Match, ...]
    table: pa.Table

    @classmethod
    def of(cls, plan: LookupPlan) -> "LookupResult":
        """Answer every lookup of a plan."""
        answers = plan.answers(plan.planned)
        return cls(plan, tuple(match for match, _ in answers), plan.completed([column for _, columns in answers for column in columns]))

    @property
    def rows(self) -> LabelRows:
        """The labels that were looked up."""
        return self.plan.rows

    @property
    def planned(self) -> tuple[PlannedLookup, ...]:
        """The lookups, resolved."""
        return self.plan.planned

    @property
    def counts(self) -> tuple[LookupCounts, ...]:
        """How every label row ended, per lookup."""
        return tuple(LookupCounts.of(planned, match) for planned, match in zip(self.planned, self.matches, strict=True))

    @property
    def labels(self) -> Labels:
        """What the label columns mean."""
        return self.rows.labels

    @property
    def features(self) -> tuple[str, ...]:
        """The looked-up columns that feed a model, in order: features and ages, and not the records' event times."""
        return self.plan.features

    def to_arrow(self) -> pa.Table:
        """Return the result as an Arrow table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the result as a pandas frame."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """Return the result as a Polars frame.

        Raises:
            MissingExtraError: if Polars is not installed.
        """
        from treering.sources.frames import polars_frame

        return polars_frame(self.table)

    def batches(self, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Give the result in batches of at most `rows` rows."""
        return iter(self.table.to_batches(max_chunksize=rows))

    def explain(self, row: int, column: str) -> Explanation:
        """Say why one cell holds what it holds: every record that could have answered, and why each other did not.

        Args:
            row: the label row, counted from 0.
            column: a looked-up column of the result.

        Raises:
            FeatureNotFoundError: for a column that was not looked up.
            IndexError: for a row that the result does not have.
        """
        if not isinstance(row, SupportsIndex):
            raise FeatureNotFoundError(f"explain takes a row and then a column: explain(0, {row!r}).")
        row = operator.index(row)
        if not 0 <= row < self.table.num_rows:
            raise IndexError(f"Row {row} is not in the result: it has {self.table.num_rows:,} rows, counted from 0.")
        for planned, answers in zip(self.planned, self.matches, strict=True):
            if column in planned.output_names:
                return explain_cell(self.rows, planned, answers, Cell(row, column, self.table[column][row].as_py()))
        names = [name for planned in self.planned for name in planned.output_names]
        raise FeatureNotFoundError.among("looked-up column", column, names, "the result")

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return f"{len(self):,} rows x {self.table.num_columns} columns\n{counts_text(self.counts)}"


def rows_of(labels: object, settings: Settings) -> LabelRows:
    """Read labels.

    Raises:
        LabelsError: for anything but `tr.Labels`, and for labels that cannot be looked up.
    """
    if not isinstance(labels, Labels):
        raise LabelsError(f"Labels are tr.Labels(rows, time=...), and not a {type(labels).__name__}: it has to be said which column is the rows' time.")
    return labels.read(settings)


def look_up(rows: LabelRows, lookups: Sequence[Lookup], history_of: Callable[[Lookup], History]) -> LookupResult:
    """Answer lookups for label rows.

    Args:
        rows: the labels.
        lookups: in the order of their output columns.
        history_of: opens the records of a lookup's group, as of the commit that the lookup asks for.
    """
    return LookupResult.of(LookupPlan(rows, plan(rows, lookups, history_of)))


def _keys(rows: LabelRows, planned: PlannedLookup, known: dict[tuple[object, ...], KeyCodes]) -> KeyCodes:
    """Number the labels' keys, once for all lookups on the same columns."""
    definition = planned.history.definition
    types = tuple(str(definition.schema[name].arrow_type) for name in definition.entity)
    if (planned.on, types) not in known:
        known[planned.on, types] = KeyCodes.of(label_key_columns(rows.table, planned.on, definition))
    return known[planned.on, types]
