"""Ties: records of one entity and moment that differ in their identifier, so that only rule 2's order parts them."""

import numpy as np
import pyarrow as pa

from treering.point_in_time.blocks import Found
from treering.point_in_time.history import History
from treering.point_in_time.kernel import last_known
from treering.schema.feature_group import COMMIT, EVENT_TIME, KNOWN_AT
from treering.storage.record_keys import KeyCodes
from treering.storage.sorting import Integers, integers, order_of

_NEVER = np.iinfo(np.int64).max


def tied(history: History, keys: KeyCodes, moments: Integers, answer: Found, *, strictly_before: bool, commit: int | None) -> int:
    """Count the labels that also see a record of another identifier with the answer's event time."""
    if not history.definition.has_wider_identifier or not answer.some.any():
        return 0
    code, event_time, identifier, known_at = _records(history, keys, commit)
    order = order_of([code, event_time, identifier, known_at])
    code, event_time, identifier, known_at = code[order], event_time[order], identifier[order], known_at[order]
    # The first record of each (entity, moment, identifier) is the one known first: the others change nothing.
    first = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(event_time) != 0) | (np.diff(identifier) != 0)])
    code, event_time, known_at = code[first], event_time[first], known_at[first]
    moment_starts = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(event_time) != 0)])
    second_known = _second_least(known_at, np.flatnonzero(moment_starts))
    labels = np.flatnonzero(answer.some)
    group = _group_of(code[moment_starts], event_time[moment_starts], keys.codes[labels], answer.event_time[labels])
    latest = moments[labels] - 1 if strictly_before else moments[labels]
    return int(np.count_nonzero(second_known[group] <= latest))


def _records(history: History, keys: KeyCodes, commit: int | None) -> tuple[Integers, Integers, Integers, Integers]:
    definition = history.definition
    columns = list(dict.fromkeys([*definition.record_identifier, EVENT_TIME, KNOWN_AT, COMMIT]))
    tables, codes = [], []
    for run in history.runs:
        table = run.read(columns)
        code = keys.codes_of([table[name] for name in definition.entity])
        asked = code >= 0
        if commit is not None:
            asked &= integers(table[COMMIT]) <= commit
        tables.append(table.filter(pa.array(asked)))
        codes.append(code[asked])
    table = pa.concat_tables(tables)
    identifiers = KeyCodes.of([table[name] for name in definition.record_identifier])
    return np.concatenate(codes), integers(table[EVENT_TIME]), identifiers.codes, integers(table[KNOWN_AT])


def _second_least(values: Integers, starts: Integers) -> Integers:
    """The second least value of each slice: two identifiers are known once the later one is."""
    sizes = np.diff(np.append(starts, len(values)))
    order = order_of([np.repeat(np.arange(len(starts)), sizes), values])
    return np.where(sizes > 1, values[order][np.minimum(starts + 1, len(values) - 1)], _NEVER)


def _group_of(codes: Integers, event_times: Integers, code: Integers, event_time: Integers) -> Integers:
    """Find each (code, event time) among sorted ones that hold it."""
    starts = np.searchsorted(codes, code, side="left")
    ends = np.searchsorted(codes, code, side="right")
    return last_known(event_times, starts, ends, event_time, strictly_before=False)
