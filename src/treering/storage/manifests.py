"""Iceberg manifests and manifest lists: which data files a snapshot has. The one owner of pyiceberg."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

from pyiceberg.conversions import from_bytes, to_bytes
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    read_manifest_list,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import NestedField, PrimitiveType

from treering.errors import CorruptDataError, OutcomeUnknownError
from treering.storage.objects import Objects, create_own
from treering.storage.recent import Recent
from treering.storage.snapshot import NewRun, StoredRun
from treering.storage.table_metadata import CommitPlan, Metadata, current_schema, current_snapshot

# A commit rewrites the newest manifest until it has 16 entries; 16 such are merged into one, and 16 of those again.
# So a commit writes few entries, and a table of n runs has about n/4096 + 16 + 16 manifests.
_SMALL = 16
_MERGE_AT = (4096, 256)
_REMEMBERED = 512
_LONGEST_TEXT_BOUND = 64


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A manifest's entries as Iceberg has them, and the same as runs."""

    entries: tuple[ManifestEntry, ...]
    runs: tuple[StoredRun, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    id: int
    name: str
    type: PrimitiveType


class Manifests:
    """Reads and writes the manifests of one table, and remembers them: their files never change.

    Args:
        objects: where the table is.
        folder: the key of the table's folder.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects = objects
        self._folder = folder
        self._manifests: Recent[_Manifest] = Recent(_REMEMBERED)
        self._lists: Recent[tuple[ManifestFile, ...]] = Recent(_REMEMBERED)
        self._schemas: Recent[Schema] = Recent(8)

    def runs(self, metadata: Metadata) -> tuple[StoredRun, ...]:
        """Read the runs of the current snapshot, oldest first."""
        manifests = [self._manifest(metadata, file) for file in self._files(metadata)]
        return tuple(run for manifest in manifests for run in manifest.runs)

    def append(self, metadata: Metadata, plan: CommitPlan, new: Sequence[NewRun]) -> str:
        """Write the manifest list of a snapshot that has more runs.

        Returns:
            The list's address, as metadata record it.
        """
        files = list(self._files(metadata))
        if new:
            packed = _newest_to_pack([_live_entries(file) for file in files], len(new))
            kept, rewritten = files[: len(files) - packed], files[len(files) - packed :]
            old = [entry for file in rewritten for entry in self._manifest(metadata, file).entries]
            added = [self._entry(metadata, plan, run) for run in new]
            files = [*kept, self._write_manifest(metadata, plan.snapshot_id, old, added)]
        return self._write_list(metadata["location"], plan, files)

    def relocate(self, metadata: Metadata, location: str) -> str | None:
        """Write the current snapshot's manifests again, for another place.

        Returns:
            The address of the new manifest list; None if there is no snapshot.
        """
        current = current_snapshot(metadata)
        if current is None:
            return None
        moved = metadata | {"location": location}
        files = []
        for file in self._files(metadata):
            entries = [_moved(entry, metadata["location"], location) for entry in self._manifest(metadata, file).entries]
            files.append(self._write_manifest(moved, current["snapshot-id"], entries, []))
        plan = CommitPlan(current["sequence-number"], current["snapshot-id"], current.get("parent-snapshot-id"), 0)
        return self._write_list(location, plan, files)

    def _files(self, metadata: Metadata) -> tuple[ManifestFile, ...]:
        current = current_snapshot(metadata)
        if current is None:
            return ()
        return self._lists.get(current["manifest-list"], lambda path: tuple(self._decoded(metadata, path, read_manifest_list)))

    def _manifest(self, metadata: Metadata, file: ManifestFile) -> _Manifest:
        def read(path: str) -> _Manifest:
            entries = self._decoded(metadata, path, lambda source: file.fetch_manifest_entry(cast(FileIO, _OneFile(source))))
            return self._understood(metadata, entries)

        return self._manifests.get(file.manifest_path, read)

    def _decoded(self, metadata: Metadata, path: str, decode: Callable[[InputFile], Iterable[Any]]) -> list[Any]:
        key = f"{self._folder}/{relative_path(metadata, path)}"
        data = self._objects.read(key)
        # Avro has no checksums: a flipped bit could hide rows by changing a bound. So files are named by their content.
        if _digest(data) not in key.rpartition("/")[2]:
            raise CorruptDataError(f"{self._objects.uri(key)} does not hold the bytes that were written. Restore it from a backup.")
        return list(decode(_BytesInput(path, data)))

    def _understood(self, metadata: Metadata, entries: Iterable[ManifestEntry]) -> _Manifest:
        columns = _columns(self._schema(metadata))
        live = tuple(entry for entry in entries if entry.status != ManifestEntryStatus.DELETED)
        return _Manifest(live, tuple(_stored_run(metadata, entry, columns) for entry in live))

    def _entry(self, metadata: Metadata, plan: CommitPlan, run: NewRun) -> ManifestEntry:
        path = f"{metadata['location']}/{run.path}"
        data_file = _data_file(path, run, _columns(self._schema(metadata)))
        return ManifestEntry.from_args(
            status=ManifestEntryStatus.ADDED,
            snapshot_id=plan.snapshot_id,
            sequence_number=plan.number,
            file_sequence_number=plan.number,
            data_file=data_file,
        )

    def _write_manifest(self, metadata: Metadata, snapshot_id: int, old: Sequence[ManifestEntry], added: Sequence[ManifestEntry]) -> ManifestFile:
        output = _BytesOutput(f"{metadata['location']}/metadata/", "-m0.avro")
        with write_manifest(2, UNPARTITIONED_PARTITION_SPEC, self._schema(metadata), output, snapshot_id, "null") as writer:
            for entry in old:
                writer.existing(entry)
            for entry in added:
                writer.add(entry)
        self._store(metadata["location"], output)
        existing = [_as_existing(entry) for entry in old]
        self._manifests.put(output.location, self._understood(metadata, [*existing, *added]))
        return writer.to_manifest_file()

    def _write_list(self, location: str, plan: CommitPlan, files: list[ManifestFile]) -> str:
        output = _BytesOutput(f"{location}/metadata/snap-{plan.snapshot_id}-1-", ".avro")
        with write_manifest_list(2, output, plan.snapshot_id, plan.parent_snapshot_id, plan.number, "null") as writer:
            numbered = [writer.prepare_manifest(file) for file in files]
            if files:
                writer.add_manifests(files)
        self._store(location, output)
        self._lists.put(output.location, tuple(numbered))
        return output.location

    def _store(self, location: str, output: "_BytesOutput") -> None:
        key = f"{self._folder}{output.location.removeprefix(location)}"
        if not create_own(self._objects, key, output.data):
            raise OutcomeUnknownError(f"{self._objects.uri(key)} holds what nobody should have written there. Repeat the call.")

    def _schema(self, metadata: Metadata) -> Schema:
        return self._schemas.get(str(metadata["current-schema-id"]), lambda _: Schema.model_validate(current_schema(metadata)))


def relative_path(metadata: Metadata, path: str) -> str:
    """Take the recorded location off a recorded address: what is left holds wherever the table stands now.

    Raises:
        CorruptDataError: for an address outside the table.
    """
    location = metadata["location"]
    if not path.startswith(location + "/"):
        raise CorruptDataError(f"The table that was written in {location} names {path}, which is outside of it. Restore its metadata from a backup.")
    return path[len(location) + 1 :]


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _newest_to_pack(counts: Sequence[int], new: int) -> int:
    for limit in _MERGE_AT:
        tail = _tail_below(counts, limit)
        if tail > 1 and sum(counts[len(counts) - tail :]) + new >= limit:
            return tail
    return min(_tail_below(counts, _SMALL), 1)


def _tail_below(counts: Sequence[int], limit: int) -> int:
    return next((index for index, count in enumerate(reversed(counts)) if count >= limit), len(counts))


def _live_entries(file: ManifestFile) -> int:
    return (file.added_files_count or 0) + (file.existing_files_count or 0)


def _columns(schema: Schema) -> list[_Column]:
    fields: Iterable[NestedField] = schema.fields
    return [_Column(field.field_id, field.name, field.field_type) for field in fields if isinstance(field.field_type, PrimitiveType)]


def _data_file(path: str, run: NewRun, columns: Sequence[_Column]) -> DataFile:
    lower = {column.id: _lower_bound(column, run.bounds[column.name][0]) for column in columns if _is_bounded(run, column)}
    upper = {column.id: _upper_bound(column, run.bounds[column.name][1]) for column in columns if _is_bounded(run, column)}
    counted = [column for column in columns if column.name in run.nulls]
    return DataFile.from_args(
        _table_format_version=2,
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=run.rows,
        file_size_in_bytes=run.bytes,
        column_sizes={},
        value_counts={column.id: run.rows for column in counted},
        null_value_counts={column.id: run.nulls[column.name] for column in counted},
        nan_value_counts={},
        lower_bounds=lower,
        upper_bounds={id: bound for id, bound in upper.items() if bound is not None},
    )


def _is_bounded(run: NewRun, column: _Column) -> bool:
    low, high = run.bounds.get(column.name, (None, None))
    # NaN is unequal to itself, and no bound.
    return low is not None and high is not None and low == low and high == high


def _lower_bound(column: _Column, value: Any) -> bytes:
    return to_bytes(column.type, value[:_LONGEST_TEXT_BOUND] if isinstance(value, str) else value)


def _upper_bound(column: _Column, value: Any) -> bytes | None:
    if not isinstance(value, str) or len(value) <= _LONGEST_TEXT_BOUND:
        return to_bytes(column.type, value)
    start = value[:_LONGEST_TEXT_BOUND]
    for end in range(len(start) - 1, -1, -1):
        # The next character up, where that is one that UTF-8 can hold.
        following = ord(start[end]) + 1
        if following <= 0x10FFFF and not 0xD800 <= following <= 0xDFFF:
            return to_bytes(column.type, start[:end] + chr(following))
    return None


def _stored_run(metadata: Metadata, entry: ManifestEntry, columns: Sequence[_Column]) -> StoredRun:
    file = entry.data_file
    lower: Mapping[int, bytes] = file.lower_bounds or {}
    upper: Mapping[int, bytes] = file.upper_bounds or {}
    nulls: Mapping[int, int] = file.null_value_counts or {}
    return StoredRun(
        path=relative_path(metadata, file.file_path),
        rows=file.record_count,
        bytes=file.file_size_in_bytes,
        bounds={c.name: (from_bytes(c.type, lower[c.id]), from_bytes(c.type, upper[c.id])) for c in columns if c.id in lower and c.id in upper},
        nulls={c.name: nulls[c.id] for c in columns if c.id in nulls},
        commit=entry.sequence_number or 0,
    )


def _as_existing(entry: ManifestEntry) -> ManifestEntry:
    return _entry_with(entry, entry.data_file)


def _moved(entry: ManifestEntry, old: str, new: str) -> ManifestEntry:
    # Positions are those of Iceberg's data_file struct, version 2: file_path is the second field.
    data_file = DataFile(*entry.data_file._data)
    data_file[1] = new + entry.data_file.file_path.removeprefix(old)
    return _entry_with(entry, data_file)


def _entry_with(entry: ManifestEntry, data_file: DataFile) -> ManifestEntry:
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.EXISTING,
        snapshot_id=entry.snapshot_id,
        sequence_number=entry.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        data_file=data_file,
    )


class _BytesInput(InputFile):
    """Bytes that pyiceberg reads as a file."""

    def __init__(self, location: str, data: bytes) -> None:
        super().__init__(location)
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> InputStream:  # noqa: FBT001, FBT002
        return io.BytesIO(self._data)


class _OneFile:
    """The part of pyiceberg's FileIO that reading a manifest needs."""

    def __init__(self, file: InputFile) -> None:
        self._file = file

    def new_input(self, location: str) -> InputFile:
        return self._file


class _BytesOutput(OutputFile):
    """Bytes that pyiceberg writes as a file, which gets its name from them."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(before)
        self._after = after
        self.data = b""

    @property
    def location(self) -> str:
        return f"{super().location}{_digest(self.data)}{self._after}"

    def __len__(self) -> int:
        return len(self.data)

    def exists(self) -> bool:
        return False

    def to_input_file(self) -> InputFile:
        return _BytesInput(self.location, self.data)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: FBT001, FBT002
        return _KeepingBytes(self)


class _KeepingBytes(io.BytesIO):
    def __init__(self, output: _BytesOutput) -> None:
        super().__init__()
        self._output = output

    def close(self) -> None:
        if not self.closed:
            self._output.data = self.getvalue()
        super().close()
