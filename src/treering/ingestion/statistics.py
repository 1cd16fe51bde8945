"""Statistics of an ingestion's rows, taken as they pass: exact figures by batch, and a sample for what needs the values side by side."""

import json
import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.schema.column_statistics import TOP_VALUES, ColumnStatistics, Histogram, Number, deviation_of, edges_between, points_of, top_values
from treering.schema.statistics import GroupStatistics
from treering.schema.types import Feature, FeatureType, Schema
from treering.storage.objects import Objects, create_own

SAMPLED_ROWS = 10_000
_LONGEST_TEXT = 40
_READERS = 16
_NUMBERS = (FeatureType.INTEGRAL, FeatureType.FRACTIONAL)
_COUNTABLE = (FeatureType.INTEGRAL, FeatureType.FRACTIONAL, FeatureType.STRING, FeatureType.BOOLEAN)

Hashes = npt.NDArray[np.uint64]


class Tally:
    """Takes the rows of an ingestion in batches, in bounded memory.

    The sample is the rows whose positions have the lowest hashes, so that it is the same however the rows were cut into batches.
    """

    def __init__(self, schema: Schema, *, sampled_rows: int = SAMPLED_ROWS) -> None:
        self._columns = {feature.name: _Running(feature) for feature in schema}
        sampled = [feature for feature in schema if feature.type is not FeatureType.VECTOR]
        self._sample = _Sample([feature.name for feature in sampled], sampled_rows)

    def add(self, table: pa.Table, positions: np.ndarray) -> None:
        """Take rows in.

        Args:
            table: the group's columns.
            positions: where each row stands in its source.
        """
        for name, column in self._columns.items():
            column.add(table[name])
        self._sample.add(table, positions)

    def finished(self) -> dict[str, ColumnStatistics]:
        """Say what is known of all rows, by column."""
        sample = self._sample.rows()
        return {name: column.finished(sample[name] if name in sample.column_names else None) for name, column in self._columns.items()}


@dataclass(slots=True)
class _Running:
    """What is known exactly of one column's values so far."""

    feature: Feature
    count: int = 0
    nulls: int = 0
    infinite: int = 0
    minimum: Number | None = None
    maximum: Number | None = None
    mean: float = 0.0
    squares: float = 0.0

    def add(self, column: pa.ChunkedArray) -> None:
        nulls = column.null_count
        self.nulls += nulls
        self.count += len(column) - nulls
        kind = self.feature.type
        if len(column) == nulls or not (kind in _NUMBERS or kind is FeatureType.TIMESTAMP):
            return
        given = column.drop_null() if nulls else column
        values = (given.cast(pa.int64()) if kind is FeatureType.TIMESTAMP else given).to_numpy()
        self._note_extremes(values)
        if kind in _NUMBERS and not self.infinite:
            self._note_moments(values)

    def _note_extremes(self, values: np.ndarray) -> None:
        low, high = values.min(), values.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            finite = values[np.isfinite(values)]
            self.infinite += len(values) - len(finite)
            if not len(finite):
                return
            low, high = finite.min(), finite.max()
        self.minimum = low.item() if self.minimum is None else min(self.minimum, low.item())
        self.maximum = high.item() if self.maximum is None else max(self.maximum, high.item())

    def _note_moments(self, values: np.ndarray) -> None:
        """Add a batch's mean and squares to those before, after Chan, Golub and LeVeque (1979)."""
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean(dtype=np.float64))
            distances = values - mean
            # Not a dot product: BLAS would set threads of its own against those that parse.
            squares = float(np.square(distances, out=distances).sum())
            step = mean - self.mean
            self.mean += step * len(values) / self.count
            self.squares += squares + step * step * len(values) * (self.count - len(values)) / self.count

    def finished(self, sample: pa.ChunkedArray | None) -> ColumnStatistics:
        has_mean = self.feature.type in _NUMBERS and self.count > 0 and not self.infinite and math.isfinite(self.mean)
        given = None if sample is None else sample.drop_null()
        return ColumnStatistics(
            type=self.feature.type,
            count=self.count,
            nulls=self.nulls,
            infinite=self.infinite,
            minimum=self.minimum,
            maximum=self.maximum,
            mean=self.mean if has_mean else None,
            deviation=deviation_of(self.squares, self.count) if has_mean else None,
            points=self._points(given),
            top_values=() if given is None else self._top_values(given),
            histogram=self._histogram(given),
        )

    def _finite(self, given: pa.ChunkedArray | None) -> np.ndarray | None:
        if given is None or self.minimum is None:
            return None
        values = (given.cast(pa.int64()) if self.feature.type is FeatureType.TIMESTAMP else given).to_numpy()
        return np.sort(values[np.isfinite(values)])

    def _points(self, given: pa.ChunkedArray | None) -> tuple[Number, ...]:
        values = self._finite(given)
        if values is None or not len(values):
            return ()
        return points_of([(values.tolist(), 1.0)], whole=self.feature.type is FeatureType.TIMESTAMP)

    def _histogram(self, given: pa.ChunkedArray | None) -> Histogram | None:
        values = self._finite(given)
        if values is None or not len(values) or self.minimum is None or self.maximum is None:
            return None
        edges = edges_between(self.minimum, self.maximum, whole=self.feature.type is FeatureType.INTEGRAL)
        if edges is None:
            return None
        below = np.searchsorted(values, edges, side="left").astype(np.float64)
        below[0], below[-1] = 0, len(values)
        return Histogram.of([(edges, below * ((self.count - self.infinite) / len(values)))], edges)

    def _top_values(self, given: pa.ChunkedArray) -> tuple[tuple[object, int], ...]:
        if self.feature.type not in _COUNTABLE or not len(given):
            return ()
        counted = pc.value_counts(given.filter(pc.is_finite(given)) if self.infinite else given)
        if len(counted) > TOP_VALUES:
            # What comes once in a sample is not common.
            counted = counted.filter(pc.greater(counted.field(1), 1))
        scale = self.count / len(given)
        top = top_values(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True))
        return tuple((value, round(count * scale)) for value, count in top)


class _Sample:
    """The rows with the lowest hashes of all that were offered."""

    def __init__(self, names: Sequence[str], size: int) -> None:
        self._names, self._size = list(names), size
        self._tables: list[pa.Table] = []
        self._hashes: list[Hashes] = []
        self._highest: np.uint64 | None = None

    def add(self, table: pa.Table, positions: np.ndarray) -> None:
        hashes = mixed(positions)
        offered = table.select(self._names)
        if self._highest is not None:
            chosen = np.flatnonzero(hashes < self._highest)
            hashes, offered = hashes[chosen], offered.take(pa.array(chosen))
        if not len(hashes):
            return
        if len(hashes) > self._size:
            lowest = np.argpartition(hashes, self._size)[: self._size]
            hashes, offered = hashes[lowest], offered.take(pa.array(lowest))
        self._hashes.append(hashes)
        self._tables.append(_shortened(offered))
        if sum(len(held) for held in self._hashes) >= 2 * self._size:
            self._shrink()

    def rows(self) -> pa.Table:
        self._shrink()
        return self._tables[0] if self._tables else pa.table({})

    def _shrink(self) -> None:
        if not self._tables:
            return
        hashes, table = np.concatenate(self._hashes), pa.concat_tables(self._tables)
        if len(hashes) > self._size:
            lowest = np.argpartition(hashes, self._size)[: self._size]
            hashes, table = hashes[lowest], table.take(pa.array(lowest))
            self._highest = hashes.max()
        self._hashes, self._tables = [hashes], [table]


def mixed(positions: np.ndarray) -> Hashes:
    """Hash positions, each to a number of its own, without any order that they have: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).

    >>> len(set(mixed(np.arange(1000)).tolist()))
    1000
    """
    state = (positions.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(state ^ (state >> np.uint64(31)))


def _shortened(table: pa.Table) -> pa.Table:
    """Cut text before it is held: a sample of long documents would not be small."""
    for place, field in enumerate(table.schema):
        if field.type == pa.string():
            table = table.set_column(place, field.name, _cut(table[field.name]))
    return table


def _cut(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    is_long = pc.greater(pc.utf8_length(texts), _LONGEST_TEXT)
    if not pc.any(is_long).as_py():
        return texts
    cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, _LONGEST_TEXT - 3), "...", "")
    return pc.if_else(is_long, cut, texts)


def keep_statistics(objects: Objects, folder: str, attempt: str, statistics: GroupStatistics) -> str:
    """Keep an ingestion's statistics beside the group's data, under a name that nobody else uses; return their key."""
    key = f"{folder}/statistics/{attempt}.json"
    create_own(objects, key, json.dumps(statistics.to_json(), ensure_ascii=False, allow_nan=False).encode())
    return key


def kept_statistics(objects: Objects, keys: Iterable[str]) -> list[GroupStatistics]:
    """Read the statistics of many ingestions at once."""
    with ThreadPoolExecutor(_READERS, thread_name_prefix="treering-statistics") as pool:
        return list(pool.map(lambda key: GroupStatistics.from_json(json.loads(objects.read(key))), keys))
