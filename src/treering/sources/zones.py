"""What the clocks of a time zone meant: local times to UTC, with the ones that do not exist or occur twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.schema.times import LAST_TIME

# Arrow knows the changes that the zone files list, which end in 2037, and not the rule for later years that stands behind them.
_LISTED_UNTIL = (datetime(2037, 1, 1) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Readings:
    """Local times as microseconds UTC; the three differ only where a local time is in doubt.

    Attributes:
        earliest: the earlier of two, or the last moment before a gap.
        later_of_two: the later of two.
        after_gap: the first moment after a gap.
    """

    earliest: np.ndarray
    later_of_two: np.ndarray
    after_gap: np.ndarray


def readings(local: np.ndarray, known: np.ndarray, zone: str) -> Readings:
    """Read local times, as microseconds of a clock without a zone; where `known` is false the answer means nothing."""
    far = known & (local >= _LISTED_UNTIL)
    listed = _listed(pa.array(local, pa.int64(), mask=~known | far).view(pa.timestamp("us")), zone)
    if not far.any():
        return listed
    moments, places = np.unique(local[far], return_inverse=True)
    by_rule = np.array([_by_rule(int(moment), ZoneInfo(zone)) for moment in moments])
    columns = (listed.earliest, listed.later_of_two, listed.after_gap)
    return Readings(*(_replaced(column, far, by_rule[places, index]) for index, column in enumerate(columns)))


def _replaced(values: np.ndarray, mask: np.ndarray, others: np.ndarray) -> np.ndarray:
    result = values.copy()
    result[mask] = others
    return result


def _listed(local: pa.Array, zone: str) -> Readings:
    try:
        undoubted = _assumed(local, zone, "raise", "raise")
    except ValueError:
        choices: Iterable[tuple[str, str]] = (("earliest", "earliest"), ("latest", "earliest"), ("earliest", "latest"))
        return Readings(*(_assumed(local, zone, ambiguous, nonexistent) for ambiguous, nonexistent in choices))
    return Readings(undoubted, undoubted, undoubted)


def _assumed(local: pa.Array, zone: str, ambiguous: str, nonexistent: str) -> np.ndarray:
    placed = pc.assume_timezone(local, zone, ambiguous=ambiguous, nonexistent=nonexistent)
    return np.asarray(placed.view(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False))


def _by_rule(moment: int, zone: ZoneInfo) -> tuple[int, int, int]:
    local = _EPOCH + min(moment, LAST_TIME) * _MICROSECOND
    # Python's `fold`: before a change of the clocks, or after it.
    before, after = (moment - _offset(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if before <= after:
        return before, after, before
    low, high, earlier_offset = after, before, moment - before
    while high - low > 1:
        middle = (low + high) // 2
        is_before = _offset((_EPOCH.replace(tzinfo=UTC) + middle * _MICROSECOND).astimezone(zone)) == earlier_offset
        low, high = (middle, high) if is_before else (low, middle)
    return low, low, high


def _offset(time: datetime) -> int:
    offset = time.utcoffset()
    assert offset is not None
    return offset // _MICROSECOND
