"""What a training set was made from and what came out: the receipt, whose digest names the set."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from treering.errors import StoreFormatError
from treering.schema.times import time_text
from treering.schema.types import text_tags

RECEIPT_VERSION = 1


def canonical_json(value: Any) -> bytes:
    """Write JSON to the one sequence of bytes that a digest is taken of: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of a training set.

    Attributes:
        file: its name in the set's folder.
        sha256: of its bytes, in hexadecimal.
    """

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """What one split holds.

    Attributes:
        null_targets: rows whose outcome is not known.
        first, last: the earliest and the latest label time, in microseconds since the epoch, UTC.
    """

    rows: int
    null_targets: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.rows:,} rows from {time_text(self.first)} to {time_text(self.last)}"


@dataclass(frozen=True, slots=True)
class LabelRoles:
    """Which label columns play a part in training; every other one is carried along and never fed to a model.

    Attributes:
        columns: every label column, in order.
        time: None where one time was given for all rows.
        inputs: those known at the label's time, which feed a model.
    """

    columns: tuple[str, ...]
    time: str | None
    target: str | None
    inputs: tuple[str, ...]
    weight: str | None


@dataclass(frozen=True, slots=True)
class About:
    """What people say of a training set; it changes nothing of what the set is."""

    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", text_tags(self.tags, "a training set"))


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything that a training set's rows follow from, and what they came to.

    Attributes:
        view: what the lookups came from, as JSON; None where they were listed.
        provenance: version of the semantics, lookups, definition and commit of each group, the labels' digest.
        labels: the roles of the label columns.
        features: the looked-up columns, in order.
        split: the rule that named the splits, as JSON.
        splits: what each split holds.
        counts: how the cells of each lookup came out.
        columns: Arrow types as text, by column, in order.
        parts: the files.
        created_at: microseconds since the epoch, UTC.
        treering: the version that built it.
        folder: where the files are, below the store's root.
        tables: where the groups' records are, by group: a name may be given again, a folder never.
        inputs: a digest of all that it was asked for and made from; in one store, two sets of equal inputs are equal.
        about: what people say of it.
        warnings: what a person should look at before training.
    """

    view: Any
    provenance: Mapping[str, Any]
    labels: LabelRoles
    features: tuple[str, ...]
    split: Mapping[str, Any]
    splits: Mapping[str, SplitSummary]
    counts: tuple[Any, ...]
    columns: Mapping[str, str]
    parts: tuple[Part, ...]
    created_at: int
    treering: str
    folder: str
    tables: Mapping[str, str]
    inputs: str
    about: About
    warnings: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows the set has."""
        return sum(part.rows for part in self.parts)

    @property
    def null_targets(self) -> int:
        """How many rows have no known outcome."""
        return sum(summary.null_targets for summary in self.splits.values())

    @property
    def content(self) -> dict[str, Any]:
        """The part of the receipt that does not depend on where, when and by which treering the set was built."""
        return {
            "version": RECEIPT_VERSION,
            "view": self.view,
            "provenance": dict(self.provenance),
            "labels": asdict(self.labels),
            "features": list(self.features),
            "split": dict(self.split),
            "splits": {name: asdict(summary) for name, summary in self.splits.items()},
            "counts": list(self.counts),
            # A list, because JSON's objects have no order and columns do.
            "columns": [[name, type] for name, type in self.columns.items()],
            "rows": self.rows,
            "null_targets": self.null_targets,
            "parts": [asdict(part) for part in self.parts],
        }

    @property
    def id(self) -> str:
        """SHA-256 of the content: two builds of equal rows from equal sources have one id."""
        return hashlib.sha256(canonical_json(self.content)).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Write the receipt for its document; `from_json` reads it."""
        return {
            "id": self.id,
            "content": self.content,
            "created_at": self.created_at,
            "treering": self.treering,
            "folder": self.folder,
            "tables": dict(self.tables),
            "inputs": self.inputs,
            **asdict(self.about),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Receipt":
        """Read a receipt.

        Raises:
            StoreFormatError: for one that a newer treering wrote, or that does not fit its own digest.
        """
        content = value["content"]
        if content["version"] != RECEIPT_VERSION:
            raise StoreFormatError(f"A training set's receipt has version {content['version']}; this treering reads {RECEIPT_VERSION}. Install a newer one.")
        labels: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in content["labels"].items()}
        receipt = cls(
            view=content["view"],
            provenance=content["provenance"],
            labels=LabelRoles(**labels),
            features=tuple(content["features"]),
            split=content["split"],
            splits={name: SplitSummary(**summary) for name, summary in content["splits"].items()},
            counts=tuple(content["counts"]),
            columns=dict(content["columns"]),
            parts=tuple(Part(**part) for part in content["parts"]),
            created_at=value["created_at"],
            treering=value["treering"],
            folder=value["folder"],
            tables=value["tables"],
            inputs=value["inputs"],
            about=About(value["description"], value["tags"], value["owner"]),
            warnings=tuple(value["warnings"]),
        )
        if receipt.id != value["id"]:
            raise StoreFormatError(
                f"A training set's receipt says its id is {value['id']}, and its content gives {receipt.id}: it was changed. Restore the document."
            )
        return receipt
