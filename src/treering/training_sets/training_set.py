"""Training sets that are built: immutable, versioned, read batch by batch with every page's checksum verified."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from treering.errors import CorruptDataError, NotFoundError, ObjectNotFoundError, StorageError
from treering.storage.objects import Objects
from treering.training_sets.receipt import About, Part, Receipt
from treering.training_sets.reuse import Reuse

if TYPE_CHECKING:
    import pandas as pd

SPLIT_COLUMN = "_split"
BATCH_ROWS = 65_536
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class TrainingSet:
    """One version of a training set: the label rows in their order, the features each could know, and the split of each.

    Attributes:
        name: what it is stored under.
        version: 1 for the first build under that name.
        receipt: what it was made from.
        reuse: what the build that gave it read from older sets; None for a set that was found, not built.
    """

    name: str
    version: int
    receipt: Receipt
    _objects: Objects = field(compare=False)
    reuse: Reuse | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """SHA-256 of what it was made from and what came out."""
        return self.receipt.id

    @property
    def rows(self) -> int:
        """How many rows it has, embargoed ones included."""
        return self.receipt.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column: those of the labels, the looked-up features, and last the name of the split."""
        return tuple(self.receipt.columns)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that feed a model: the labels' inputs, then the looked-up features."""
        return (*self.receipt.labels.inputs, *self.receipt.features)

    @property
    def target(self) -> str | None:
        """The column that a model learns to predict."""
        return self.receipt.labels.target

    @property
    def weight(self) -> str | None:
        """The column that says how much each row counts in training."""
        return self.receipt.labels.weight

    @property
    def splits(self) -> dict[str, int]:
        """Rows by split."""
        return {name: summary.rows for name, summary in self.receipt.splits.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at before training on it."""
        return self.receipt.warnings

    @property
    def about(self) -> About:
        """What people say of it: description, tags, owner."""
        return self.receipt.about

    def batches(self, split: str | None = None, columns: Iterable[str] | None = None, *, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Read rows in label order, a batch at a time.

        Args:
            split: "train", "validation", "test" or "embargo"; None reads all rows.
            columns: which columns, in which order; None reads all.
            batch_rows: how many rows to decode at once, before other splits are left out.

        Raises:
            NotFoundError: for a split or a column that the set does not have.
            CorruptDataError: for a file that is missing, or a page that is not what was written.
        """
        if split is not None and split not in self.receipt.splits:
            raise NotFoundError.among("split", split, self.receipt.splits, repr(self._title))
        wanted = self.columns if columns is None else tuple(columns)
        for name in wanted:
            if name not in self.receipt.columns:
                raise NotFoundError.among("column", name, self.columns, repr(self._title))
        return self._batches(split, wanted, batch_rows)

    def _batches(self, split: str | None, wanted: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        read = list(dict.fromkeys(wanted if split is None and wanted else (*wanted, SPLIT_COLUMN)))
        for part in self.receipt.parts:
            for batch in self._part_batches(part, read, batch_rows):
                rows = batch if split is None else batch.filter(pc.equal(batch[SPLIT_COLUMN], split))
                if rows.num_rows:
                    yield rows.select(list(wanted))

    def _part_batches(self, part: Part, columns: list[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        try:
            with self._objects.input(self._key(part)) as source, pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=True) as file:
                # Threads decode columns side by side; the order of the rows does not depend on them.
                yield from file.iter_batches(batch_size=batch_rows, columns=columns, use_threads=True)
        except ObjectNotFoundError as error:
            raise CorruptDataError(f"{self._place(part)} is missing. Restore it from a backup, or build the set again.") from error
        except StorageError:
            raise
        except (OSError, pa.ArrowInvalid) as error:
            raise CorruptDataError(f"{self._place(part)} is damaged ({error}). Restore it from a backup, or build the set again.") from error

    def to_arrow(self, split: str | None = None, columns: Iterable[str] | None = None) -> pa.Table:
        """Read rows in label order into one Arrow table."""
        wanted = self.columns if columns is None else tuple(columns)
        batches = list(self.batches(split, wanted))
        return pa.Table.from_batches(batches) if batches else self._empty().select(list(wanted))

    def _empty(self) -> pa.Table:
        with self._objects.input(self._key(self.receipt.parts[0])) as source:
            return pq.read_schema(source).empty_table()

    def to_pandas(self, split: str | None = None, columns: Iterable[str] | None = None) -> "pd.DataFrame":
        """Read rows in label order into a pandas frame."""
        frame: pd.DataFrame = self.to_arrow(split, columns).to_pandas()
        return frame

    def verify_files(self) -> None:
        """Read every file whole and compare its SHA-256 with the receipt's.

        Raises:
            CorruptDataError: naming the first file that is missing or differs.
        """
        for part in self.receipt.parts:
            found = self._digest(part)
            if found != part.sha256:
                raise CorruptDataError(f"{self._place(part)} has SHA-256 {found}, not {part.sha256}. Restore it from a backup, or build the set again.")

    def has_its_files(self) -> bool:
        """Whether every file is there, of the size that was written; no file is read."""
        return all(self._objects.size(self._key(part)) == part.bytes for part in self.receipt.parts)

    def _digest(self, part: Part) -> str:
        digest = hashlib.sha256()
        try:
            with self._objects.input(self._key(part)) as source:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
        except ObjectNotFoundError as error:
            raise CorruptDataError(f"{self._place(part)} is missing. Restore it from a backup, or build the set again.") from error
        return digest.hexdigest()

    def _key(self, part: Part) -> str:
        return f"{self.receipt.folder}/{part.file}"

    def _place(self, part: Part) -> str:
        return f"{part.file} of training set {self._title} ({self._objects.uri(self._key(part))})"

    @property
    def _title(self) -> str:
        return f"{self.name} version {self.version}"

    def __repr__(self) -> str:
        labels = self.receipt.labels
        roles = (("target", labels.target), ("inputs", ", ".join(labels.inputs)), ("weight", labels.weight))
        nulls = f"  ({self.receipt.null_targets:,} rows have no target)" if self.receipt.null_targets else ""
        about = (
            ("about", self.about.description),
            ("owner", self.about.owner),
            ("tags", ", ".join(f"{tag}={value}" for tag, value in self.about.tags.items())),
        )
        lines = [
            f"TrainingSet {self.name!r} version {self.version}: {self.rows:,} rows, {len(self.columns)} columns{nulls}",
            *(f"  {what:<10}  {text}" for what, text in about if text),
            *(f"  {name:<10}  {summary}" for name, summary in self.receipt.splits.items()),
            *(f"  {role:<10}  {columns}" for role, columns in roles if columns),
            f"  {'features':<10}  {', '.join(self.receipt.features)}",
            *([] if self.reuse is None else [f"  {'reused':<10}  {self.reuse}"]),
            *(f"  {'warning':<10}  {warning}" for warning in self.warnings),
            f"  {'id':<10}  {self.id}",
        ]
        return "\n".join(lines)
