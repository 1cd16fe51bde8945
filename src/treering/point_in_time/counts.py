"""What a lookup counted: how every label row ended, and what was seen on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from treering.point_in_time.lookup import PlannedLookup
from treering.point_in_time.match import Match, Outcome


@dataclass(frozen=True, slots=True)
class LookupCounts:
    """The label rows of one lookup, counted.

    The five outcomes add up to `rows`. All features of a lookup share a label row's outcome, so cells are rows times
    features; `before_feature_existed` alone is counted per feature, among the matched rows.

    Attributes:
        group: the feature group that was looked up.
        prefix: the lookup's, which tells two lookups of one group apart.
        commit: the commit that the group was seen as of.
        rows: label rows.
        features: features asked for.
        matched: rows that a record answered.
        no_history: rows whose key has no record, or is null.
        not_yet_known: rows whose key has records, none of them known at the label's time.
        deleted: rows whose answer is a deletion.
        expired: rows whose answer is older than `max_age`.
        before_feature_existed: by feature, matched rows that are null because the feature is younger than the commit.
        ties: rows whose answer has a record of another identifier beside it with the same event time.
        withheld: rows for which a newer record, though its event lay before the label, was not known yet.
        written_after_label: matched rows whose record was written to the store after the label's time.
    """

    group: str
    prefix: str
    commit: int
    rows: int
    features: int
    matched: int
    no_history: int
    not_yet_known: int
    deleted: int
    expired: int
    before_feature_existed: Mapping[str, int]
    ties: int
    withheld: int
    written_after_label: int

    @classmethod
    def of(cls, planned: PlannedLookup, match: Match) -> "LookupCounts":
        """Count one lookup's answers."""
        matched = match.rows_with(Outcome.MATCHED)
        return cls(
            group=planned.lookup.group,
            prefix=planned.lookup.prefix,
            commit=planned.history.commit,
            rows=len(match.outcome),
            features=len(planned.features),
            matched=matched,
            no_history=match.rows_with(Outcome.NO_HISTORY),
            not_yet_known=match.rows_with(Outcome.NOT_YET_KNOWN),
            deleted=match.rows_with(Outcome.DELETED),
            expired=match.rows_with(Outcome.EXPIRED),
            before_feature_existed={name: matched for name in planned.features if planned.history.lacks(name)},
            ties=match.ties,
            withheld=match.withheld,
            written_after_label=match.written_after_label,
        )

    @property
    def cells_written_after_label(self) -> int:
        """Cells of the result whose record was written to the store after the label's time."""
        return self.written_after_label * self.features

    def to_json(self) -> dict[str, Any]:
        """Turn the counts into what `json.dumps` takes."""
        return {**asdict(self), "cells_written_after_label": self.cells_written_after_label}


_COLUMNS = ("matched", "no_history", "not_yet_known", "deleted", "expired", "ties", "withheld", "written_after_label")


def counts_text(counts: Sequence[LookupCounts]) -> str:
    """Lay counts out as a table, a lookup a line."""
    rows = [("lookup", *(column.replace("_", " ") for column in _COLUMNS))]
    rows += [(f"{count.prefix}{count.group}", *(f"{getattr(count, column):,}" for column in _COLUMNS)) for count in counts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join([f"{row[0]:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))]) for row in rows)
