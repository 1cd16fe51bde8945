"""What running a project did: one line for each thing it describes, new, changed or reused."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of one thing that a project describes."""

    NEW = "new"
    CHANGED = "changed"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that a project describes, and what became of it.

    Attributes:
        kind: "feature group", "ingestion", "recipe", "view", "training set" or "training job".
        name: its name; of an ingestion, the group's and the source's.
        outcome: whether anything was written.
        detail: in a few words.
    """

    kind: str
    name: str
    outcome: Outcome
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Turn the line into what `json.dumps` takes."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ProjectReport:
    """What running a project did.

    Attributes:
        done: in the order in which it was done.
        rows_processed: rows that were ingested or looked up.
        seconds: from start to end.
    """

    done: Sequence[Done]
    rows_processed: int
    seconds: float

    @property
    def wrote_nothing(self) -> bool:
        """Whether everything was there already."""
        return all(one.outcome is Outcome.REUSED for one in self.done)

    def to_json(self) -> dict[str, Any]:
        """Turn the report into what `json.dumps` takes."""
        return {"done": [one.to_json() for one in self.done], "rows_processed": self.rows_processed, "seconds": self.seconds}

    def __str__(self) -> str:
        lines = [f"{one.outcome:<8}  {one.kind:<13}  {one.name}  {one.detail}".rstrip() for one in self.done]
        written = "Everything was there: nothing was written." if self.wrote_nothing else f"{self.rows_processed:,} rows processed."
        return "\n".join([*lines, f"{written} {self.seconds:.1f} s"])
