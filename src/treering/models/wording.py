"""How numbers, sizes and names read in a report."""

import math

from treering.schema.times import moment_at


def figure(value: float | None) -> str:
    """Write a number with the digits that a reader can use.

    >>> [figure(number) for number in (0.71735, 12.345, 336776.0, 0.00012, 0.0, None)]
    ['0.717', '12.3', '336,776', '0.00012', '0', '-']
    """
    if value is None or math.isnan(value):
        return "-"
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}"
    if size >= 1_000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}" if size >= 0.01 else f"{value:.2g}"


def share(part: float, whole: float) -> str:
    """Write a part of a whole as percent; what is there never reads as nothing, nor what lacks as all.

    >>> [share(*of) for of in ((1, 3), (1, 9_000), (8_999, 9_000), (0, 5), (0, 0))]
    ['33.3%', '<0.1%', '>99.9%', '0%', '-']
    """
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.0f}%" if percent == round(percent) else f"{percent:.1f}%"


def size(count: int) -> str:
    """Write a number of bytes.

    >>> size(78_998), size(311_000_000)
    ('79 kB', '311 MB')
    """
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.3g} {unit}"
    return f"{count} bytes"


def day(moment: int) -> str:
    """Write the day of a moment in microseconds, in UTC.

    >>> day(1_380_000_000_000_000)
    '24 Sep 2013'
    """
    return f"{moment_at(moment):%-d %b %Y}"


def minute(moment: int) -> str:
    """Write the minute of a moment in microseconds, in UTC.

    >>> minute(1_380_000_000_000_000)
    '24 Sep 2013, 05:20 UTC'
    """
    return f"{day(moment)}, {moment_at(moment):%H:%M} UTC"
