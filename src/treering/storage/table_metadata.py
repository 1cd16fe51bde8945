"""Iceberg table metadata (format version 2) as plain JSON values: each function makes new metadata from old."""

import json
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from treering.errors import SchemaMismatchError
from treering.storage.snapshot import Commit

Metadata = dict[str, Any]

IDENTITY = "treering.identity"
HISTORY = "treering.history"
NAME_MAPPING = "schema.name-mapping.default"
_INGESTION = "treering.ingestion"
_COMMITTED_AT = "treering.committed-at"
# Snapshots kept in the metadata: at FOLD_AT of them the oldest are moved to the history, and RETAINED stay.
RETAINED = 32
FOLD_AT = 64

_TYPES: Mapping[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.binary(): "binary",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamptz",
}
_ARROW_TYPES = {name: type for type, name in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class CommitPlan:
    """What is decided about a commit before its files are written."""

    number: int
    snapshot_id: int
    parent_snapshot_id: int | None
    committed_at: int

    @classmethod
    def after(cls, metadata: Metadata, now: int) -> "CommitPlan":
        """Plan the commit that follows; its time is later than the one before, whatever the clock says."""
        previous = current_snapshot(metadata)
        earliest = int(previous["summary"][_COMMITTED_AT]) + 1 if previous else now
        parent = previous["snapshot-id"] if previous else None
        return cls(metadata["last-sequence-number"] + 1, secrets.randbelow((1 << 63) - 1) + 1, parent, max(now, earliest))


def first_metadata(location: str, schema: pa.Schema, now: int) -> Metadata:
    """Make the metadata of an empty table."""
    metadata: Metadata = {
        "format-version": 2,
        "table-uuid": str(uuid.uuid4()),
        "location": location,
        "last-sequence-number": 0,
        "last-updated-ms": now // 1000,
        "last-column-id": 0,
        "current-schema-id": 0,
        "schemas": [{"type": "struct", "schema-id": 0, "fields": []}],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "last-partition-id": 999,
        "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "properties": {},
        "current-snapshot-id": -1,
        "refs": {},
        "snapshots": [],
        "snapshot-log": [],
        "metadata-log": [],
    }
    return with_columns(metadata, schema) or metadata


def current_snapshot(metadata: Metadata) -> dict[str, Any] | None:
    """Find the snapshot that readers see; None before the first commit."""
    wanted = metadata["current-snapshot-id"]
    return next((snapshot for snapshot in reversed(metadata["snapshots"]) if snapshot["snapshot-id"] == wanted), None)


def current_schema(metadata: Metadata) -> dict[str, Any]:
    """Find the schema that new runs are written by."""
    wanted = metadata["current-schema-id"]
    return next(schema for schema in metadata["schemas"] if schema["schema-id"] == wanted)


def column_names(metadata: Metadata) -> tuple[str, ...]:
    """List the columns, in order."""
    return tuple(field["name"] for field in current_schema(metadata)["fields"])


def commits_of(metadata: Metadata) -> list[Commit]:
    """Read the commits whose snapshots the metadata still hold, oldest first."""
    return [_commit_of(snapshot) for snapshot in metadata["snapshots"]]


def with_snapshot(metadata: Metadata, plan: CommitPlan, manifest_list: str, summary: Mapping[str, str]) -> Metadata:
    """Add a snapshot and make it the current one."""
    previous = current_snapshot(metadata)
    timestamp = max(plan.committed_at // 1000, previous["timestamp-ms"] + 1 if previous else 0)
    snapshot = {
        "snapshot-id": plan.snapshot_id,
        "sequence-number": plan.number,
        "timestamp-ms": timestamp,
        "manifest-list": manifest_list,
        "summary": {**summary, _COMMITTED_AT: str(plan.committed_at)},
        "schema-id": metadata["current-schema-id"],
    }
    if plan.parent_snapshot_id is not None:
        snapshot["parent-snapshot-id"] = plan.parent_snapshot_id
    return metadata | {
        "last-sequence-number": plan.number,
        "last-updated-ms": timestamp,
        "current-snapshot-id": plan.snapshot_id,
        "refs": {"main": {"snapshot-id": plan.snapshot_id, "type": "branch"}},
        "snapshots": [*metadata["snapshots"], snapshot],
        "snapshot-log": [*metadata["snapshot-log"], {"snapshot-id": plan.snapshot_id, "timestamp-ms": timestamp}],
    }


def append_summary(metadata: Metadata, ingestion: str, rows: Sequence[int], own: Mapping[str, str]) -> dict[str, str]:
    """Write the summary of an append: Iceberg's totals, the ingestion, and what the caller says; `rows` has a number for each new run."""
    previous = current_snapshot(metadata)
    before = previous["summary"] if previous else {}
    return {
        **{f"treering.own.{name}": value for name, value in own.items()},
        "operation": "append",
        "added-data-files": str(len(rows)),
        "added-records": str(sum(rows)),
        "total-data-files": str(int(before.get("total-data-files", 0)) + len(rows)),
        "total-records": str(int(before.get("total-records", 0)) + sum(rows)),
        "total-delete-files": "0",
        _INGESTION: ingestion,
    }


def with_retained(metadata: Metadata, count: int, history: str) -> Metadata:
    """Drop all but the last snapshots, whose commits the history now holds, and the schemas that only they used."""
    snapshots = metadata["snapshots"][-count:]
    ids = {snapshot["snapshot-id"] for snapshot in snapshots}
    used = {snapshot["schema-id"] for snapshot in snapshots} | {metadata["current-schema-id"]}
    return metadata | {
        "snapshots": snapshots,
        "snapshot-log": [entry for entry in metadata["snapshot-log"] if entry["snapshot-id"] in ids],
        "schemas": [schema for schema in metadata["schemas"] if schema["schema-id"] in used],
        "properties": metadata["properties"] | {HISTORY: history},
    }


def with_location(metadata: Metadata, location: str, manifest_list: str | None) -> Metadata:
    """Name another place; only the current snapshot is kept, with a manifest list that names that place too."""
    current = current_snapshot(metadata)
    snapshots = [current | {"manifest-list": manifest_list}] if current else []
    return metadata | {"location": location, "snapshots": snapshots}


def with_identity(metadata: Metadata) -> Metadata:
    """Mark metadata so that no other writer can have written the same bytes."""
    return metadata | {"properties": metadata["properties"] | {IDENTITY: secrets.token_hex(16)}}


def with_columns(metadata: Metadata, schema: pa.Schema) -> Metadata | None:
    """Add the columns that the table does not have yet, at the end and with ids of their own; None if there are none.

    Raises:
        SchemaMismatchError: for a column that the table has with another type, or of a type that Iceberg does not have.
    """
    current = current_schema(metadata)
    known = {field["name"]: field for field in current["fields"]}
    new = []
    for column in schema:
        if column.name not in known:
            new.append(column)
        elif _arrow_type(known[column.name]["type"]) != column.type:
            found = _arrow_type(known[column.name]["type"])
            raise SchemaMismatchError(f"Column {column.name!r} is {found} in {metadata['location']} and cannot become {column.type}.")
    if not new:
        return None
    ids = iter(range(metadata["last-column-id"] + 1, metadata["last-column-id"] + 1 + 2 * len(new)))
    fields = [*current["fields"], *[_field(column, ids) for column in new]]
    schema_id = max(one["schema-id"] for one in metadata["schemas"]) + 1 if current["fields"] else 0
    kept = [one for one in metadata["schemas"] if one["fields"]]
    return metadata | {
        "last-column-id": next(ids) - 1,
        "current-schema-id": schema_id,
        "schemas": [*kept, {"type": "struct", "schema-id": schema_id, "fields": fields}],
        "properties": metadata["properties"] | {NAME_MAPPING: json.dumps([_name_mapping(field) for field in fields])},
    }


def arrow_schema(metadata: Metadata) -> pa.Schema:
    """Make the Arrow schema of the table, with Iceberg's field ids where Parquet writers look for them."""
    return pa.schema([_arrow_field(field) for field in current_schema(metadata)["fields"]])


def _commit_of(snapshot: dict[str, Any]) -> Commit:
    summary = snapshot["summary"]
    own = {name.removeprefix("treering.own."): value for name, value in summary.items() if name.startswith("treering.own.")}
    return Commit(snapshot["sequence-number"], int(summary[_COMMITTED_AT]), summary[_INGESTION], int(summary["added-records"]), own)


def _field(column: pa.Field, ids: Iterator[int]) -> dict[str, Any]:
    # Every column is optional: runs that are older than a column do not have it.
    return {"id": next(ids), "name": column.name, "required": False, "type": _iceberg_type(column, ids)}


def _iceberg_type(column: pa.Field, ids: Iterator[int]) -> Any:
    if pa.types.is_list(column.type):
        element = column.type.value_field
        return {"type": "list", "element-id": next(ids), "element": _iceberg_type(element, ids), "element-required": not element.nullable}
    if column.type not in _TYPES:
        raise SchemaMismatchError(f"Column {column.name!r} has Arrow type {column.type}, which a table cannot hold. Cast it.")
    return _TYPES[column.type]


def _arrow_type(type: Any) -> pa.DataType:
    if isinstance(type, str):
        return _ARROW_TYPES[type]
    return pa.list_(pa.field("element", _arrow_type(type["element"]), nullable=not type["element-required"], metadata=_id_metadata(type["element-id"])))


def _arrow_field(field: dict[str, Any]) -> pa.Field:
    return pa.field(field["name"], _arrow_type(field["type"]), metadata=_id_metadata(field["id"]))


def _id_metadata(id: int) -> dict[str, str]:
    return {"PARQUET:field_id": str(id)}


def _name_mapping(field: dict[str, Any]) -> dict[str, Any]:
    mapping: dict[str, Any] = {"field-id": field["id"], "names": [field["name"]]}
    if not isinstance(field["type"], str):
        mapping["fields"] = [{"field-id": field["type"]["element-id"], "names": ["element"]}]
    return mapping
