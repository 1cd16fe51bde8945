"""What is known of a group's columns without reading them: statistics that are kept with every commit, and added up over commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treering.schema.column_statistics import ColumnStatistics
from treering.schema.statistics_table import table_text
from treering.schema.times import time_text
from treering.schema.types import Schema


@dataclass(frozen=True, slots=True, repr=False)
class GroupStatistics:
    """What is known of a feature group's columns as of one commit: of every record, replaced ones among them, but not of deletions.

    Attributes:
        group: the feature group's name.
        commit: the commit that they hold for.
        rows: how many records there are.
        first_event_time, last_event_time: microseconds since 1970 UTC; None without records, and for a static group.
        columns: by name, in the group's order.
    """

    group: str
    commit: int
    rows: int
    first_event_time: int | None
    last_event_time: int | None
    columns: Mapping[str, ColumnStatistics]

    def __getitem__(self, column: str) -> ColumnStatistics:
        return self.columns[column]

    @classmethod
    def sum_of(cls, parts: "Sequence[GroupStatistics]", group: str, commit: int, schema: Schema) -> "GroupStatistics":
        """Add up the statistics of commits. In a commit that did not know a column yet, each of its rows counts as a null."""
        columns = {}
        for feature in schema:
            absent = ColumnStatistics(feature.type, 0, 0)
            known = [part.columns.get(feature.name) or ColumnStatistics(feature.type, 0, part.rows) for part in parts]
            columns[feature.name] = ColumnStatistics.sum_of(known or [absent])
        return cls(
            group=group,
            commit=commit,
            rows=sum(part.rows for part in parts),
            first_event_time=min((part.first_event_time for part in parts if part.first_event_time is not None), default=None),
            last_event_time=max((part.last_event_time for part in parts if part.last_event_time is not None), default=None),
            columns=columns,
        )

    def to_json(self) -> dict[str, Any]:
        """Write the statistics as what `json.dumps` takes; `from_json` reads them."""
        columns = {name: column.to_json() for name, column in self.columns.items()}
        times = {"first_event_time": self.first_event_time, "last_event_time": self.last_event_time}
        return {"group": self.group, "commit": self.commit, "rows": self.rows, **times, "columns": columns}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "GroupStatistics":
        """Read what `to_json` wrote."""
        return cls(**{**value, "columns": {name: ColumnStatistics.from_json(column) for name, column in value["columns"].items()}})

    def __repr__(self) -> str:
        head = f"Statistics of {self.group!r} as of commit {self.commit}: {self.rows:,} rows"
        if self.first_event_time is not None and self.last_event_time is not None:
            head += f", {time_text(self.first_event_time)} to {time_text(self.last_event_time)}"
        return "\n".join([head, *table_text(self.columns)])
