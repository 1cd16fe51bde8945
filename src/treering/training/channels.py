"""The channels of a script: each split as a file on disk, written batch by batch, features first, then target and weight, in label order."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from treering.errors import TrainingError
from treering.training.matrix import Rows, features_of

_WRITERS: Mapping[str, Callable[[Path, pa.Schema], Any]] = {"parquet": pq.ParquetWriter, "csv": pacsv.CSVWriter}


def write_channels(rows: Rows, folder: Path, channel_format: str) -> dict[str, Path]:
    """Write every split that has rows.

    Args:
        rows: of the training set, behind the fitted recipe.
        folder: gets a folder for each split, with one file.
        channel_format: "parquet" or "csv".

    Returns:
        The folder of each split.

    Raises:
        TrainingError: for a column that cannot be written so, and a feature that has the target's name.
    """
    schema = _schema(rows)
    folders = {split: folder / split for split in rows.splits}
    for split, place in folders.items():
        place.mkdir(parents=True)
        try:
            with _WRITERS[channel_format](place / f"{split}.{channel_format}", schema) as writer:
                for table in _tables(rows, split):
                    writer.write(_as(schema, table))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise TrainingError(
                f"The {split} split cannot be written as {channel_format}: {error}. Derive plain columns with tr.step, or use Parquet."
            ) from error
    return folders


def _schema(rows: Rows) -> pa.Schema:
    """Find the one schema of all batches. A recipe makes its columns in pandas, where a batch with gaps has another type than one without."""
    if rows.recipe is None:
        return next(_tables(rows, rows.splits[0])).schema
    schemas: list[pa.Schema] = []
    for split in rows.splits:
        for table in _tables(rows, split):
            if table.schema not in schemas:
                schemas.append(table.schema)
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TrainingError(f"The recipe makes columns of different kinds from different rows: {error}. Let each step give one kind of value.") from error


def _tables(rows: Rows, split: str) -> Iterator[pa.Table]:
    training_set, target = rows.training_set, str(rows.training_set.target)
    others = [name for name in (target, training_set.weight) if name is not None]
    for batch in training_set.batches(split, list(dict.fromkeys((*training_set.features, *others))), batch_rows=rows.batch_rows):
        kept = batch.filter(pc.invert(pc.is_null(batch[target], nan_is_null=True))) if rows.drop_null_targets else batch
        if kept.num_rows:
            table = features_of(kept, training_set.features, rows.recipe)
            for name in others:
                if name in table.column_names:
                    raise TrainingError(f"The recipe makes a feature {name!r}, which is the name of the target or the weight. Give it another.")
                table = table.append_column(name, pa.chunked_array([kept[name]]))
            yield _plain(table)


def _plain(table: pa.Table) -> pa.Table:
    """Write dictionaries out: a script should find text where there is text."""
    fields = [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in table.schema.remove_metadata()]
    return table.cast(pa.schema([field.remove_metadata().with_nullable(True) for field in fields]))  # noqa: FBT003


def _as(schema: pa.Schema, table: pa.Table) -> pa.Table:
    return table.select(schema.names).cast(schema)
