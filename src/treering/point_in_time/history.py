"""What the engine knows of a group: its runs, its newest commit, and where its records came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.fitted import FittedSteps
from treering.storage.runs import Run


def _unknown_ingestion(ingestion: str, row: int) -> str:
    return f"ingestion {ingestion}, position {row}"


@dataclass(frozen=True, slots=True)
class History:
    """One group's records as of one commit.

    Attributes:
        definition: the group's.
        runs: every run that holds records of the commit or of earlier ones.
        commit: the commit that the lookup sees the group as of.
        is_newest: whether that was the group's newest commit when the history was opened.
        since: per feature that was added later, the commit after which; empty where no commit was asked for.
        table: the folder that holds the records, which no other group ever has; empty without a store.
        address: the absolute address of that folder; empty without a store.
        origin: says where a record came from, by its ingestion and position.
        fitted: the fitted steps that shaped records before they were ingested, and on which rows they had learned.
    """

    definition: FeatureGroupDefinition
    runs: Sequence[Run]
    commit: int
    is_newest: bool = True
    since: Mapping[str, int] = field(default_factory=dict)
    table: str = ""
    address: str = ""
    origin: Callable[[str, int], str] = _unknown_ingestion
    fitted: tuple[FittedSteps, ...] = ()

    def lacks(self, feature: str) -> bool:
        """Whether a feature was added after the commit asked for."""
        return self.since.get(feature, -1) >= self.commit
