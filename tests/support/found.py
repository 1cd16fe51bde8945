"""A training set's content made by hand, as its warnings are given it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from treering.schema.fitted import FittedSteps
from treering.training_sets.receipt import LabelRoles
from treering.training_sets.splits import TimeSplit
from treering.training_sets.warnings import Found

HOUR = 3_600_000_000
START = 1_357_000_000_000_000


def found(
    columns: Mapping[str, Any],
    target: str | None = None,
    *,
    keys: tuple[str, ...] = (),
    fitted: Mapping[str, tuple[FittedSteps, ...]] | None = None,
    held_back: float = 0.2,
) -> Found:
    """Rows an hour apart, the last of them the test split; every column but the target feeds a model."""
    table = pa.table(columns)
    times = START + np.arange(table.num_rows, dtype=np.int64) * HOUR
    codes = TimeSplit.fractions(test=held_back).assign(times, table).indices.to_numpy()
    features = tuple(name for name in table.column_names if name != target)
    roles = LabelRoles(() if target is None else (target,), None, target, (), None)
    return Found(codes, times, table, roles, keys, features, fitted or {})
