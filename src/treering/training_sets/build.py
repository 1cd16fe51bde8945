"""Building a training set: a lookup's batches become Parquet files in label order, and a receipt that nobody sees yet."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import version as installed_version
from itertools import chain, groupby
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from treering.errors import ColumnCollisionError, InvalidDefinitionError, LabelsError
from treering.point_in_time.local import LookupResult
from treering.schema.serialise import to_json
from treering.schema.times import time_text
from treering.schema.view import View
from treering.storage.objects import Objects
from treering.training_sets.receipt import LabelRoles, Part, Receipt, SplitSummary
from treering.training_sets.splits import SPLITS, Split, Times
from treering.training_sets.training_set import SPLIT_COLUMN

ROW_GROUP_ROWS = 131_072
ROW_GROUPS_OF_A_PART = 8


def build(objects: Objects, folder: str, result: LookupResult, *, split: Split, view: View | None, built_at: int) -> Receipt:
    """Write the files of a training set below a folder; the set exists once its receipt is a document.

    Args:
        objects: where to.
        folder: a folder that nothing was written to before.
        result: of the lookup; its batches are read once.
        split: names the split of each row.
        view: what the lookups came from, if they came from one.
        built_at: the time now, in microseconds since the epoch, UTC.

    Raises:
        LabelsError: if there is no label row.
        InvalidDefinitionError: if a split that was asked for gets no row.
        ColumnCollisionError: if a column has the name that the split's name is kept under.
    """
    times, labels = result.rows.moments, result.labels
    names = _split_names(split, times, result.rows.table)
    schema, parts = pa.schema([]), []
    for number, groups in groupby(enumerate(_row_groups(result.batches(), names)), key=lambda numbered: numbered[0] // ROW_GROUPS_OF_A_PART):
        schema, part = _write_part(objects, folder, f"part-{number:05d}.parquet", (group for _, group in groups))
        parts.append(part)
    return Receipt(
        view=None if view is None else to_json(view),
        provenance=result.provenance,
        labels=LabelRoles(tuple(result.rows.table.column_names), labels.time, labels.target, labels.inputs, labels.weight),
        features=result.features,
        split=split.to_json(),
        splits=_summaries(names, times, _lacking(result)),
        counts=tuple(count.to_json() for count in result.counts),
        columns={column.name: str(column.type) for column in schema},
        parts=tuple(parts),
        created_at=built_at,
        treering=installed_version("treering"),
        folder=folder,
        tables=result.tables,
    )


def _split_names(split: Split, times: Times, labels: pa.Table) -> pa.DictionaryArray:
    if not len(times):
        raise LabelsError("The labels have no rows; a training set needs at least one.")
    if SPLIT_COLUMN in labels.column_names:
        raise ColumnCollisionError(f"The labels have a column {SPLIT_COLUMN!r}, the name under which a training set keeps each row's split. Rename it.")
    names = split.assign(times, labels)
    filled = set(pc.unique(names.indices.cast(pa.int64())).to_pylist())
    empty = [name for name in split.names if SPLITS.index(name) not in filled]
    if empty:
        raise InvalidDefinitionError(
            f"No label row falls into {' or '.join(empty)}: label times run from {time_text(int(times.min()))} to {time_text(int(times.max()))}, "
            f"and the split is {split!r}. Move its boundaries."
        )
    return names


def _row_groups(batches: Iterable[pa.RecordBatch], names: pa.DictionaryArray) -> Iterator[pa.Table]:
    """Cut batches anew, so that the files do not depend on how the lookup cut them."""
    written = 0
    for table in _cut(batches):
        split = names.slice(written, table.num_rows).cast(pa.string())
        written += table.num_rows
        # What pandas notes about itself in a schema is not about the rows.
        yield table.combine_chunks().append_column(SPLIT_COLUMN, split).replace_schema_metadata(None)


def _cut(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    pending: list[pa.RecordBatch] = []
    missing = ROW_GROUP_ROWS
    for whole in batches:
        rest = whole
        while rest.num_rows >= missing:
            yield pa.Table.from_batches([*pending, rest.slice(0, missing)])
            rest, pending, missing = rest.slice(missing), [], ROW_GROUP_ROWS
        if rest.num_rows:
            pending.append(rest)
            missing -= rest.num_rows
    if pending:
        yield pa.Table.from_batches(pending)


def _lacking(result: LookupResult) -> npt.NDArray[np.bool_]:
    """Which rows have no target."""
    target = result.labels.target
    if target is None:
        return np.zeros(len(result), dtype=bool)
    lacking: npt.NDArray[np.bool_] = pc.is_null(result.rows.table[target], nan_is_null=True).to_numpy()
    return lacking


def _summaries(names: pa.DictionaryArray, times: Times, lacking: npt.NDArray[np.bool_]) -> dict[str, SplitSummary]:
    codes = names.indices.to_numpy()
    summaries = {}
    for code, name in enumerate(SPLITS):
        rows = codes == code
        if rows.any():
            summaries[name] = SplitSummary(int(rows.sum()), int(lacking[rows].sum()), int(times[rows].min()), int(times[rows].max()))
    return summaries


def _write_part(objects: Objects, folder: str, file: str, groups: Iterator[pa.Table]) -> tuple[pa.Schema, Part]:
    first = next(groups)
    # Numbers are decoded faster without a dictionary; text, above all the split's name, is smaller with one.
    text = [column.name for column in first.schema if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)]
    rows = 0
    with objects.output(f"{folder}/{file}") as sink:
        digested = _Digested(sink)
        with pq.ParquetWriter(digested, first.schema, compression="lz4", use_dictionary=text, write_page_checksum=True) as writer:
            for table in chain([first], groups):
                writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
                rows += table.num_rows
    return first.schema, Part(file, rows, digested.bytes, digested.sha256.hexdigest())


class _Digested:
    """A file that counts and digests what is written to it; closing is left to whoever opened it."""

    closed = False

    def __init__(self, sink: BinaryIO) -> None:
        self._sink, self.bytes, self.sha256 = sink, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self.sha256.update(data)
        self.bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        self._sink.flush()
