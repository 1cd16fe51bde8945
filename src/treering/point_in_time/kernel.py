"""The kernel: which position of sorted history a label's time sees. Arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treering.storage.sorting import Integers, order_of

Booleans = npt.NDArray[np.bool_]

_LABELS_AT_ONCE = 65_536
"""Labels searched together: their working arrays stay in the processor's cache."""


def last_known(times_known: Integers, starts: Integers, ends: Integers, moments: Integers, *, strictly_before: bool) -> Integers:
    """Find, per label, the last position of its slice whose time is at or before the label's moment.

    Args:
        times_known: times in microseconds, ascending within every slice.
        starts, ends: per label, its slice `[start, end)` of `times_known`.
        moments: per label, its time in microseconds.
        strictly_before: whether a time equal to the moment is too late.

    Returns:
        int64 positions in `times_known`, one per label; `start - 1` where no time of the slice is early enough.
    """
    found = np.empty(len(moments), dtype=np.int64)
    for low in range(0, len(moments), _LABELS_AT_ONCE):
        part = slice(low, low + _LABELS_AT_ONCE)
        latest = moments[part] - 1 if strictly_before else moments[part]
        found[part] = _search(times_known, starts[part], ends[part], latest)
    return found


def _search(times: Integers, starts: Integers, ends: Integers, latest: Integers) -> Integers:
    found = starts - 1
    longest = int((ends - starts).max()) if len(starts) else 0
    step = 1 << max(0, longest.bit_length() - 1)
    while longest and step:
        candidate = found + step
        inside = candidate < ends
        early = times[np.where(inside, candidate, 0)] <= latest
        found = np.where(inside & early, candidate, found)
        step >>= 1
    return found


@dataclass(frozen=True, slots=True)
class Precedence:
    """Ranks of records by rule 2's order, within their slices.

    Attributes:
        rank: per position, the record's place in (slice, event time, api invocation time, write time, commit, row).
        position: per place, the record's position: the inverse of `rank`.
        best_so_far: per position, the position that has precedence among those of its slice up to it.
    """

    rank: Integers
    position: Integers
    best_so_far: Integers

    @classmethod
    def of(cls, slices: Integers, keys: Sequence[Integers]) -> "Precedence":
        """Rank records.

        Args:
            slices: per position, the number of its slice; ascending.
            keys: the keys of the order, first the most significant.
        """
        position = order_of([slices, *keys])
        rank = np.empty(len(position), dtype=np.int64)
        rank[position] = np.arange(len(position))
        # Ranks grow from slice to slice, so a running maximum never carries one slice's best into the next.
        return cls(rank, position, position[np.maximum.accumulate(rank)] if len(rank) else position)
