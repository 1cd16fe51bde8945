"""Axes of a chart: where a value is drawn, and the few round ticks that say so."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from treering.models.svg import Drawing, Point

WIDTH, HEIGHT = 360.0, 292.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 18.0, 30.0, 38.0
_TICKS = 4
# About as wide as a letter of a label is.
_LETTER = 7.0


def percent(value: float) -> str:
    """Write a share as percent.

    >>> percent(0.25), percent(0.025)
    ('25%', '2.5%')
    """
    return f"{100 * value:.3g}%"


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values with round ticks.

    Attributes:
        title: what is measured, with its unit.
        write: how a tick reads.
    """

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    write: Callable[[float], str]

    @classmethod
    def around(cls, title: str, values: Iterable[float], write: Callable[[float], str] | None = None) -> "Axis":
        """Choose the shortest range with round ends that holds the values.

        >>> Axis.around("delay, minutes", [3.0, 47.0]).ticks
        (0.0, 20.0, 40.0, 60.0)

        Args:
            title: what is measured, with its unit.
            values: all that are drawn.
            write: how a tick reads; None writes as many decimals as the steps have.
        """
        found = list(values)
        low, high = min(found), max(found)
        # Values that differ by less than a drawing, or floats, could show are one value.
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
        step = _round_step((high - low) / _TICKS)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        decimals = max(0, 1 - math.floor(math.log10(step)))
        # Whole steps are multiplied, because adding a step again and again adds up its rounding.
        ticks = tuple(round(number * step, decimals) for number in range(first, last + 1))
        shown = next(digits for digits in range(decimals + 1) if round(step, digits) == round(step, decimals))
        return cls(title, ticks[0], ticks[-1], ticks, write or partial(_written, decimals=shown))

    @classmethod
    def counted(cls, title: str, most: float) -> "Axis":
        """From nothing to a number of things, in whole steps.

        >>> Axis.counted("rounds", 1).ticks
        (0.0, 1.0)
        """
        axis = cls.around(title, [0.0, most])
        return replace(axis, ticks=tuple(tick for tick in axis.ticks if tick.is_integer()), write=partial(_written, decimals=0))

    @classmethod
    def share(cls, title: str) -> "Axis":
        """From nothing to all.

        >>> Axis.share("recall").ticks
        (0.0, 0.5, 1.0)
        """
        return cls(title, 0.0, 1.0, (0.0, 0.5, 1.0), percent)

    def along(self, value: float) -> float:
        """Say how far along the axis a value is, from 0 to 1; what is beyond an end is put at the end."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def _written(value: float, decimals: int) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.6g}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.6g}k"
    return f"{value:,.{decimals}f}"


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A drawing with a horizontal and a vertical axis.

    Attributes:
        drawing: where it is drawn; the axes are drawn by the constructor.
    """

    drawing: Drawing
    across: Axis
    up: Axis

    @classmethod
    def of(cls, says: str, across: Axis, up: Axis) -> "Plot":
        """Draw empty axes.

        Args:
            says: what the chart shows, for those who cannot see it.
            across, up: the axes.
        """
        plot = cls(Drawing(WIDTH, HEIGHT, says), across, up)
        plot._draw_axes()
        return plot

    def _draw_axes(self) -> None:
        for tick in self.up.ticks:
            height = self.at(self.across.low, tick)[1]
            self.drawing.line((_LEFT, height), (WIDTH - _RIGHT, height), "axis" if tick == self.up.low else "grid")
            self.drawing.text((_LEFT - 7, height + 4), self.up.write(tick), "tick", "end")
        for tick in self.across.ticks:
            place = self.at(tick, self.up.low)[0]
            self.drawing.line((place, HEIGHT - _BOTTOM), (place, HEIGHT - _BOTTOM + 4), "axis")
            self.drawing.text((place, HEIGHT - _BOTTOM + 17), self.across.write(tick), "tick", "middle")
        self.drawing.text((0, 14), self.up.title, "axis-title")
        self.drawing.text((WIDTH - _RIGHT, HEIGHT - 4), self.across.title, "axis-title", "end")

    def at(self, across: float, up: float) -> Point:
        """Say where a value is drawn."""
        wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        return _LEFT + wide * self.across.along(across), HEIGHT - _BOTTOM - tall * self.up.along(up)

    def curve(self, points: Iterable[tuple[float, float]], style: str) -> None:
        """Draw lines from value to value."""
        self.drawing.path([self.at(*point) for point in points], style)

    def upright(self, value: float, words: str) -> None:
        """Draw a reference line from the bottom to the top, and say beside it what it is."""
        (across, bottom), (_, top) = self.at(value, self.up.low), self.at(value, self.up.high)
        is_right = self.across.along(value) > 0.5
        self.drawing.line((across, bottom), (across, top), "reference")
        self.drawing.text((across - 5 if is_right else across + 5, top + 13), words, "note over", "end" if is_right else "start")

    def level(self, value: float, words: str) -> None:
        """Draw a reference line from the left to the right, and say below it what it is, or above it where there is no room."""
        (left, height), (right, _) = self.at(self.across.low, value), self.at(self.across.high, value)
        self.drawing.line((left, height), (right, height), "reference")
        self.drawing.text((left + 5, height + 14 if height < HEIGHT - _BOTTOM - 18 else height - 6), words, "note")

    def diagonal(self, words: str) -> None:
        """Draw the reference line on which both axes have the same value, and say what it is."""
        low, high = max(self.across.low, self.up.low), min(self.across.high, self.up.high)
        across, up = self.at(low + 0.62 * (high - low), low + 0.62 * (high - low))
        self.drawing.line(self.at(low, low), self.at(high, high), "reference")
        self.drawing.text((across + 8, up + 16), words, "note")

    def end_labels(self, lines: Sequence[tuple[Sequence[tuple[float, float]], str, str]]) -> None:
        """Write words at the ends of lines: above the highest, below the others where there is room.

        Args:
            lines: the line's values, the words, and the style.
        """
        ceiling = -math.inf
        for position, (points, words, style) in enumerate(sorted(lines, key=lambda line: -line[0][-1][1])):
            places = [self.at(*point) for point in points]
            end = places[-1][0]
            beside = [height for across, height in places if across >= end - len(words) * _LETTER]
            below = max(max(beside) + 17, ceiling)
            height = min(beside) - 8 if position == 0 or below > HEIGHT - _BOTTOM - 4 else below
            ceiling = height + 15
            self.drawing.text((end, height), words, f"label {style}", "end")
