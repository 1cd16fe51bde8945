"""treering: an offline feature store. A training row sees only what was known at its moment."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treering.feature_groups.selection import Selection
    from treering.point_in_time.labels import Labels
    from treering.recipes import DropMissing, FillMissing, Filter, LabelEncode, MinMax, OneHot, Recipe, Standard, step
    from treering.schema.feature_group import STATIC, TimeZone
    from treering.schema.types import Feature, FeatureType, Schema
    from treering.schema.view import Lookup, View
    from treering.settings import Settings
    from treering.sources.csv import Csv
    from treering.sources.source import schema_of
    from treering.store import Store
    from treering.storeless import Records, lookup
    from treering.training.parameters import XGBoost
    from treering.training_sets.splits import TimeSplit

__version__ = "0.1.0"

_HOMES = {
    "Csv": "sources.csv",
    "DropMissing": "recipes",
    "Feature": "schema.types",
    "FeatureType": "schema.types",
    "FillMissing": "recipes",
    "Filter": "recipes",
    "LabelEncode": "recipes",
    "Labels": "point_in_time.labels",
    "Lookup": "schema.view",
    "MinMax": "recipes",
    "OneHot": "recipes",
    "Recipe": "recipes",
    "Records": "storeless",
    "STATIC": "schema.feature_group",
    "Schema": "schema.types",
    "Selection": "feature_groups.selection",
    "Settings": "settings",
    "Standard": "recipes",
    "Store": "store",
    "TimeSplit": "training_sets.splits",
    "TimeZone": "schema.feature_group",
    "View": "schema.view",
    "XGBoost": "training.parameters",
    "lookup": "storeless",
    "schema_of": "sources.source",
    "step": "recipes",
}

__all__ = [
    "STATIC",
    "Csv",
    "DropMissing",
    "Feature",
    "FeatureType",
    "FillMissing",
    "Filter",
    "LabelEncode",
    "Labels",
    "Lookup",
    "MinMax",
    "OneHot",
    "Recipe",
    "Records",
    "Schema",
    "Selection",
    "Settings",
    "Standard",
    "Store",
    "TimeSplit",
    "TimeZone",
    "View",
    "XGBoost",
    "lookup",
    "schema_of",
    "step",
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
