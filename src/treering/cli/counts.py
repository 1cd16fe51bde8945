"""How a lookup's label rows ended, as a table: one line a lookup."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType

from treering.cli.screen import table

_OUTCOMES = ("matched", "no_history", "not_yet_known", "deleted", "expired", "withheld", "written_after_label")


def counts_table(counts: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Lay counts out.

    Args:
        counts: of each lookup, as `LookupCounts.to_json` writes them.
    """
    rows = [(f"{one['prefix']}{one['group']}", *(f"{one[name]:,}" for name in _OUTCOMES)) for one in counts]
    return table(("lookup", *(f">{name.replace('_', ' ')}" for name in _OUTCOMES)), rows, empty="Nothing was looked up.")
