"""Rows leave the external sort as an in-memory sort would leave them, in bounded pieces, and nothing stays behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from treering.storage.sorted_spool import SortedSpool

MICROS = pa.timestamp("us", tz="UTC")


def text_key(numbers: np.ndarray) -> pa.Array:
    return pa.array([f"é{number}" if number % 3 else f"z{number}" for number in numbers])


def time_key(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers * 1_000_000_007 - 10**12).cast(MICROS)


KEYS: dict[str, dict[str, Callable[[np.ndarray], pa.Array]]] = {
    "whole numbers": {"key": lambda numbers: pa.array(numbers - 20)},
    "text": {"key": text_key},
    "times": {"key": time_key},
    "booleans": {"key": lambda numbers: pa.array(numbers % 2 == 0)},
    "text and whole numbers": {"key": text_key, "part": lambda numbers: pa.array(numbers % 5)},
    "whole numbers and times": {"key": lambda numbers: pa.array(numbers % 7), "part": time_key},
}


def records(kind: str = "whole numbers", rows: int = 3_000, seed: int = 0) -> pa.Table:
    """Shuffled records with many ties in every column of the order; `_row` tells them apart."""
    random = np.random.default_rng(seed)
    columns = {name: make(random.integers(0, 40, rows)) for name, make in KEYS[kind].items()}
    clocks = {name: pa.array(random.integers(0, 5, rows)).cast(MICROS) for name in ("_known_at", "_event_time")}
    return pa.table(columns | clocks | {"_row": random.permutation(rows), "value": random.normal(size=rows)})


def plainly_sorted(table: pa.Table, kind: str) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: tuple(row[name] for name in (*KEYS[kind], "_known_at", "_event_time", "_row")))


def sorted_by(spool: SortedSpool, table: pa.Table, batch_rows: int = 100) -> list[pa.Table]:
    for start in range(0, len(table), batch_rows):
        spool.add(table.slice(start, batch_rows))
    return list(spool.chunks())


@pytest.mark.parametrize("chunk_bytes", [1, 10_000, 50_000, 10**9])
@pytest.mark.parametrize("kind", KEYS)
def test_the_order_is_that_of_a_sort_in_memory(kind: str, chunk_bytes: int, tmp_path: Path):
    table = records(kind)
    with SortedSpool(tuple(KEYS[kind]), chunk_bytes=chunk_bytes, folder=str(tmp_path)) as spool:
        chunks = sorted_by(spool, table)
    assert pa.concat_tables(chunks).to_pylist() == plainly_sorted(table, kind)


@pytest.mark.parametrize("kind", KEYS)
def test_an_entity_is_never_split_between_chunks(kind: str, tmp_path: Path):
    with SortedSpool(tuple(KEYS[kind]), chunk_bytes=5_000, folder=str(tmp_path)) as spool:
        chunks = sorted_by(spool, records(kind))
    entities = [set(zip(*(chunk[name].to_pylist() for name in KEYS[kind]), strict=True)) for chunk in chunks]
    assert len(chunks) > 1
    assert sum(map(len, entities)) == len(set().union(*entities))


def test_text_is_ordered_by_its_bytes(tmp_path: Path):
    keys = ["z", "é", "", "Z", "a\u0301", "\U0001f600", "\uffff", "aa", "a"]
    table = pa.table({"key": keys, "_known_at": pa.array([0] * 9).cast(MICROS), "_event_time": pa.array([0] * 9).cast(MICROS), "_row": range(9)})
    with SortedSpool(("key",), chunk_bytes=1, folder=str(tmp_path)) as spool:
        ordered = pa.concat_tables(sorted_by(spool, table, batch_rows=2))["key"].to_pylist()
    assert ordered == sorted(keys, key=lambda key: key.encode())


def test_what_exceeds_the_budget_waits_on_disk(tmp_path: Path):
    table = records(rows=10_000)
    budget = table.nbytes // 8
    with SortedSpool(("key",), chunk_bytes=budget, folder=str(tmp_path)) as spool:
        largest = 0
        for start in range(0, len(table), 100):
            spool.add(table.slice(start, 100))
            largest = max(largest, spool._waiting_bytes)
        spilled = sorted(path.stat().st_size for path in tmp_path.rglob("*.arrow"))
        chunks = [chunk.nbytes for chunk in spool.chunks()]
    assert largest < budget
    assert len(spilled) in (7, 8)
    assert spilled[-1] < 2 * budget
    assert len(chunks) > 4
    assert max(chunks) < 2 * budget


def test_what_fits_stays_in_memory(tmp_path: Path):
    with SortedSpool(("key",), chunk_bytes=10**9, folder=str(tmp_path)) as spool:
        assert len(sorted_by(spool, records())) == 1
        assert list(tmp_path.iterdir()) == []


def test_the_rows_can_be_asked_for_again(tmp_path: Path):
    with SortedSpool(("key",), chunk_bytes=5_000, folder=str(tmp_path)) as spool:
        first = pa.concat_tables(sorted_by(spool, records()))
        assert pa.concat_tables(spool.chunks()).equals(first)


def test_an_empty_sort_gives_nothing(tmp_path: Path):
    with SortedSpool(("key",), chunk_bytes=1, folder=str(tmp_path)) as spool:
        assert list(spool.chunks()) == []


def test_temporary_files_are_gone_afterwards(tmp_path: Path):
    with SortedSpool(("key",), chunk_bytes=5_000, folder=str(tmp_path)) as spool:
        sorted_by(spool, records())
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_are_gone_after_an_error(tmp_path: Path):
    def interrupted() -> None:
        with SortedSpool(("key",), chunk_bytes=5_000, folder=str(tmp_path)) as spool:
            sorted_by(spool, records())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
