"""Winning rows in, output columns out: each run's row groups are decoded once, and only the asked columns of them."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.point_in_time.kernel import Booleans
from treering.point_in_time.lookup import PlannedLookup
from treering.point_in_time.match import Match, Outcome
from treering.schema.feature_group import TIMESTAMP
from treering.schema.times import MICROSECONDS_PER_SECOND
from treering.storage.runs import Run
from treering.storage.sorting import Integers, order_of

_CORES = os.cpu_count() or 1


def gather(planned: PlannedLookup, match: Match, moments: Integers) -> list[tuple[pa.Field, pa.Array]]:
    """Fetch a lookup's output columns, one value per label row; null wherever the outcome is not *matched*."""
    matched = match.outcome == Outcome.MATCHED
    definition = planned.history.definition
    features = [name for name in planned.features if not planned.history.lacks(name)]
    pieces, index = _winning_rows(planned.history.runs, features, match, matched)

    def column(name: str) -> tuple[pa.Field, pa.Array]:
        arrow_type = definition.schema[name].arrow_type
        readable = pieces if name in features else None
        values = pa.nulls(len(moments), arrow_type) if readable is None else pc.take(readable[name].combine_chunks(), index)
        return pa.field(planned.features[name], arrow_type), values

    with ThreadPoolExecutor(_CORES, thread_name_prefix="treering-gather") as pool:
        columns = list(pool.map(column, planned.features))
    if planned.event_time_name is not None:
        event_time = pa.array(match.found.event_time, mask=~matched).cast(TIMESTAMP)
        columns.append((pa.field(planned.event_time_name, TIMESTAMP), event_time))
    if planned.age_name is not None:
        age = (moments - match.found.event_time) / MICROSECONDS_PER_SECOND
        columns.append((pa.field(planned.age_name, pa.float64()), pa.array(age, mask=~matched)))
    return columns


def _winning_rows(runs: Sequence[Run], features: Sequence[str], match: Match, matched: Booleans) -> tuple[pa.Table | None, pa.Array]:
    """Read the distinct rows that won, and number each label's row among them: one row group is decoded while another's rows are picked."""
    index = np.zeros(len(matched), dtype=np.int64)
    pieces: list[Future[pa.Table]] = []
    before = 0
    with ThreadPoolExecutor(1, thread_name_prefix="treering-pick") as pool:
        for number, labels in _labels_by_run(match.found.run, matched) if features else ():
            wins = np.zeros(runs[number].rows, dtype=bool)
            wins[match.found.row[labels]] = True
            index[labels] = np.cumsum(wins)[match.found.row[labels]] + (before - 1)
            rows = np.flatnonzero(wins)
            pieces += _picking(pool, runs[number], features, rows)
            before += len(rows)
    table = pa.concat_tables([piece.result() for piece in pieces]) if pieces else None
    return table, pa.array(index, mask=~matched)


def _labels_by_run(run: Integers, matched: Booleans) -> Iterator[tuple[int, Integers]]:
    """Give each run that answers labels, and those labels; there may be thousands of runs."""
    labels = np.flatnonzero(matched)
    labels = labels[order_of([run[labels]])]
    numbers, counts = np.unique(run[labels], return_counts=True)
    ends = np.cumsum(counts)
    for number, start, end in zip(numbers.tolist(), ends - counts, ends, strict=True):
        yield number, labels[start:end]


def _picking(pool: ThreadPoolExecutor, run: Run, features: Sequence[str], rows: Integers) -> Iterator[Future[pa.Table]]:
    starts = run.group_starts
    bounds = np.searchsorted(rows, starts)
    for group in range(len(starts) - 1):
        wanted = rows[bounds[group] : bounds[group + 1]] - starts[group]
        if len(wanted):
            yield pool.submit(_picked, run.read(features, [group]), wanted)


def _picked(table: pa.Table, rows: Integers) -> pa.Table:
    return table if len(rows) == table.num_rows else table.take(pa.array(rows))
