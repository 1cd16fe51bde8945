"""Parquet files as a source, row group by row group, with page checksums verified where there are any."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from treering.errors import SchemaMismatchError, SourceError
from treering.sources.batches import Part, SourceBatch, Types, distinct
from treering.sources.digest import ValueDigest
from treering.sources.files import InputFile

_BATCH_ROWS = 131_072


class ParquetSource:
    """Parquet files with the same columns, read one after another."""

    manner = ""

    def __init__(self, description: str, files: tuple[InputFile, ...]) -> None:
        self.description = description
        self.total_bytes = sum(file.size for file in files)
        self.bytes_read = 0
        self._files = files
        self._columns: pa.Schema | None = None
        self._parts: list[Part] = []
        self._digest = ValueDigest()

    def column_names(self) -> tuple[str, ...]:
        """The names of the first file's columns."""
        return tuple(self.arrow_schema().names)

    def arrow_schema(self, schema: Types | None = None) -> pa.Schema:
        """The first file's columns with the types they have."""
        if self._columns is None:
            with _opened(self._files[0]) as file:
                self._columns = file.schema_arrow.remove_metadata()
            distinct(self._columns.names, self._files[0].name)
        return self._columns

    def batches(self, schema: Types | None = None) -> Iterator[SourceBatch]:
        """Read the files in order."""
        self._parts, self._digest, self.bytes_read = [], ValueDigest(), 0
        base = 0
        for file in self._files:
            self._parts.append(Part(file.name, base, "row"))
            for table in self._tables(file):
                self._digest.update(table)
                yield SourceBatch(table, np.arange(base, base + table.num_rows, dtype=np.int64))
                base += table.num_rows

    def parts(self) -> tuple[Part, ...]:
        """The files that have been come to."""
        return tuple(self._parts)

    def digest(self) -> str:
        """SHA-256 of the values."""
        return self._digest.text()

    def content(self) -> str:
        """Decode the files, for their values."""
        again = ParquetSource(self.description, self._files)
        for _ in again.batches():
            pass
        return again.digest()

    def _tables(self, file: InputFile) -> Iterator[pa.Table]:
        before, rows = self.bytes_read, 0
        with _opened(file) as opened:
            try:
                for batch in opened.iter_batches(_BATCH_ROWS):
                    rows += batch.num_rows
                    self.bytes_read = before + file.size * rows // opened.metadata.num_rows
                    yield self._with_first_schema(pa.Table.from_batches([batch]).replace_schema_metadata(None), file.name)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(file, error) from error
        self.bytes_read = before + file.size

    def _with_first_schema(self, table: pa.Table, name: str) -> pa.Table:
        columns = self.arrow_schema()
        if table.schema.equals(columns):
            return table
        for odd in sorted(set(table.column_names) ^ set(columns.names)):
            has, lacks = (name, self._files[0].name) if odd in table.column_names else (self._files[0].name, name)
            raise SchemaMismatchError(f"{has} has a column {odd!r} that {lacks} lacks: files that are read together have the same columns.")
        try:
            return table.select(columns.names).cast(columns)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SchemaMismatchError(f"{name} has other column types than {self._files[0].name}: {error}. Read them one by one.") from error


@contextmanager
def _opened(file: InputFile) -> Iterator[parquet.ParquetFile]:
    with closing(file.open()) as raw:
        try:
            opened = parquet.ParquetFile(raw, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from error
        yield opened


def _damaged(file: InputFile, error: Exception) -> SourceError:
    return SourceError(f"{file.name} is damaged, or is no Parquet file: {error}. Copy or write it again.")
