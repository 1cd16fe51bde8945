"""A temporary file without a name, through which tables reach another process that maps it into memory."""

import os
import tempfile
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import pyarrow as pa

_ALIGNMENT = 64


class Spool:
    """Takes tables; the other process gets a descriptor that can only read.

    Args:
        folder: where the file lies; None means the system's own folder.
    """

    def __init__(self, folder: str | None) -> None:
        descriptor, path = tempfile.mkstemp(prefix="treering-sql-", dir=folder)
        os.close(descriptor)
        self._sink = pa.OSFile(path, "wb")
        self.descriptor = os.open(path, os.O_RDONLY)
        # Open files outlive their names, and nobody has to clean up after a killed process.
        os.unlink(path)  # noqa: PTH108

    def write(self, schema: pa.Schema, tables: Iterable[pa.Table]) -> tuple[int, int]:
        """Write one table, part by part, and say where it begins and ends."""
        self._sink.write(b"\0" * (-self._sink.tell() % _ALIGNMENT))
        start = self._sink.tell()
        with pa.ipc.new_stream(self._sink, schema) as writer:
            for table in tables:
                writer.write_table(table.select(schema.names).cast(schema))
        self._sink.flush()
        return start, self._sink.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._sink.close()
        os.close(self.descriptor)
