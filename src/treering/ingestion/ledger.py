"""The ledger: one document per ingestion, which outlives the snapshot that made it visible."""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from treering.errors import AlreadyExistsError
from treering.ingestion.report import IngestionReport
from treering.ingestion.statistics import keep_statistics
from treering.schema.column_statistics import ColumnStatistics
from treering.schema.fitted import FittedSteps
from treering.schema.statistics import GroupStatistics
from treering.sources.batches import Part, locate
from treering.storage.documents import Documents
from treering.storage.objects import Objects, create_own
from treering.storage.snapshot import Commit

KIND = "ingestions"
SUMMARY_KEY = "treering.ingestion-document"
# Every commit that a table still holds carries its document, so a document has to stay small.
_LISTED_PARTS = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written down about an ingestion.

    Attributes:
        report: what it did.
        parts: where its rows came from.
        columns: statistics of its rows, by column; None for deletions, which have no values.
        fitted: the steps that had learned from values before they shaped its rows; None if there were none.
    """

    report: IngestionReport
    parts: Sequence[Part]
    columns: dict[str, ColumnStatistics] | None = None
    fitted: FittedSteps | None = None


def ingestion_id(token: str | None) -> str:
    """Choose an id: by chance, or, with a token, always the same one for the token."""
    if token is None:
        return secrets.token_hex(8)
    return "t" + hashlib.sha256(token.encode()).hexdigest()[:31]


class Ledger:
    """The ingestions of one group, by id."""

    def __init__(self, objects: Objects, documents: Documents, folder: str) -> None:
        self._objects, self._documents, self._folder = objects, documents, folder

    def find(self, ingestion: str) -> dict[str, Any] | None:
        """Read the document of an ingestion that is committed and recorded; None if there is none."""
        document = self._documents.current(KIND, self._name(ingestion))
        return None if document is None else document.value

    def record(self, commit: Commit) -> dict[str, Any]:
        """Write a commit's document from its summary, unless it stands there already."""
        value = document_of(commit)
        with contextlib.suppress(AlreadyExistsError):
            self._documents.create(KIND, self._name(commit.ingestion), value)
        return value

    def record_all(self, commits: Sequence[Commit]) -> None:
        """Make sure that commits have their documents, before the table's metadata forget their ingestions."""
        missing = [commit for commit in commits if SUMMARY_KEY in commit.summary and self.find(commit.ingestion) is None]
        for commit in missing:
            self.record(commit)

    def origin(self, document: dict[str, Any], position: int) -> str:
        """Say where a record came from: the file and line, or the frame and row."""
        value = document["parts"]
        listed = json.loads(self._objects.read(value)) if isinstance(value, str) else value
        token = document["report"].get("token")
        where = locate([Part(description, base, unit) for description, base, unit in listed], position)
        return where + (f", ingested with token {token!r}" if token else "")

    def prepare(self, entry: Entry, attempt: str) -> dict[str, Any]:
        """Make an ingestion's document, and the files that it names: what is long stands beside it."""
        document = {"attempt": attempt, "report": entry.report.to_json(), "parts": self._parts(entry.parts, attempt)}
        if entry.columns is not None:
            document["statistics"] = keep_statistics(self._objects, self._folder, attempt, _statistics(entry.report, entry.columns))
        if entry.fitted is not None:
            document["fitted"] = entry.fitted.to_json()
        return document

    def _parts(self, parts: Sequence[Part], attempt: str) -> list[list[Any]] | str:
        """Turn a source's parts into what a document holds: the parts, or, for a folder of many files, the key of a list of them."""
        listed = [[part.description, part.base, part.unit] for part in parts]
        if len(listed) <= _LISTED_PARTS:
            return listed
        key = f"{self._folder}/sources/{attempt}.json"
        create_own(self._objects, key, json.dumps(listed).encode())
        return key

    def _name(self, ingestion: str) -> str:
        return f"{self._folder.rsplit('/', 1)[-1]}.{ingestion}"


def _statistics(report: IngestionReport, columns: dict[str, ColumnStatistics]) -> GroupStatistics:
    # The commit's number is not known before the commit; whoever adds statistics up knows it.
    return GroupStatistics(report.group, 0, report.rows, report.first_event_time, report.last_event_time, columns)


def statistics_key(commit: Commit) -> str | None:
    """Find where the statistics of a commit's rows are kept; None for a deletion."""
    document: dict[str, Any] = json.loads(commit.summary.get(SUMMARY_KEY, "{}"))
    return document.get("statistics")


def fitted_steps(commit: Commit) -> FittedSteps | None:
    """Find the steps that had learned from values before they shaped a commit's rows; None if there were none."""
    fitted = json.loads(commit.summary.get(SUMMARY_KEY, "{}")).get("fitted")
    return None if fitted is None else FittedSteps.from_json(fitted)


def document_of(commit: Commit) -> dict[str, Any]:
    """Make an ingestion's document from the commit that carries it."""
    value: dict[str, Any] = json.loads(commit.summary[SUMMARY_KEY])
    value["report"]["commit"] = commit.number
    value["committed_at"] = commit.committed_at
    return value
