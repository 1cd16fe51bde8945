"""treering: an offline feature store. A training row sees only what was known at its moment."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treering.feature_groups.selection import Selection
    from treering.point_in_time.labels import Labels
    from treering.recipes import (
        Cast,
        Category,
        Clip,
        Compute,
        DateParts,
        DropColumns,
        DropDuplicates,
        DropMissing,
        FillForward,
        FillMissing,
        Filter,
        Frequency,
        KeepColumns,
        LabelEncode,
        Lag,
        MinMax,
        OneHot,
        ParseTimes,
        Recipe,
        Rename,
        Robust,
        Rolling,
        Standard,
        Strip,
        check_future_invariance,
        step,
        step_across_rows,
    )
    from treering.schema.feature_group import STATIC, TimeZone
    from treering.schema.types import Feature, FeatureType, Schema
    from treering.schema.view import Lookup, View
    from treering.settings import Settings
    from treering.sources.csv import Csv
    from treering.sources.source import schema_of
    from treering.store import Store
    from treering.storeless import Records, lookup
    from treering.training.parameters import XGBoost
    from treering.training.script import Script
    from treering.training_sets.keyed_splits import ColumnSplit, GroupSplit, HashSplit
    from treering.training_sets.splits import TimeSplit

__version__ = "0.1.0"

_HOMES = {
    "Cast": "recipes",
    "Category": "recipes",
    "Clip": "recipes",
    "ColumnSplit": "training_sets.keyed_splits",
    "Compute": "recipes",
    "Csv": "sources.csv",
    "DateParts": "recipes",
    "DropColumns": "recipes",
    "DropDuplicates": "recipes",
    "DropMissing": "recipes",
    "Feature": "schema.types",
    "FeatureType": "schema.types",
    "FillForward": "recipes",
    "FillMissing": "recipes",
    "Filter": "recipes",
    "Frequency": "recipes",
    "GroupSplit": "training_sets.keyed_splits",
    "HashSplit": "training_sets.keyed_splits",
    "KeepColumns": "recipes",
    "LabelEncode": "recipes",
    "Labels": "point_in_time.labels",
    "Lag": "recipes",
    "Lookup": "schema.view",
    "MinMax": "recipes",
    "OneHot": "recipes",
    "ParseTimes": "recipes",
    "Recipe": "recipes",
    "Records": "storeless",
    "Rename": "recipes",
    "Robust": "recipes",
    "Rolling": "recipes",
    "STATIC": "schema.feature_group",
    "Schema": "schema.types",
    "Script": "training.script",
    "Selection": "feature_groups.selection",
    "Settings": "settings",
    "Standard": "recipes",
    "Store": "store",
    "Strip": "recipes",
    "TimeSplit": "training_sets.splits",
    "TimeZone": "schema.feature_group",
    "View": "schema.view",
    "XGBoost": "training.parameters",
    "check_future_invariance": "recipes",
    "lookup": "storeless",
    "schema_of": "sources.source",
    "step": "recipes",
    "step_across_rows": "recipes",
}

__all__ = [
    "STATIC",
    "Cast",
    "Category",
    "Clip",
    "ColumnSplit",
    "Compute",
    "Csv",
    "DateParts",
    "DropColumns",
    "DropDuplicates",
    "DropMissing",
    "Feature",
    "FeatureType",
    "FillForward",
    "FillMissing",
    "Filter",
    "Frequency",
    "GroupSplit",
    "HashSplit",
    "KeepColumns",
    "LabelEncode",
    "Labels",
    "Lag",
    "Lookup",
    "MinMax",
    "OneHot",
    "ParseTimes",
    "Recipe",
    "Records",
    "Rename",
    "Robust",
    "Rolling",
    "Schema",
    "Script",
    "Selection",
    "Settings",
    "Standard",
    "Store",
    "Strip",
    "TimeSplit",
    "TimeZone",
    "View",
    "XGBoost",
    "check_future_invariance",
    "lookup",
    "schema_of",
    "step",
    "step_across_rows",
]


def __getattr__(name: str) -> Any:
    """Load a part of the API when it is first asked for, so that importing treering loads no heavy library (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'treering' has no attribute {name!r}")
    value = getattr(import_module(f"treering.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
