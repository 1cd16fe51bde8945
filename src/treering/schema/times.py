"""Times as treering counts them: whole microseconds since 1970-01-01 UTC; durations written as text."""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from treering.errors import InvalidDefinitionError

MICROSECONDS_PER_SECOND = 1_000_000
MICROSECONDS_PER_DAY = 86_400 * MICROSECONDS_PER_SECOND
FIRST_TIME = -62_135_596_800 * MICROSECONDS_PER_SECOND
"""0001-01-01T00:00:00Z, the earliest time a record can have, and the event time of every static record."""
LAST_TIME = 253_402_300_800 * MICROSECONDS_PER_SECOND - 1
"""9999-12-31T23:59:59.999999Z, the latest time a record can have."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Microseconds(int):
    """A length of time that is counted in microseconds already, where a plain number would be seconds."""

    __slots__ = ()


Duration = str | int | float | timedelta | Microseconds
"""A length of time: `"6h"`, `"90s"`, `"1d 12h"`, a `timedelta`, or a number of seconds."""

Moment = str | datetime
"""A point in time with its zone: a `datetime` that has one, or ISO 8601 text such as `"2013-10-01T00:00Z"`."""

_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": MICROSECONDS_PER_DAY,
    "w": 7 * MICROSECONDS_PER_DAY,
}
# Words as people write them are cut to the unit they begin with: "minutes" to "min", "days" to "d".
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|min|s|m|h|d|w)(?:(?<=min)utes?|(?<=s)ec(?:ond)?s?|(?<=h)ours?|(?<=d)ays?|(?<=w)eeks?)?\s*")


def microseconds(duration: Duration, what: str = "duration") -> int:
    """Turn a duration into whole microseconds.

    >>> microseconds("1h 30m")
    5400000000

    Raises:
        InvalidDefinitionError: if it cannot be read, is negative, or is longer than the years 1 to 9999.
    """
    if isinstance(duration, Microseconds):
        length = int(duration)
    elif isinstance(duration, timedelta):
        length = duration // timedelta(microseconds=1)
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        if not math.isfinite(duration):
            raise InvalidDefinitionError(f"The {what} {duration!r} is no length of time; give one such as '6h'.")
        length = round(duration * MICROSECONDS_PER_SECOND)
    else:
        length = _parsed(str(duration), what)
    if length < 0:
        raise InvalidDefinitionError(f"The {what} {duration!r} is negative; give a length of time such as '6h'.")
    if length > LAST_TIME - FIRST_TIME:
        raise InvalidDefinitionError(f"The {what} {duration!r} is longer than all time there is, the years 1 to 9999; give a length of time such as '6h'.")
    return length


def _parsed(text: str, what: str) -> int:
    position, total = 0, 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        total += round(Decimal(part.group(1)) * _UNITS[part.group(2)])
        position = part.end()
    if position == 0 or position < len(text):
        raise InvalidDefinitionError(f"The {what} {text!r} cannot be read. Write a number and a unit, such as '90s', '15min', '6h', '1d 12h' or '2w'.")
    return total


def microseconds_at(moment: Moment, what: str = "time", *, zone: str | None = None) -> int:
    """Turn a point in time into microseconds since 1970 UTC.

    >>> microseconds_at("1970-01-01T00:00:01Z")
    1000000

    Args:
        moment: the point in time.
        what: what messages call it.
        zone: an IANA name, for a time that is written without one; None refuses such times.

    Raises:
        InvalidDefinitionError: if it cannot be read, has no zone, or lies outside the years 1 to 9999.
    """
    try:
        parsed = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        raise InvalidDefinitionError(f"The {what} {moment!r} cannot be read. Write ISO 8601 with a zone, such as '2013-10-01T00:00Z'.") from None
    if parsed.tzinfo is None and zone is not None:
        parsed = parsed.replace(tzinfo=ZoneInfo(zone))
    if parsed.tzinfo is None:
        raise InvalidDefinitionError(f"The {what} {str(moment)!r} has no zone, and a guess could be hours off. Write it with one, such as '2013-10-01T00:00Z'.")
    time = (parsed - _EPOCH) // timedelta(microseconds=1)
    if not FIRST_TIME <= time <= LAST_TIME:
        raise InvalidDefinitionError(f"The {what} {str(moment)!r} lies outside the years 1 to 9999 in UTC. Give a time within them.")
    return time


def moment_at(time: int) -> datetime:
    """Turn microseconds since 1970 into a point in time in UTC; the inverse of `microseconds_at`."""
    return _EPOCH + timedelta(microseconds=time)


def duration_text(length: int) -> str:
    """Write microseconds the way a person would: the two largest units, exact to the second.

    >>> duration_text(5_400_000_000)
    '1h 30min'
    """
    if length < 0:
        return "-" + duration_text(-length)
    parts = []
    for unit in ("d", "h", "min", "s", "ms", "us"):
        count, length = divmod(length, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def time_text(time: int) -> str:
    """Write a time in microseconds as ISO 8601 in UTC; fractions only where there are any.

    >>> time_text(0)
    '1970-01-01 00:00:00Z'
    """
    if not FIRST_TIME <= time <= LAST_TIME:
        return f"{time}us"
    moment = moment_at(time)
    return moment.strftime("%Y-%m-%d %H:%M:%S").zfill(19) + (f".{moment.microsecond:06d}" if moment.microsecond else "") + "Z"
