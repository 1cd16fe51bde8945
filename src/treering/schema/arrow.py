"""Data in memory as Arrow sees it: the schema of a frame, and the columns of a pandas frame, its named index among them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from treering.errors import SchemaMismatchError

if TYPE_CHECKING:
    import pandas as pd


def arrow_schema_of(frame: Any) -> pa.Schema:
    """Read the Arrow schema of a frame without copying it where it can tell.

    Raises:
        SchemaMismatchError: for what is no table, and for a column whose values Arrow cannot hold.
    """
    if isinstance(frame, pa.Schema):
        return frame
    if isinstance(frame, pa.Table | pa.RecordBatch | pa.RecordBatchReader):
        return frame.schema
    if is_pandas(frame):
        return pa.schema([pa.field(name, pandas_column(series, name).type) for name, series in pandas_series(frame)])
    if hasattr(frame, "__arrow_c_stream__"):
        try:
            return pa.RecordBatchReader.from_stream(frame).schema
        except pa.ArrowInvalid as error:
            raise SchemaMismatchError(f"A schema cannot be read from {type(frame).__name__}: it is no table ({error}). Give a frame.") from error
    raise SchemaMismatchError(
        f"A schema cannot be read from {type(frame).__name__}. Give a pandas or Polars frame, or an Arrow table. For a file, use tr.schema_of(path)."
    )


def is_pandas(source: object) -> bool:
    """Tell whether something is a pandas frame, without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns")


def pandas_series(frame: "pd.DataFrame") -> Iterator[tuple[str, "pd.Series[Any]"]]:
    """Give a pandas frame's columns by name, then the named levels of its index; an index without a name is no column.

    Raises:
        SchemaMismatchError: for a column that has no text as its name.
    """
    levels = [(name, frame.index.get_level_values(place).to_series()) for place, name in enumerate(frame.index.names) if name is not None]
    for name, series in (*frame.items(), *levels):
        if not isinstance(name, str):
            raise SchemaMismatchError(f"A column of the pandas frame is named {name!r}, which is no text. Rename the columns.")
        yield name, series


def pandas_column(series: "pd.Series[Any]", name: str) -> pa.Array | pa.ChunkedArray:
    """Turn a pandas column into an Arrow array.

    Raises:
        SchemaMismatchError: for values of more than one kind, and values that Arrow does not know.
    """
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
    except (pa.ArrowException, ValueError, TypeError) as error:
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
