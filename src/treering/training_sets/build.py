"""Building a training set: a lookup's batches become Parquet files in label order, and a receipt that nobody sees yet."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from itertools import chain, groupby
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from treering.errors import ColumnCollisionError, InvalidDefinitionError, LabelsError
from treering.point_in_time.labels import LabelRows
from treering.point_in_time.local import LookupPlan
from treering.schema.fitted import FittedSteps
from treering.schema.serialise import to_json
from treering.schema.view import View
from treering.storage.objects import Objects
from treering.training_sets.older_sets import Answered
from treering.training_sets.receipt import About, LabelRoles, Part, Receipt, SplitSummary
from treering.training_sets.splits import SPLITS, Split, Times
from treering.training_sets.training_set import SPLIT_COLUMN
from treering.training_sets.warnings import Found, warnings_of

ROW_GROUP_ROWS = 131_072
ROW_GROUPS_OF_A_PART = 8


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What a training set is to be, beside the columns that are looked up for it.

    Attributes:
        view: what the lookups came from; None where they were listed.
        split: the rule that names the split of each row.
        names: those names, a row each.
        inputs: the digest of all that the set follows from.
        about: what people say of it.
    """

    view: View | None
    split: Split
    names: pa.DictionaryArray
    inputs: str
    about: About


def split_names(split: Split, rows: LabelRows) -> pa.DictionaryArray:
    """Name the split of every label row.

    Raises:
        LabelsError: if there is no label row.
        InvalidDefinitionError: if a split that was asked for gets no row.
        ColumnCollisionError: if a column has the name that the split's name is kept under.
    """
    times, labels = rows.moments, rows.table
    if not len(times):
        raise LabelsError("The labels have no rows; a training set needs at least one.")
    if SPLIT_COLUMN in labels.column_names:
        raise ColumnCollisionError(f"The labels have a column {SPLIT_COLUMN!r}, the name under which a training set keeps each row's split. Rename it.")
    names = split.assign(times, labels)
    filled = set(pc.unique(names.indices.cast(pa.int64())).to_pylist())
    empty = [name for name in split.names if SPLITS.index(name) not in filled]
    if empty:
        raise InvalidDefinitionError(f"No label row falls into {' or '.join(empty)}. {split.advice(times, labels)}")
    return names


def build(objects: Objects, folder: str, order: Order, answered: Answered, *, built_at: int) -> Receipt:
    """Write the files of a training set below a folder; the set exists once its receipt is a document.

    Args:
        objects: where to.
        folder: a folder that nothing was written to before.
        order: what the set is to be.
        answered: its label columns and looked-up columns.
        built_at: the time now, in microseconds since the epoch, UTC.
    """
    plan = answered.plan
    rows, labels = plan.rows, plan.rows.labels
    roles = LabelRoles(tuple(rows.table.column_names), labels.time, labels.target, labels.inputs, labels.weight)
    warnings = warnings_of(_found(order, answered, roles))
    schema, parts = _write_parts(objects, folder, _row_groups(answered.table.to_batches(), order.names))
    return Receipt(
        view=None if order.view is None else to_json(order.view),
        provenance=plan.provenance,
        labels=roles,
        features=plan.features,
        split=order.split.to_json(),
        splits=_summaries(order.names, rows.moments, _lacking(rows)),
        counts=tuple(count.to_json() for count in answered.counts),
        columns={column.name: str(column.type) for column in schema},
        parts=parts,
        created_at=built_at,
        treering=installed_version("treering"),
        folder=folder,
        tables=plan.tables,
        inputs=order.inputs,
        about=order.about,
        warnings=warnings,
    )


def _found(order: Order, answered: Answered, roles: LabelRoles) -> Found:
    plan = answered.plan
    codes = order.names.indices.to_numpy()
    return Found(codes, plan.rows.moments, answered.table, roles, plan.rows.labels.keys, plan.features, _fitted(plan), answered.counts)


def _fitted(plan: LookupPlan) -> dict[str, tuple[FittedSteps, ...]]:
    """The fitted steps that shaped each group; one group can be looked up as of several commits."""
    fitted: dict[str, tuple[FittedSteps, ...]] = {}
    for history in plan.histories:
        name = history.definition.name
        fitted[name] = tuple(dict.fromkeys((*fitted.get(name, ()), *history.fitted)))
    return fitted


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


def _lacking(rows: LabelRows) -> npt.NDArray[np.bool_]:
    """Which rows have no target."""
    target = rows.labels.target
    if target is None:
        return np.zeros(len(rows.moments), dtype=bool)
    lacking: npt.NDArray[np.bool_] = pc.is_null(rows.table[target], nan_is_null=True).to_numpy()
    return lacking


def _summaries(names: pa.DictionaryArray, times: Times, lacking: npt.NDArray[np.bool_]) -> dict[str, SplitSummary]:
    codes = names.indices.to_numpy()
    summaries = {}
    for code, name in enumerate(SPLITS):
        rows = codes == code
        if rows.any():
            summaries[name] = SplitSummary(int(rows.sum()), int(lacking[rows].sum()), int(times[rows].min()), int(times[rows].max()))
    return summaries


def _write_parts(objects: Objects, folder: str, row_groups: Iterator[pa.Table]) -> tuple[pa.Schema, tuple[Part, ...]]:
    schema, parts = pa.schema([]), []
    for number, groups in groupby(enumerate(row_groups), key=lambda numbered: numbered[0] // ROW_GROUPS_OF_A_PART):
        schema, part = _write_part(objects, folder, f"part-{number:05d}.parquet", (group for _, group in groups))
        parts.append(part)
    return schema, tuple(parts)


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
