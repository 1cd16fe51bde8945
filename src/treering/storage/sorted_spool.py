"""A bounded external sort: rows come in any order and leave in run order, whole entities at a time."""

import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from treering.storage.sorting import run_order

_SAMPLES_PER_CHUNK = 16


class SortedSpool:
    """Takes tables, keeps a bounded part in memory and the rest sorted in temporary files, gives chunks in run order.

    Memory follows `chunk_bytes`, and the largest single entity: an entity is never split between chunks.
    """

    def __init__(self, entity: Sequence[str], *, chunk_bytes: int, folder: str | None = None) -> None:
        self._entity, self._chunk_bytes, self._folder = tuple(entity), chunk_bytes, folder
        self._waiting: list[pa.Table] = []
        self._waiting_bytes = 0
        self._sorted: list[pa.Table] = []
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._waiting, self._sorted = [], []
        if self._temporary is not None:
            self._temporary.cleanup()

    def add(self, table: pa.Table) -> None:
        """Take rows; every table has the same columns."""
        if table.num_rows == 0:
            return
        self._waiting.append(table)
        self._waiting_bytes += table.nbytes
        if self._waiting_bytes >= self._chunk_bytes:
            self._spill()

    def chunks(self) -> Iterator[pa.Table]:
        """Give all rows in run order; can be asked for again."""
        if self._waiting and self._sorted:
            self._spill()
        elif self._waiting:
            self._sorted = [self._take_waiting()]
        if len(self._sorted) > 1:
            yield from self._merged()
        else:
            yield from self._sorted

    def _take_waiting(self) -> pa.Table:
        table = pa.concat_tables(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        return table.take(pa.array(run_order(table, self._entity)))

    def _spill(self) -> None:
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="treering-sort-", dir=self._folder)
        path = Path(self._temporary.name) / f"{len(self._sorted):06d}.arrow"
        table = self._take_waiting()
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=65_536)
        del table
        # Memory-mapped: the pages are the file system's to drop, not ours to hold.
        self._sorted.append(pa.ipc.open_file(pa.memory_map(str(path))).read_all())

    def _merged(self) -> Iterator[pa.Table]:
        lows = [0] * len(self._sorted)
        for splitter in [*self._splitters(), None]:
            highs = [len(table) if splitter is None else self._position(table, splitter) for table in self._sorted]
            chunk = pa.concat_tables([table.slice(low, high - low) for table, low, high in zip(self._sorted, lows, highs, strict=True)])
            lows = highs
            if chunk.num_rows:
                yield chunk.take(pa.array(run_order(chunk, self._entity)))

    def _splitters(self) -> list[tuple[Any, ...]]:
        chunks = max(1, round(sum(table.nbytes for table in self._sorted) / self._chunk_bytes))
        samples: list[tuple[Any, ...]] = []
        for table in self._sorted:
            step = max(1, len(table) // (chunks * _SAMPLES_PER_CHUNK))
            samples += [self._key(table, row) for row in range(0, len(table), step)]
        samples.sort()
        chosen = [samples[len(samples) * chunk // chunks] for chunk in range(1, chunks)]
        return sorted(set(chosen))

    def _key(self, table: pa.Table, row: int) -> tuple[Any, ...]:
        return tuple(table[name][row].as_py() for name in self._entity)

    def _position(self, table: pa.Table, splitter: tuple[Any, ...]) -> int:
        return bisect_left(range(len(table)), splitter, key=lambda row: self._key(table, row))
