"""`treering groups`: the feature groups of a store."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from treering.feature_groups.feature_group import FeatureGroup
from treering.store import Store

_NUMBERS = ("columns", "commits", "rows")
_COLUMNS = ("group", "by", "event time", "known", *_NUMBERS)


def list_groups(root: str) -> None:
    """Print the feature groups of a store, by name.

    Raises:
        StoreFormatError: if there is no store.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title in _COLUMNS:
        table.add_column(title, justify="right" if title in _NUMBERS else "left", no_wrap=title == "group")
    for group in Store(root, read_only=True).feature_groups.list():
        table.add_row(*(Text(cell) for cell in _row(group)))
    Console(highlight=False).print(table if table.row_count else "No feature groups yet.")


def _row(group: FeatureGroup) -> tuple[str, ...]:
    definition, commits = group.definition, group.commits()
    event_time = "static" if definition.is_static else str(definition.event_time)
    known = "always" if definition.is_static else str(definition.availability)
    rows = sum(commit.rows for commit in commits)
    return definition.name, ", ".join(definition.entity), event_time, known, f"{len(group.schema):,}", f"{len(commits):,}", f"{rows:,}"
