"""Makes the data of lookups: groups in a store on a folder, ingested by treering itself, and labels beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import treering as tr
from contestants.answers import ROW

if TYPE_CHECKING:
    from treering.feature_groups.feature_group import FeatureGroup

TIME = pa.timestamp("us", tz="UTC")
START = 1_704_067_200_000_000
"""2024-01-01T00:00Z in microseconds."""
YEAR = 365 * 86_400_000_000
_FRACTIONAL = tr.FeatureType.FRACTIONAL


def times(microseconds: np.ndarray) -> pa.Array:
    """Turn microseconds since 1970 into Arrow's timestamps."""
    return pa.array(microseconds, pa.int64()).cast(TIME)


def feature_names(group: str, features: int) -> list[str]:
    """Name a group's features, so that no two groups share a name."""
    return [f"{group}_f{number}" for number in range(features)]


def create_group(store: tr.Store, name: str, features: int, *, available_at: str | None = None) -> "FeatureGroup":
    """Create a group by `k` with event time `t` and Fractional features."""
    kinds = {"k": tr.FeatureType.INTEGRAL, "t": tr.FeatureType.TIMESTAMP} | ({available_at: tr.FeatureType.TIMESTAMP} if available_at else {})
    schema = tr.Schema((*(tr.Feature(column, kind) for column, kind in kinds.items()), *(tr.Feature(f, _FRACTIONAL) for f in feature_names(name, features))))
    return store.feature_groups.create(name, entity="k", event_time="t", available_at=available_at, schema=schema)


def records(name: str, entities: np.ndarray, event_times: np.ndarray, features: int, seed: int) -> pa.Table:
    """Make records with uniformly random features."""
    random = np.random.default_rng(seed)
    columns = {feature: random.random(len(entities)) for feature in feature_names(name, features)}
    return pa.table({"k": entities, "t": times(event_times), **columns})


def write_labels(data: Path, entities: np.ndarray, moments: np.ndarray) -> None:
    """Write label rows, numbered, to `labels.parquet`."""
    pq.write_table(pa.table({ROW: np.arange(len(entities)), "k": entities, "label_time": times(moments)}), data / "labels.parquet")


def read_labels(data: Path) -> pa.Table:
    """Read the label rows into memory; no contestant is charged for it."""
    return pq.read_table(data / "labels.parquet")


def run_files(data: Path, group: str) -> list[str]:
    """List the sorted runs of a group: plain Parquet files, which every engine can read."""
    return sorted(str(path) for path in (data / "store" / "feature-groups").glob(f"{group}-*/data/*.parquet"))
