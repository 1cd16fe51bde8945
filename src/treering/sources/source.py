"""Opens whatever a person gives as data: a frame, a file, a folder of files, a bucket."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from treering.errors import SourceError
from treering.schema.arrow import is_pandas
from treering.schema.types import Schema
from treering.settings import Settings
from treering.sources.batches import Source, locate
from treering.sources.csv import Csv, CsvSource
from treering.sources.files import InputFile, find_files
from treering.sources.frames import of_arrow, of_batch, of_dataset, of_pandas, of_reader, of_stream
from treering.sources.parquet import ParquetSource

__all__ = ["Source", "locate", "open_source", "schema_of"]

ACCEPTED = (
    "Give a pandas or Polars frame, an Arrow table, batch, reader or dataset, a tr.Csv, or the path or s3:// address of a .csv, .csv.gz, .zip (with one CSV "
    "file in it) or .parquet file, or of a folder or pattern of them."
)


def open_source(source: object, settings: Settings) -> Source:
    """Open outside data.

    Args:
        source: a pandas or Polars frame, anything of Arrow, a `Csv`, or the path or `s3://` address of a CSV file (also
            `.csv.gz`, or a `.zip` with one in it), a Parquet file, or a folder or pattern of them.
        settings: how a bucket is reached.

    Raises:
        SourceError: for a file that does not exist, or a kind of source that is not known.
    """
    for holds, opener in _OPENERS:
        if holds(source):
            return opener(source, settings)
    raise SourceError(f"treering cannot read a {type(source).__name__}. {ACCEPTED}")


def schema_of(source: object, settings: Settings | None = None) -> Schema:
    """Infer a schema from data: frames have types; a CSV file's are guessed from its first block.

    Raises:
        SourceError: if it cannot be read.
        SchemaMismatchError: for a column that no feature type can hold.
    """
    return Schema.of(open_source(source, settings or Settings.load()).arrow_schema())


_CSV_SUFFIXES = (".csv", ".csv.gz", ".zip")


def _csv_files(location: str, files: tuple[InputFile, ...]) -> Source:
    return CsvSource(Csv(location), files)


_KINDS: Mapping[str, Callable[[str, tuple[InputFile, ...]], Source]] = {**dict.fromkeys(_CSV_SUFFIXES, _csv_files), ".parquet": ParquetSource}


def _open_path(source: Any, settings: Settings) -> Source:
    location = str(source)
    files = find_files(location, _KINDS, settings)
    openers = {file.name: _kind_of(file.name) for file in files}
    if len(set(openers.values())) > 1:
        csv = next(name for name, opener in openers.items() if opener is _csv_files)
        other = next(name for name, opener in openers.items() if opener is not _csv_files)
        raise SourceError(f"{location} names CSV and Parquet files ({csv}, {other}). Name one kind, such as {location.rstrip('/')}/*.csv.")
    return openers[files[0].name](location, files)


def _kind_of(name: str) -> Callable[[str, tuple[InputFile, ...]], Source]:
    for suffix, opener in _KINDS.items():
        if name.lower().endswith(suffix):
            return opener
    raise SourceError(f"treering cannot tell from its name what {name} is. Name it .csv or .parquet, or, if it is CSV, give tr.Csv({name!r}).")


def _open_csv(source: Any, settings: Settings) -> Source:
    return CsvSource(source, find_files(str(source.path), _CSV_SUFFIXES, settings))


_OPENERS: tuple[tuple[Callable[[object], bool], Callable[[Any, Settings], Source]], ...] = (
    (lambda source: isinstance(source, Csv), _open_csv),
    (lambda source: isinstance(source, str | Path), _open_path),
    (is_pandas, lambda frame, _: of_pandas(frame)),
    (lambda source: isinstance(source, pa.Table), lambda table, _: of_arrow(table)),
    (lambda source: isinstance(source, pa.RecordBatch), lambda batch, _: of_batch(batch)),
    (lambda source: isinstance(source, pa.RecordBatchReader), lambda reader, _: of_reader(reader)),
    (lambda source: hasattr(source, "scanner") and hasattr(source, "to_batches"), lambda dataset, _: of_dataset(dataset)),
    (lambda source: hasattr(source, "__arrow_c_stream__"), lambda frame, _: of_stream(frame)),
)
