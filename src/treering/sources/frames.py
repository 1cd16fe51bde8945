"""Frames as a source: pandas, Polars, and anything of Arrow."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from treering.errors import MissingExtraError, SchemaMismatchError, SourceError
from treering.schema.types import Schema
from treering.sources.batches import Part, SourceBatch, distinct
from treering.sources.digest import ValueDigest

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

BATCH_ROWS = 131_072


class FrameSource:
    """Data in memory, or a stream of it."""

    total_bytes: int | None = None
    bytes_read: int = 0

    def __init__(self, description: str, columns: pa.Schema, read: Callable[[], Iterable[pa.RecordBatch]]) -> None:
        self.description = description
        self._columns = columns.remove_metadata()
        self._read = read
        self._digest = ValueDigest()
        distinct(self._columns.names, description)

    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._columns.names)

    def arrow_schema(self, schema: Schema | None = None) -> pa.Schema:
        """The columns with the types they have."""
        return self._columns

    def batches(self, schema: Schema | None = None) -> Iterator[SourceBatch]:
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

    return FrameSource("Arrow stream", reader.schema, read)


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
    """Take a pandas frame; its index is not a column.

    Raises:
        SchemaMismatchError: for a column that has no text as its name, or values of more than one kind.
    """
    for name in frame.columns:
        if not isinstance(name, str):
            raise SchemaMismatchError(f"A column of the pandas frame is named {name!r}, which is no text. Rename the columns.")
    names = distinct(frame.columns, "the pandas frame")
    columns = [_of_series(frame[name], name) for name in names]
    table = pa.table(columns, names=list(names))
    return FrameSource("pandas frame", table.schema, lambda: table.to_batches(max_chunksize=BATCH_ROWS))


def _of_series(series: "pd.Series[Any]", name: str) -> pa.Array | pa.ChunkedArray:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind == "f":
        return pa.array(series.to_numpy())  # keeps NaN apart from null, to be counted
    values = list(series.dropna()) if series.dtype == object else []
    if len({_kind(value) for value in values}) > 1:
        raise _mixed(series, name)
    try:
        return pa.Array.from_pandas(series)
    except UnicodeEncodeError:
        return pa.array([value.encode("utf-8", errors="surrogatepass") if isinstance(value, str) else None for value in series], pa.binary())
    except OverflowError:
        return pa.array([Decimal(str(value)) if is_given else None for value, is_given in zip(series, series.notna(), strict=True)])
    except pa.ArrowException as error:
        raise SchemaMismatchError(f"Column {name!r} of the pandas frame cannot be read: {error}. Convert it first.") from error


def _kind(value: Any) -> object:
    """What values of one column share: numbers are of one kind, times with and without a zone of two."""
    if isinstance(value, bool | np.bool_):
        return bool
    if isinstance(value, int | float | np.number):
        return float
    return (type(value), getattr(value, "tzinfo", None) is None)


def _mixed(series: "pd.Series[Any]", name: str) -> SchemaMismatchError:
    given = [(row, value) for row, (value, is_given) in enumerate(zip(series, series.notna(), strict=True)) if is_given]
    first = given[0]
    odd = next((row, value) for row, value in given if _kind(value) != _kind(first[1]))
    return SchemaMismatchError(
        f"Column {name!r} of the pandas frame mixes kinds of values: row {first[0]} is {first[1]!r} and row {odd[0]} is {odd[1]!r}. Convert them to one kind."
    )


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
