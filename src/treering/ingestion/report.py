"""What an ingestion did: a value that is returned, printed, and kept beside the commit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from treering.schema.times import time_text


@dataclass(frozen=True, slots=True)
class IngestionReport:
    """The outcome of one ingestion.

    Attributes:
        group: the feature group's name.
        ingestion: the id that `explain` and receipts name.
        commit: the number of the commit that made the rows visible.
        rows: records written.
        rejected: rows kept in quarantine instead, counted by reason.
        rejected_lines: the first of them, each with its line and reason.
        first_event_time, last_event_time: microseconds since 1970 UTC; None where no rows were written, or they have no times.
        source: what was read.
        digest: of the source's content, and of the recipe that was given with it.
        bytes_written: of the sorted runs.
        seconds: from the call to the commit.
        notes: what is worth knowing, such as infinities that were kept.
        token: the idempotency token that was given.
        reused: whether this was in already, by its token or by its content, so that nothing was written this time.
        quarantine: the Parquet file that has all rejected rows, below the store's root; None if there are none.
        recipe: the digest of the recipe that the rows went through, fitted; None if there was none.
        steps: its steps, in order.
    """

    group: str
    ingestion: str
    commit: int
    rows: int
    rejected: Mapping[str, int]
    rejected_lines: tuple[str, ...]
    first_event_time: int | None
    last_event_time: int | None
    source: str
    digest: str
    bytes_written: int
    seconds: float
    notes: tuple[str, ...] = ()
    token: str | None = None
    reused: bool = False
    quarantine: str | None = None
    recipe: str | None = None
    steps: tuple[str, ...] = ()

    @property
    def rows_per_second(self) -> float:
        """Records written a second."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Turn the report into what `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "IngestionReport":
        """Read a report back; fields that a newer version added are left out."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in value.items() if name in known}
        return cls(**kept)

    def __str__(self) -> str:
        lines = [f"{self.rows:,} rows of {self.source} are in {self.group!r} (commit {self.commit}, ingestion {self.ingestion})"]
        if self.reused and self.token is None:
            lines[0] = f"{self.source} is in {self.group!r} already (commit {self.commit}): nothing was written, 0 rows reprocessed"
        elif self.reused:
            lines[0] = f"Token {self.token!r} was used before: nothing was written again. " + lines[0]
        if self.first_event_time is not None and self.last_event_time is not None:
            lines.append(f"  event times    {time_text(self.first_event_time)} to {time_text(self.last_event_time)}")
        if not self.reused or self.token is not None:
            lines.append(f"  written        {self.bytes_written / 1e6:,.1f} MB in {self.seconds:.2f} s, {self.rows_per_second:,.0f} rows/s")
        lines += [f"  recipe         {', '.join(self.steps)}"] if self.recipe else []
        lines += [f"  quarantined    {count:,} rows: {reason}" for reason, count in self.rejected.items()]
        lines += [f"                 {line}" for line in self.rejected_lines]
        lines += [f"                 all of them are in {self.quarantine}"] if self.quarantine else []
        lines += [f"  note           {note}" for note in self.notes]
        return "\n".join(lines)
