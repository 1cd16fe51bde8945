"""Definitions <-> JSON: every value names its class in "is", and nothing but these classes can be named."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from treering.errors import StoreFormatError
from treering.schema.feature_group import AvailableAfter, AvailableAtEventTime, AvailableInColumn, FeatureGroupDefinition, Static, TimeZone
from treering.schema.times import Microseconds
from treering.schema.types import Feature, Schema
from treering.schema.view import Lookup, View

_CLASSES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (AvailableAfter, AvailableAtEventTime, AvailableInColumn, Feature, FeatureGroupDefinition, Lookup, Schema, Static, TimeZone, View)
}


def to_json(value: Any) -> Any:
    """Turn a definition into what `json.dumps` takes."""
    if isinstance(value, Static):
        return {"is": "Static"}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Lookup):
        return {"is": "Lookup", **{k: v for k, v in _fields(value).items() if v is not None}}
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__name__, **_fields(value)}
    if isinstance(value, Mapping):
        # Wrapped, because a tag or a feature may itself be named "is".
        return {"is": "Map", "of": {str(key): to_json(item) for key, item in value.items()}}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return _TEXTS[type(value)](value) if type(value) in _TEXTS else value


# Texts that the constructors read as the same value.
_TEXTS: Mapping[type, Callable[[Any], str]] = {Microseconds: lambda length: f"{length}us", datetime: datetime.isoformat}


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: to_json(getattr(value, field.name)) for field in fields(value) if field.init}


def from_json(value: Any) -> Any:
    """Turn JSON back into the definition it was made from.

    Raises:
        StoreFormatError: for a class or a field that this version does not know.
    """
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value["is"] == "Map":
        return {key: from_json(item) for key, item in value["of"].items()}
    cls = _CLASSES.get(value["is"])
    if cls is None:
        raise StoreFormatError(f"A definition holds {value['is']!r}, which this version of treering does not know. Install a newer one.")
    if cls is Static:
        return Static.STATIC
    try:
        return cls(**{key: from_json(item) for key, item in value.items() if key != "is"})
    except TypeError as error:
        raise StoreFormatError(f"A stored {value['is']} has fields that this version of treering does not know ({error}). Install a newer one.") from error
