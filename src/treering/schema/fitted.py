"""What fitted steps learned before an ingestion: which steps, on how many rows, and of which time."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FittedSteps:
    """The steps of a recipe that had learned from values when they shaped the rows of an ingestion.

    A row that went through them carries something of every row that they learned from.

    Attributes:
        ingestion: the id of the ingestion.
        steps: as "MinMax(temp, humid)", in order.
        rows: how many rows they learned from.
        first, last: the event times of those rows, in microseconds since 1970 UTC; None where they are not known.

    >>> FittedSteps("8d3f", ("MinMax(temp)",), rows=2, first=0, last=3_600_000_000).to_json()
    {'ingestion': '8d3f', 'steps': ['MinMax(temp)'], 'rows': 2, 'first': 0, 'last': 3600000000}
    """

    ingestion: str
    steps: tuple[str, ...]
    rows: int
    first: int | None = None
    last: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Write the fact for a group's document; `from_json` reads it."""
        return {**asdict(self), "steps": list(self.steps)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "FittedSteps":
        """Read what `to_json` wrote."""
        return cls(**{**value, "steps": tuple(value["steps"])})
