"""Looked-up rows made by hand: what a lookup would return, without a store's groups behind it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from treering.point_in_time.labels import LabelRows, Labels
from treering.point_in_time.local import LookupPlan
from treering.schema.view import Lookup, View
from treering.settings import Settings
from treering.sources.digest import digest_of
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.storage.roots import open_objects
from treering.training_sets.catalogue import TrainingSets
from treering.training_sets.splits import Split
from treering.training_sets.training_set import TrainingSet

START = 1_380_000_000_000_000
HOUR = 3_600_000_000


class LookedUp(LookupPlan):
    """A plan for a table that has its answers already; columns not named as features are label columns."""

    def __init__(self, table: pa.Table, features: tuple[str, ...] = ("wind", "carrier_delay"), batch_rows: int = 65_536, **labels: Any) -> None:
        meaning = Labels(None, **{"time": "at", "target": "late", "inputs": ["distance"]} | labels)
        moments = table["at"].cast(pa.int64()).to_numpy()
        super().__init__(LabelRows(meaning, table.drop_columns(list(features)), moments, digest_of(table), None), ())
        whole = pa.Table.from_batches(table.to_batches(max_chunksize=batch_rows), schema=table.schema)
        self.__dict__.update(names=features, whole=whole)

    @property
    def features(self) -> tuple[str, ...]:
        return self.names

    def completed(self, columns: object) -> pa.Table:
        return self.whole


class HandMade:
    """Gives the plan that it is given as labels."""

    def open(self, looked: LookedUp) -> Any:
        return SimpleNamespace(plan=lambda lookups: looked)


def flights(rows: int = 2_000, seed: int = 0) -> pa.Table:
    """Flights an hour apart whose being late follows from the wind, the distance and chance; `outcome` would give it away."""
    random = np.random.default_rng(seed)
    wind, distance, delay = random.normal(size=rows), random.integers(100, 3_000, rows), random.gamma(2.0, 10.0, rows)
    late = (wind + distance / 3_000 + random.normal(scale=0.5, size=rows) > 0.5).astype(np.int64)
    times = pa.array(START + np.arange(rows) * HOUR).cast(pa.timestamp("us", tz="UTC"))
    columns = {"at": times, "distance": distance, "outcome": late * 60, "late": late, "wind": wind, "carrier_delay": delay}
    table = pa.table(columns)
    gaps = pa.array(delay, mask=random.random(rows) < 0.1)
    return table.set_column(table.column_names.index("carrier_delay"), "carrier_delay", gaps)


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """Replace a column, or add one at the end."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, pa.array(values))
    return table.append_column(name, pa.array(values))


def local_store(root: Path | str) -> tuple[Objects, Documents]:
    objects = open_objects(root, Settings())
    return objects, Documents(objects, lambda: START)


def training_sets(root: Path | str, clock: int = START) -> TrainingSets:
    """The training sets of a store in a folder; what they are asked to look up is the result itself."""
    objects, documents = local_store(root)
    return TrainingSets(objects, documents, HandMade(), View, lambda: clock)


def build_set(root: Path | str, looked: LookedUp | None = None, *, name: str = "late", split: Split | None = None) -> TrainingSet:
    """Build a training set under a root from hand-made rows."""
    return training_sets(root).build(name, Lookup("weather"), LookedUp(flights()) if looked is None else looked, split=split)
