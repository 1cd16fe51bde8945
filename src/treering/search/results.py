"""What a search found, best first, as a table and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from treering.schema.statistics_table import share_text
from treering.schema.times import time_text
from treering.search.hits import Hit

SHOWN = 30
_LONGEST_DESCRIPTION = 60
_HEADINGS = ("name", "kind", "used by", "last event", "nulls", "range", "owner", "description")


@dataclass(frozen=True, slots=True, repr=False)
class SearchResults:
    """The hits of a search, best first.

    Attributes:
        asked: what was searched for, as a person reads it.
        hits: what was found.
        hint: what to try where nothing was found.
    """

    asked: str
    hits: tuple[Hit, ...]
    hint: str = ""

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __getitem__(self, position: int) -> Hit:
        return self.hits[position]

    def to_json(self) -> list[dict[str, Any]]:
        """Write the hits as what `json.dumps` takes."""
        return [hit.to_json() for hit in self.hits]

    @property
    def cells(self) -> list[tuple[str, ...]]:
        """The first hits as rows of text below a row of headings; columns that would be empty are left out."""
        rows = [_HEADINGS, *(_row(hit) for hit in self.hits[:SHOWN])]
        filled = [place for place in range(len(_HEADINGS)) if any(row[place] for row in rows[1:])]
        return [tuple(row[place] for place in filled) for row in rows]

    @property
    def heading(self) -> str:
        """How many were found, and for what; or what to try where there is nothing."""
        if not self.hits:
            return f"Nothing found for {self.asked}. {self.hint}"
        more = len(self.hits) - SHOWN
        return f"{len(self.hits)} found for {self.asked}" + (f", {SHOWN} of them shown: say more words, or a kind" if more > 0 else "")

    def __repr__(self) -> str:
        return "\n".join([self.heading, *(_aligned(self.cells) if self.hits else [])])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip() for row in rows]


def _row(hit: Hit) -> tuple[str, ...]:
    measured = hit.measured
    description = hit.description if len(hit.description) <= _LONGEST_DESCRIPTION else f"{hit.description[: _LONGEST_DESCRIPTION - 3]}..."
    known = ("", "", "")
    if measured is not None:
        nulls = "" if measured.null_share is None else share_text(measured.null_share)
        known = (_minute(measured.last_event_time), nulls, measured.range)
    return (hit.title, hit.kind, hit.used_by, *known, hit.owner, description)


def _minute(time: int | None) -> str:
    return "" if time is None else time_text(time)[:16]
