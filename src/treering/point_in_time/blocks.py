"""Runs prepared for the search: arrays of times, and each label key's slice of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from treering.point_in_time.kernel import Booleans, Precedence, last_known
from treering.point_in_time.keys import slices_by_code
from treering.schema.feature_group import COMMIT, EVENT_TIME, KNOWN_AT
from treering.storage.record_keys import KeyCodes
from treering.storage.runs import Run
from treering.storage.sorting import PRECEDENCE, Integers, integers, order_of, starts_of_slices

SMALL_RUN_ROWS = 65_536
"""Runs of up to so many rows are searched together, since every search costs a pass over the labels."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record per label, or none.

    Attributes:
        run: the number of the record's run; -1 where there is no record.
        row: its row in that run.
        event_time: its event time in microseconds.
    """

    run: Integers
    row: Integers
    event_time: Integers

    @classmethod
    def nothing(cls, labels: int) -> "Found":
        """No record for any label."""
        return cls(np.full(labels, -1, dtype=np.int64), np.zeros(labels, dtype=np.int64), np.zeros(labels, dtype=np.int64))

    @property
    def some(self) -> Booleans:
        """Where there is a record."""
        return self.run >= 0

    def replaced(self, by: "Found", where: Booleans) -> "Found":
        """Take another's records for some labels."""
        return Found(np.where(where, by.run, self.run), np.where(where, by.row, self.row), np.where(where, by.event_time, self.event_time))


@dataclass(frozen=True, slots=True)
class Block:
    """Records in the order (key, known at), with each label key's slice.

    Attributes:
        starts, ends: per distinct label key, its slice.
        known_at, event_time: per position, in microseconds; the same array where every record is known at its event time.
        precedence: None where records that become known later always have precedence.
        run: per position, the number of its run; or one number for all.
        row: per position, the row in that run; None where it is the position itself.
    """

    starts: Integers
    ends: Integers
    known_at: Integers
    event_time: Integers
    precedence: Precedence | None
    run: Integers | int
    row: Integers | None

    def search(self, codes: Integers, moments: Integers, *, strictly_before: bool) -> tuple[Found, Found, Booleans]:
        """Find each label's record.

        Returns:
            The record that the label sees; the one that it would see if every record were known at its event time; and
            whether the key has any record at all.
        """
        keyed = codes >= 0
        starts = np.where(keyed, self.starts[codes], 0) if len(self.starts) else np.zeros_like(codes)
        ends = np.where(keyed, self.ends[codes], 0) if len(self.ends) else np.zeros_like(codes)
        position = last_known(self.known_at, starts, ends, moments, strictly_before=strictly_before)
        answer = self._found(position, position >= starts, so_far=True)
        if self.known_at is self.event_time:
            return answer, answer, ends > starts
        in_order = self.event_time if self.precedence is None else self.event_time[self.precedence.position]
        newest = last_known(in_order, starts, ends, moments, strictly_before=strictly_before)
        has_newest = newest >= starts
        if self.precedence is not None:
            newest = self.precedence.position[np.where(has_newest, newest, 0)]
        return answer, self._found(newest, has_newest, so_far=False), ends > starts

    def _found(self, position: Integers, some: Booleans, *, so_far: bool) -> Found:
        if len(self.known_at) == 0:
            return Found.nothing(len(position))
        position = np.where(some, position, 0)
        if so_far and self.precedence is not None:
            position = self.precedence.best_so_far[position]
        run = self.run if isinstance(self.run, int) else self.run[position]
        return Found(np.where(some, run, -1), position if self.row is None else self.row[position], self.event_time[position])


def blocks_of(runs: Sequence[Run], entity: Sequence[str], keys: KeyCodes, commit: int | None) -> list[Block]:
    """Prepare runs: large ones in order as they stand, each alone; all others together.

    Args:
        runs: the runs to search.
        entity: the entity's columns.
        keys: the keys of the labels.
        commit: leave out records of later commits; None leaves out none.
    """
    alone = [number for number, run in enumerate(runs) if run.rows > SMALL_RUN_ROWS and run.traits.in_event_order and commit is None]
    apart = [number for number, run in enumerate(runs) if number not in alone and run.rows > SMALL_RUN_ROWS]
    together = [number for number, run in enumerate(runs) if run.rows <= SMALL_RUN_ROWS]
    blocks = [_as_it_stands(number, runs[number], entity, keys) for number in alone]
    blocks += [_ranked([number], runs, entity, keys, commit) for number in apart]
    if together:
        blocks.append(_ranked(together, runs, entity, keys, commit))
    return blocks


def _as_it_stands(number: int, run: Run, entity: Sequence[str], keys: KeyCodes) -> Block:
    table = run.read([*entity, KNOWN_AT] if run.traits.known_at_event else [*entity, KNOWN_AT, EVENT_TIME])
    codes, starts = _slices(table, entity, keys)
    known_at = integers(table[KNOWN_AT])
    event_time = known_at if run.traits.known_at_event else integers(table[EVENT_TIME])
    start_of, end_of = slices_by_code(codes, starts, table.num_rows, keys.count)
    return Block(start_of, end_of, known_at, event_time, None, number, None)


def _slices(table: pa.Table, entity: Sequence[str], keys: KeyCodes) -> tuple[Integers, Integers]:
    columns = [table[name].combine_chunks() for name in entity]
    starts = starts_of_slices(columns)
    return keys.codes_of([column.take(pa.array(starts)) for column in columns]), starts


def _ranked(numbers: Sequence[int], runs: Sequence[Run], entity: Sequence[str], keys: KeyCodes, commit: int | None) -> Block:
    """Put the records that labels can ask for in the order (key, known at), and rank them by precedence."""
    names = PRECEDENCE if len(numbers) > 1 else _undecided(runs[numbers[0]])
    parts = [_asked_for(runs[number], entity, keys, names, commit) for number in numbers]
    run = np.repeat(numbers, [len(row) for row, *_ in parts])
    row, code, known_at, *ranked_by = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if len(numbers) > 1:
        order = order_of([code, known_at, *ranked_by])
        code, run, row, known_at = code[order], run[order], row[order], known_at[order]
        ranked_by = [key[order] for key in ranked_by]
    begins = np.diff(code, prepend=-1) != 0
    starts = np.flatnonzero(begins)
    start_of, end_of = slices_by_code(code[starts], starts, len(code), keys.count)
    event_time = ranked_by[0]
    if np.array_equal(event_time, known_at):
        known_at = event_time
    return Block(start_of, end_of, known_at, event_time, Precedence.of(np.cumsum(begins), ranked_by), run, row)


def _undecided(run: Run) -> Sequence[str]:
    """Leave out what is the same in every row of a run: it parts none of its records."""
    return [EVENT_TIME, *(name for name in PRECEDENCE if name != EVENT_TIME and run.uniform(name) is None)]


def _asked_for(run: Run, entity: Sequence[str], keys: KeyCodes, names: Sequence[str], commit: int | None) -> tuple[Integers, ...]:
    table = run.read([*entity, KNOWN_AT, *names, *([COMMIT] if commit is not None and COMMIT not in names else [])])
    codes, starts = _slices(table, entity, keys)
    code = np.repeat(codes, np.diff(np.append(starts, table.num_rows)))
    asked = code >= 0
    if commit is not None:
        asked &= integers(table[COMMIT]) <= commit
    row = np.flatnonzero(asked)
    return (row, code[row], *(integers(table[name])[row] for name in (KNOWN_AT, *names)))
