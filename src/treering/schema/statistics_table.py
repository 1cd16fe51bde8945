"""Statistics as a person reads them: a line for each column, with its shape drawn or its commonest values named."""

from collections.abc import Mapping, Sequence

from treering.schema.column_statistics import ColumnStatistics, Number
from treering.schema.times import time_text
from treering.schema.types import FeatureType

_BARS = "▁▂▃▄▅▆▇█"
_HEADINGS = ("column", "type", "nulls", "minimum", "median", "maximum", "mean", "deviation", "")
_LEFT = (0, 1, 8)
_NAMED = 3
_LONGEST_VALUE = 16


def table_text(columns: Mapping[str, ColumnStatistics]) -> list[str]:
    """Write the lines of a table: headings, and one line for each column."""
    rows = [_HEADINGS, *(_row(name, column) for name, column in columns.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) if place in _LEFT else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
    return ("  " + "  ".join(cells)).rstrip()


def _row(name: str, column: ColumnStatistics) -> tuple[str, ...]:
    middle = column.quantiles.get(0.5)
    numbers = (column.minimum, middle, column.maximum, column.mean, column.deviation)
    return (name, str(column.type), share_text(column.null_share), *(_number(number, column.type) for number in numbers), _shape(column))


def share_text(share: float) -> str:
    """Write a share as a percentage; what is more than nothing never reads as 0 %.

    >>> share_text(0.0), share_text(0.0002), share_text(0.25)
    ('0%', '<0.1%', '25.0%')
    """
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 1 else f"{share:.0%}"


def _number(number: Number | None, type: FeatureType) -> str:
    if number is None:
        return ""
    if type is FeatureType.TIMESTAMP:
        return time_text(round(number))[:16]
    size = abs(number)
    if isinstance(number, int) or (number.is_integer() and size < 1e9):
        return f"{number:,.0f}" if size >= 10_000 else f"{number:.0f}"
    if not 0.001 <= size < 1e9:
        return f"{number:.4g}"
    decimals = 1 if size >= 1_000 else 2 if size >= 10 else 4
    return f"{number:,.{decimals}f}" if size >= 10_000 else f"{number:.{decimals}f}"


def _shape(column: ColumnStatistics) -> str:
    if column.infinite:
        return f"{column.infinite:,} infinite"
    if column.histogram is not None and len(column.histogram.counts) > 1:
        most = max(column.histogram.counts) or 1
        return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in column.histogram.counts)
    return ", ".join(f"{_short(value)} {share_text(count / column.count)}" for value, count in column.top_values[:_NAMED])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
