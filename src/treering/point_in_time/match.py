"""Runs and labels in, one outcome per label out: rules 6 to 10 of a lookup."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from treering.point_in_time.blocks import Found, blocks_of
from treering.point_in_time.history import History
from treering.point_in_time.kernel import Booleans
from treering.point_in_time.ties import tied
from treering.schema.feature_group import IS_DELETED, WRITE_TIME
from treering.schema.view import Lookup
from treering.storage.record_keys import KeyCodes
from treering.storage.runs import Run
from treering.storage.sorting import PRECEDENCE, Integers, integers


class Outcome(IntEnum):
    """What became of one label row in one lookup."""

    MATCHED = 0
    NO_HISTORY = 1
    NOT_YET_KNOWN = 2
    DELETED = 3
    EXPIRED = 4


@dataclass(frozen=True, slots=True)
class Match:
    """The answers to one lookup.

    Attributes:
        outcome: per label row, an `Outcome`.
        found: per label row, the record that answered; also where it is deleted or expired.
        ties: label rows whose answer has another record beside it with the same event time.
        withheld: label rows for which a newer record was not known yet.
        written_after_label: matched label rows whose record was written after the label's time.
    """

    outcome: Integers
    found: Found
    ties: int
    withheld: int
    written_after_label: int

    def rows_with(self, outcome: Outcome) -> int:
        """How many label rows had an outcome."""
        return int(np.count_nonzero(self.outcome == outcome))


def match(history: History, lookup: Lookup, keys: KeyCodes, moments: Integers) -> Match:
    """Decide which record each label row sees.

    Args:
        history: the group's records.
        lookup: what is asked; its `strictly_before` is the one in force.
        keys: the labels' keys.
        moments: the labels' times in microseconds.
    """
    commit = None if history.is_newest else history.commit
    answer, newest, exists = _search(history, lookup, keys, moments, commit)
    deleted = _deleted(history.runs, answer)
    expired = answer.some & (moments - answer.event_time > lookup.max_age) if lookup.max_age is not None else np.zeros(len(moments), dtype=bool)
    outcome = np.select(
        [~exists, ~answer.some, deleted, expired],
        [Outcome.NO_HISTORY, Outcome.NOT_YET_KNOWN, Outcome.DELETED, Outcome.EXPIRED],
        default=Outcome.MATCHED,
    )
    matched = outcome == Outcome.MATCHED
    return Match(
        outcome=outcome,
        found=answer,
        ties=tied(history, keys, moments, answer, strictly_before=lookup.strictly_before, commit=commit),
        withheld=int(np.count_nonzero(newest.some & ((newest.run != answer.run) | (newest.row != answer.row)))),
        written_after_label=_written_after(history.runs, answer, matched, moments),
    )


def _search(history: History, lookup: Lookup, keys: KeyCodes, moments: Integers, commit: int | None) -> tuple[Found, Found, Booleans]:
    answer, newest = Found.nothing(len(moments)), Found.nothing(len(moments))
    exists = np.zeros(len(moments), dtype=bool)
    for block in blocks_of(history.runs, history.definition.entity, keys, commit):
        here, newest_here, exists_here = block.search(keys.codes, moments, strictly_before=lookup.strictly_before)
        same = newest_here is here
        before = answer
        answer = _better(answer, here, history.runs)
        newest = answer if same and newest is before else _better(newest, newest_here, history.runs)
        exists |= exists_here
    return answer, newest, exists


def _better(held: Found, other: Found, runs: Sequence[Run]) -> Found:
    """Keep, per label, the record that has precedence."""
    both = held.some & other.some
    if not both.any():
        return held.replaced(other, other.some & ~held.some) if held.some.any() else other
    better = other.some & (~held.some | (other.event_time > held.event_time))
    equal = np.flatnonzero(both & (other.event_time == held.event_time))
    better[equal] = _comes_last(held, other, equal, runs)
    return held.replaced(other, better)


def _comes_last(held: Found, other: Found, labels: Integers, runs: Sequence[Run]) -> Booleans:
    """Whether the other record of equals in event time came after the held one."""
    later = np.zeros(len(labels), dtype=bool)
    undecided = np.ones(len(labels), dtype=bool)
    for name in PRECEDENCE[1:]:
        ours, theirs = (_values(runs, found.run[labels], found.row[labels], name) for found in (held, other))
        later |= undecided & (theirs > ours)
        undecided &= theirs == ours
    return later


def _values(runs: Sequence[Run], run: Integers, row: Integers, column: str) -> Integers:
    """Read one system column for some records."""
    values = np.zeros(len(run), dtype=np.int64)
    for number, here in _by_run(run, len(runs)):
        uniform = runs[number].uniform(column)
        values[here] = integers(runs[number].read([column])[column])[row[here]] if uniform is None else uniform
    return values


def _by_run(run: Integers, runs: int) -> Iterator[tuple[int, Booleans | slice]]:
    """Which of some records are of which run; a run of all of them is a slice, which costs nothing."""
    counts = np.bincount(run + 1, minlength=runs + 1)[1:]
    for number in np.flatnonzero(counts):
        yield int(number), slice(None) if counts[number] == len(run) else run == number


def _deleted(runs: Sequence[Run], found: Found) -> Booleans:
    """Whether each record is a deletion; runs without any are not asked."""
    flags = np.zeros(len(found.run), dtype=bool)
    for number, run in enumerate(runs):
        if run.traits.has_deletions:
            here = found.run == number
            flags[here] = integers(run.read([IS_DELETED])[IS_DELETED])[found.row[here]] != 0
    return flags


def _written_after(runs: Sequence[Run], answer: Found, matched: Booleans, moments: Integers) -> int:
    labels = np.flatnonzero(matched)
    written = _values(runs, answer.run[labels], answer.row[labels], WRITE_TIME)
    return int(np.count_nonzero(written > moments[labels]))
