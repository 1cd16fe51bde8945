"""Frames as a source: pandas, Polars, and anything of Arrow."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from treering.errors import MissingExtraError, SourceError
from treering.schema.arrow import pandas_column, pandas_series
from treering.sources.batches import Part, SourceBatch, Types, distinct
from treering.sources.digest import ValueDigest

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

BATCH_ROWS = 131_072


class FrameSource:
    """Data in memory, or a stream of it."""

    total_bytes: int | None = None
    bytes_read: int = 0
    manner = ""

    def __init__(self, description: str, columns: pa.Schema, read: Callable[[], Iterable[pa.RecordBatch]], *, read_once: bool = False) -> None:
        self.description = description
        self._columns = columns.remove_metadata()
        self._read, self._read_once = read, read_once
        self._digest = ValueDigest()
        distinct(self._columns.names, description)

    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._columns.names)

    def arrow_schema(self, schema: Types | None = None) -> pa.Schema:
        """The columns with the types they have."""
        return self._columns

    def batches(self, schema: Types | None = None) -> Iterator[SourceBatch]:
        """Give the rows in batches of bounded size."""
        self._digest = ValueDigest()
        base = 0
        for read in self._read():
            for start in range(0, read.num_rows, BATCH_ROWS):
                table = pa.Table.from_batches([read.slice(start, BATCH_ROWS)]).replace_schema_metadata(None)
                self._digest.update(table)
                yield SourceBatch(table, np.arange(base, base + table.num_rows, dtype=np.int64))
                base += table.num_rows

    def parts(self) -> tuple[Part, ...]:
        """The frame as a whole."""
        return (Part(self.description, 0, "row"),)

    def digest(self) -> str:
        """SHA-256 of the values."""
        return self._digest.text()

    def content(self) -> str | None:
        """Read the values; None for a stream."""
        if self._read_once:
            return None
        again = FrameSource(self.description, self._columns, self._read)
        for _ in again.batches():
            pass
        return again.digest()


def of_arrow(table: pa.Table) -> FrameSource:
    """Take a table of Arrow."""
    return FrameSource("Arrow table", table.schema, lambda: table.to_batches(max_chunksize=BATCH_ROWS))


def of_batch(batch: pa.RecordBatch) -> FrameSource:
    """Take a single batch of Arrow."""
    return FrameSource("Arrow batch", batch.schema, lambda: [batch])


def of_reader(reader: pa.RecordBatchReader) -> FrameSource:
    """Take a stream, which can be read once."""
    unread = [reader]

    def read() -> pa.RecordBatchReader:
        if not unread:
            raise SourceError("An Arrow stream can be read only once, and this one has been. Open it again, or collect it into a table first.")
        return unread.pop()

    return FrameSource("Arrow stream", reader.schema, read, read_once=True)


def of_dataset(dataset: Any) -> FrameSource:
    """Take a dataset of Arrow."""
    return FrameSource("Arrow dataset", dataset.schema, lambda: dataset.to_batches(batch_size=BATCH_ROWS))


def of_stream(frame: Any) -> FrameSource:
    """Take a Polars frame, or anything else that gives Arrow streams of tables.

    Raises:
        SourceError: for a stream of something else, such as a series.
    """
    library, name = type(frame).__module__.partition(".")[0], type(frame).__name__
    try:
        columns = pa.RecordBatchReader.from_stream(frame).schema
    except pa.ArrowInvalid as error:
        raise SourceError(f"treering cannot read a {name} of {library}: it is no table ({error}). Give a frame.") from error
    description = "Polars frame" if library == "polars" else f"{library} {name}"
    return FrameSource(description, columns, lambda: pa.RecordBatchReader.from_stream(frame))


def of_pandas(frame: "pd.DataFrame") -> FrameSource:
    """Take a pandas frame; the named levels of its index are columns.

    Raises:
        SchemaMismatchError: for a column that has no text as its name, or values of more than one kind.
    """
    given = list(pandas_series(frame))
    names = distinct((name for name, _ in given), "the pandas frame")
    table = pa.table([pandas_column(series, name) for name, series in given], names=list(names))
    return FrameSource("pandas frame", table.schema, lambda: table.to_batches(max_chunksize=BATCH_ROWS))


def polars_frame(table: pa.Table) -> "pl.DataFrame":
    """Turn a table into a Polars frame.

    Raises:
        MissingExtraError: if Polars is not installed.
    """
    try:
        import polars
    except ImportError:
        raise MissingExtraError.of("A Polars frame", "polars", "polars") from None
    frame = polars.from_arrow(table)
    assert isinstance(frame, polars.DataFrame)
    return frame
