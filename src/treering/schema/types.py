"""The types a feature can have, features, and schemas: SageMaker's three types, and three more."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from treering.errors import FeatureNotFoundError, InvalidDefinitionError, SchemaMismatchError
from treering.schema.arrow import arrow_schema_of
from treering.schema.names import check_column_names, check_name

MAXIMUM_FEATURES = 2_500
MAXIMUM_DIMENSION = 8_192


class FeatureType(StrEnum):
    """What the values of a feature are.

    `Integral` (64-bit), `Fractional` (64-bit float) and `String` (UTF-8) are SageMaker's. `Boolean`, `Timestamp`
    (microseconds, UTC) and `Vector` (a fixed number of 32-bit floats) are treering's own.
    """

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    BOOLEAN = "Boolean"
    TIMESTAMP = "Timestamp"
    VECTOR = "Vector"

    @classmethod
    def _missing_(cls, value: object) -> "FeatureType":
        nearest = _meant(str(value).lower())
        hint = f"Did you mean {nearest.value!r}? " if nearest else ""
        raise InvalidDefinitionError(f"No type {value!r}. {hint}There are: {', '.join(repr(type.value) for type in cls)}.")


# What other systems call the types.
_FOREIGN = {
    "int": FeatureType.INTEGRAL,
    "float": FeatureType.FRACTIONAL,
    "double": FeatureType.FRACTIONAL,
    "decimal": FeatureType.FRACTIONAL,
    "str": FeatureType.STRING,
    "text": FeatureType.STRING,
    "bool": FeatureType.BOOLEAN,
    "time": FeatureType.TIMESTAMP,
    "date": FeatureType.TIMESTAMP,
    "list": FeatureType.VECTOR,
    "array": FeatureType.VECTOR,
}


def _meant(lowered: str) -> FeatureType | None:
    own = {type.value.lower(): type for type in FeatureType}
    close = get_close_matches(lowered, own, n=1)
    return own[close[0]] if close else next((type for word, type in _FOREIGN.items() if word in lowered), None)


VECTOR_ELEMENT = pa.field("element", pa.float32(), nullable=False)
_ARROW: Mapping[FeatureType, pa.DataType] = {
    FeatureType.INTEGRAL: pa.int64(),
    FeatureType.FRACTIONAL: pa.float64(),
    FeatureType.STRING: pa.string(),
    FeatureType.BOOLEAN: pa.bool_(),
    FeatureType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    FeatureType.VECTOR: pa.list_(VECTOR_ELEMENT),
}
_NO_TAGS: Mapping[str, str] = MappingProxyType({})


def text_tags(tags: Mapping[str, str], what: str) -> dict[str, str]:
    """Return tags as a dict of their own, if they are texts by texts.

    >>> text_tags({"unit": "F"}, "feature 'temp'")
    {'unit': 'F'}

    Raises:
        InvalidDefinitionError: for anything else, which a document could not hold.
    """
    if not isinstance(tags, Mapping) or not all(isinstance(text, str) for tag in tags.items() for text in tag):
        raise InvalidDefinitionError(f"The tags of {what} are {tags!r}; give texts by texts, such as tags={{'team': 'operations'}}.")
    return dict(tags)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a feature group.

    Attributes:
        name: by SageMaker's rule, 1 to 64 letters, digits, '-' and '_'.
        type: what its values are.
        dimension: the number of elements of a Vector (1 to 8192); None for every other type.
    """

    name: str
    type: FeatureType
    dimension: int | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: _NO_TAGS)
    owner: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "feature")
        object.__setattr__(self, "type", FeatureType(self.type))
        text_tags(self.tags, f"feature {self.name!r}")
        if (self.type is FeatureType.VECTOR) != (self.dimension is not None):
            raise InvalidDefinitionError(f"Feature {self.name!r} is a {self.type}: a Vector needs a dimension, and nothing else has one.")
        if self.dimension is not None and not 1 <= self.dimension <= MAXIMUM_DIMENSION:
            raise InvalidDefinitionError(f"Feature {self.name!r} has dimension {self.dimension}; it has to be from 1 to {MAXIMUM_DIMENSION}.")

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type that values of this feature are kept in."""
        return _ARROW[self.type]

    @property
    def type_text(self) -> str:
        """The type as a person writes it: `Integral`, `Vector(384)`."""
        return f"Vector({self.dimension})" if self.dimension else str(self.type)


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a feature group, in order; features are looked up by name."""

    features: tuple[Feature, ...]
    _by_name: Mapping[str, Feature] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        if not 1 <= len(self.features) <= MAXIMUM_FEATURES:
            raise InvalidDefinitionError(f"A feature group has 1 to {MAXIMUM_FEATURES} features; this schema has {len(self.features)}.")
        for feature in self.features:
            if not isinstance(feature, Feature):
                raise InvalidDefinitionError(f"A schema is made of tr.Feature, and {feature!r} is none. tr.Schema.of(frame) infers one from data.")
        check_column_names(feature.name for feature in self.features)
        object.__setattr__(self, "_by_name", {feature.name: feature for feature in self.features})

    @classmethod
    def of(cls, frame: Any, /, **types: FeatureType | str) -> "Schema":
        """Infer a schema from data that is in memory: a pandas or Polars frame, or an Arrow table or schema.

        Args:
            frame: anything pyarrow can make a table of; the named levels of a pandas frame's index are columns.
            **types: types by column name, where the inferred one is not wanted.

        Raises:
            SchemaMismatchError: for a column whose type no feature type can hold, and data that is no table.
            InvalidNameError: for column names that cannot be told apart, or break the rule.
            InvalidDefinitionError: for a type that does not exist.
        """
        arrow = arrow_schema_of(frame)
        for name in types:
            if name not in arrow.names:
                raise FeatureNotFoundError.among("column", name, arrow.names, "the frame")
        return cls(tuple(feature_of(column, types.get(column.name)) for column in arrow))

    @property
    def names(self) -> tuple[str, ...]:
        """The feature names, in order."""
        return tuple(feature.name for feature in self.features)

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._by_name

    def __getitem__(self, name: str) -> Feature:
        """Find a feature.

        Raises:
            FeatureNotFoundError: with the nearest name.
        """
        return self.named(name)

    def named(self, name: str, *, where: str = "the schema") -> Feature:
        """Find a feature; where there is none, the error says whose schema was searched.

        Raises:
            FeatureNotFoundError: with the nearest name.
        """
        if name not in self:
            raise FeatureNotFoundError.among("feature", str(name), self.names, where)
        return self._by_name[name]

    def with_type(self, name: str, type: FeatureType | str, dimension: int | None = None) -> "Schema":
        """Return a schema in which one feature has another type."""
        changed = replace(self[name], type=FeatureType(type), dimension=dimension)
        return Schema(tuple(changed if feature.name == name else feature for feature in self.features))

    def without(self, *names: str) -> "Schema":
        """Return a schema without some of the features."""
        dropped = {self[name].name for name in names}
        return Schema(tuple(feature for feature in self.features if feature.name not in dropped))

    def adding(self, features: Iterable[Feature]) -> "Schema":
        """Return a schema with more features at its end."""
        return Schema((*self.features, *features))

    def __repr__(self) -> str:
        width = max(len(name) for name in self.names)
        return "\n".join([f"Schema of {len(self)} features", *(f"  {f.name:<{width}}  {f.type_text}" for f in self.features)])


def feature_of(column: pa.Field, wanted: FeatureType | str | None = None) -> Feature:
    """Make the feature that holds an Arrow column."""
    type = FeatureType(wanted) if wanted is not None else inferred_type(column)
    dimension = column.type.list_size if type is FeatureType.VECTOR and pa.types.is_fixed_size_list(column.type) else None
    return Feature(column.name, type, dimension)


def inferred_type(column: pa.Field) -> FeatureType:
    """Choose the feature type for an Arrow column; dates and times are Timestamps, nulls are Strings."""
    for holds, feature_type in _INFERENCE:
        if any(test(column.type) for test in holds):
            return feature_type
    if pa.types.is_dictionary(column.type):
        return inferred_type(pa.field(column.name, column.type.value_type))
    if any(test(column.type) for test in (pa.types.is_list, pa.types.is_large_list)):
        raise SchemaMismatchError(
            f"Column {column.name!r} holds lists ({column.type}). Where all have one length N, declare tr.Feature({column.name!r}, 'Vector', N), or cast the "
            "column to pa.list_(pa.float32(), N)."
        )
    raise SchemaMismatchError(
        f"Column {column.name!r} has Arrow type {column.type}, which no feature type holds. Cast it, or drop it before you infer the schema."
    )


_INFERENCE = (
    ((pa.types.is_boolean,), FeatureType.BOOLEAN),
    ((pa.types.is_integer,), FeatureType.INTEGRAL),
    ((pa.types.is_floating, pa.types.is_decimal), FeatureType.FRACTIONAL),
    ((pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null), FeatureType.STRING),
    ((pa.types.is_timestamp, pa.types.is_date), FeatureType.TIMESTAMP),
    ((pa.types.is_fixed_size_list,), FeatureType.VECTOR),
)
