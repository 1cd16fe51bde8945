"""What the demo puts on the screen: numbered steps with how long each took, in colour on a terminal and plain in a pipe."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

_INDENT = 3


class Screen:
    """Prints steps.

    Args:
        console: where to; one that is no terminal gets plain text.
        clock: tells seconds, to take the time of steps.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._started = clock()
        self._steps = 0
        self._follows_text = False

    @property
    def seconds(self) -> float:
        """How long ago the screen was set up."""
        return self._clock() - self._started

    def title(self, text: str) -> None:
        """Print what everything below is about."""
        self._console.print(Text(text, "bold green"))

    def note(self, text: str) -> None:
        """Print something that belongs to no step."""
        self._console.print(Text(text))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a numbered title, and when the step has ended, how long it took."""
        self._steps += 1
        self._follows_text = False
        started = self._clock()
        self._console.print()
        self._console.print(Text.assemble((f"{self._steps:<{_INDENT}}", "bold green"), (title, "bold")))
        yield
        self.say(f"{self._clock() - started:.1f} s", "dim")

    def say(self, text: str, style: str = "") -> None:
        """Print a line of a step; a long one is wrapped."""
        self._indented(Text(text, style))
        self._follows_text = True

    def quote(self, lines: Iterable[tuple[str, str]]) -> None:
        """Print lines with their styles as they are, never wrapped."""
        for line, style in lines:
            self._console.print(Text(" " * _INDENT + line, style), soft_wrap=True)

    def command(self, text: str) -> None:
        """Print a line to be copied, so never a wrapped one."""
        self._console.print(Text(" " * _INDENT + text, "cyan"), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, chosen: int | None = None) -> None:
        """Print a table, apart from text above it; columns whose titles begin with ">" hold numbers.

        Args:
            columns: their titles.
            rows: their cells.
            chosen: the row to print in green.
        """
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim", border_style="dim")
        for number, title in enumerate(columns):
            table.add_column(title.removeprefix(">"), justify="right" if title.startswith(">") else "left", no_wrap=number == 0)
        for number, row in enumerate(rows):
            table.add_row(*(Text(cell) for cell in row), style="green" if number == chosen else "")
        if self._follows_text:
            self._console.print()
        self._indented(table)

    def _indented(self, shown: Text | Table) -> None:
        options = self._console.options.update_width(self._console.width - _INDENT)
        for line in self._console.render_lines(shown, options, pad=False):
            self._console.print(Segments([Segment(" " * _INDENT), *line, Segment.line()]), end="")
