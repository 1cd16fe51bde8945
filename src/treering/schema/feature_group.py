"""What a feature group is: its keys, its clocks, its columns. A pure value, checked once, when it is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from treering.errors import FeatureNotFoundError, InvalidDefinitionError
from treering.schema.names import as_names, check_name
from treering.schema.times import MICROSECONDS_PER_DAY, Duration, duration_text, microseconds
from treering.schema.types import Feature, FeatureType, Schema, text_tags

# System columns. SageMaker's three have its names and types; ours begin with an underscore, which no feature name can.
EVENT_TIME = "_event_time"
KNOWN_AT = "_known_at"
API_INVOCATION_TIME = "api_invocation_time"
WRITE_TIME = "write_time"
IS_DELETED = "is_deleted"
COMMIT = "_commit"
INGESTION = "_ingestion"
ROW = "_row"

TIMESTAMP = pa.timestamp("us", tz="UTC")
SYSTEM_COLUMNS: Mapping[str, pa.DataType] = MappingProxyType(
    {
        EVENT_TIME: TIMESTAMP,
        KNOWN_AT: TIMESTAMP,
        API_INVOCATION_TIME: TIMESTAMP,
        WRITE_TIME: TIMESTAMP,
        IS_DELETED: pa.bool_(),
        COMMIT: pa.int64(),
        INGESTION: pa.string(),
        ROW: pa.int64(),
    }
)
"""Columns beside the features in every sorted run, with their Arrow types.

`_event_time` and `_known_at` are the two clocks of a lookup; `_commit` is null in a fresh run, where the table's
metadata hold it; `_row` is the position in the ingestion's source (a file line for CSV).
"""

MAXIMUM_DESCRIPTION = 128
MAXIMUM_TAGS = 50

LocalTimeChoice = Literal["error", "earliest", "latest"]


class Static(Enum):
    """The event time of a group whose records have none and are known always, such as the planes of a fleet."""

    STATIC = "static"

    def __repr__(self) -> str:
        return "tr.STATIC"


STATIC = Static.STATIC


@dataclass(frozen=True, slots=True)
class TimeZone:
    """The zone of times that are written without one, and what its doubtful local times mean.

    Attributes:
        name: an IANA name such as `America/New_York`; `UTC` is one.
        ambiguous: which is meant by a local time that occurs twice, when clocks go back; "error" makes it a bad row.
        nonexistent: which is meant by one that does not occur, when clocks go forward: the last moment before the
            gap ("earliest") or the first after it ("latest"); "error" makes it a bad row.
    """

    name: str
    ambiguous: LocalTimeChoice = "error"
    nonexistent: LocalTimeChoice = "error"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.name)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise InvalidDefinitionError(f"No time zone {self.name!r}: give an IANA name such as 'UTC' or 'America/New_York'.") from None
        for choice in (self.ambiguous, self.nonexistent):
            if choice not in ("error", "earliest", "latest"):
                raise InvalidDefinitionError(f"A doubtful local time is 'error', 'earliest' or 'latest', not {choice!r}.")

    @classmethod
    def of(cls, zone: "str | TimeZone") -> "TimeZone":
        """Return the zone, made from its name if need be."""
        return zone if isinstance(zone, TimeZone) else cls(zone)


@dataclass(frozen=True, slots=True)
class AvailableAtEventTime:
    """Records are taken to be known at their event time: the default, a choice that receipts show."""

    def __str__(self) -> str:
        return "at event time"


@dataclass(frozen=True, slots=True)
class AvailableAfter:
    """Records become known a fixed time after their event time.

    Attributes:
        lag: microseconds, at least 0.
    """

    lag: int

    def __str__(self) -> str:
        return f"{duration_text(self.lag)} after event time"


@dataclass(frozen=True, slots=True)
class AvailableInColumn:
    """Records become known at the time that one of their columns says."""

    column: str

    def __str__(self) -> str:
        return f"as column {self.column!r} says"


Availability = AvailableAtEventTime | AvailableAfter | AvailableInColumn
DateMeaning = Literal["start_of_day", "end_of_day"]


@dataclass(frozen=True, slots=True)
class FeatureGroupDefinition:
    """All that is declared about a feature group.

    Attributes:
        name: by SageMaker's rule.
        entity: the columns that labels look up by.
        record_identifier: the columns that tell records of one moment apart; the entity's, or those and more.
        event_time: the column with the time of the event, or STATIC.
        schema: every column, the entity's and the times' among them.
        availability: when a record becomes known.
        time_zone: the zone of times written without one; None makes such times an error.
        date_means: for an event time that is a date: microseconds from the start of that day (in the time zone) to
            the moment that is meant; None makes dates an error.
        description, tags, owner: for people.
    """

    name: str
    entity: tuple[str, ...]
    event_time: str | Static
    schema: Schema
    record_identifier: tuple[str, ...] = ()
    availability: Availability = AvailableAtEventTime()
    time_zone: TimeZone | None = None
    date_means: int | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "feature group")
        if not isinstance(self.schema, Schema):
            raise InvalidDefinitionError(f"The schema of {self.name!r} is {type(self.schema).__name__}; schema is a tr.Schema: tr.Schema.of(frame).")
        if not isinstance(self.event_time, str | Static):
            raise InvalidDefinitionError(f"The event time of {self.name!r} is {self.event_time!r}; event_time is a column's name, or tr.STATIC.")
        object.__setattr__(self, "entity", tuple(self.entity))
        object.__setattr__(self, "record_identifier", tuple(self.record_identifier) or self.entity)
        self._check_columns_exist()
        self._check_key()
        self._check_times()
        if len(self.description) > MAXIMUM_DESCRIPTION:
            raise InvalidDefinitionError(f"The description of {self.name!r} has {len(self.description)} characters; at most {MAXIMUM_DESCRIPTION} are allowed.")
        object.__setattr__(self, "tags", text_tags(self.tags, repr(self.name)))
        if len(self.tags) > MAXIMUM_TAGS:
            raise InvalidDefinitionError(f"{self.name!r} has {len(self.tags)} tags; at most {MAXIMUM_TAGS} are allowed.")

    def _check_columns_exist(self) -> None:
        named = [*self.entity, *self.record_identifier]
        named += [self.event_time] if isinstance(self.event_time, str) else []
        named += [self.availability.column] if isinstance(self.availability, AvailableInColumn) else []
        for name in named:
            if name not in self.schema:
                raise FeatureNotFoundError.among("column", name, self.schema.names, f"the schema of {self.name!r}")

    def _check_key(self) -> None:
        if not self.entity:
            raise InvalidDefinitionError(f"{self.name!r} has no entity: name the column, or columns, that labels look up by.")
        for what, names in (("entity", self.entity), ("record identifier", self.record_identifier)):
            twice = [name for place, name in enumerate(names) if name in names[:place]]
            if twice:
                raise InvalidDefinitionError(f"The {what} of {self.name!r} names {twice[0]!r} twice; name it once.")
        missing = [name for name in self.entity if name not in self.record_identifier]
        if missing:
            raise InvalidDefinitionError(f"The record identifier of {self.name!r} has to contain its entity; {missing[0]!r} is missing from it.")
        for name in self.record_identifier:
            if self.schema[name].type not in _KEY_TYPES:
                raise InvalidDefinitionError(
                    f"{name!r} identifies records of {self.name!r} and is {self.schema[name].type}: keys are {_KEY_TYPES_TEXT}. Cast the column first."
                )

    def _check_times(self) -> None:
        if isinstance(self.event_time, Static):
            if not isinstance(self.availability, AvailableAtEventTime):
                raise InvalidDefinitionError(f"{self.name!r} is static: its records are known always, so it takes no availability.")
            return
        for role, name in self.time_columns.items():
            if self.schema[name].type not in (FeatureType.TIMESTAMP, FeatureType.STRING, FeatureType.FRACTIONAL):
                raise InvalidDefinitionError(
                    f"The {role} {name!r} of {self.name!r} is {self.schema[name].type}; "
                    "it has to be a Timestamp, or SageMaker's forms: a String (ISO 8601) or a Fractional (seconds since 1970)."
                )
            if name in self.record_identifier:
                raise InvalidDefinitionError(f"The {role} {name!r} of {self.name!r} cannot be part of its record identifier.")

    @property
    def time_columns(self) -> dict[str, str]:
        """The columns that set a record's clocks, by role."""
        columns = {} if isinstance(self.event_time, Static) else {"event time": self.event_time}
        if isinstance(self.availability, AvailableInColumn):
            columns["availability"] = self.availability.column
        return columns

    @property
    def event_time_text(self) -> str:
        """When a record's event is, in a few words: a column, a moment of the day that a column names, or "static"."""
        if self.is_static or self.date_means is None:
            return "static" if self.is_static else str(self.event_time)
        moment = {0: "start", MICROSECONDS_PER_DAY: "end"}.get(self.date_means, f"{duration_text(self.date_means)} after the start")
        return f"{moment} of {self.event_time}"

    @property
    def known_text(self) -> str:
        """When a record becomes known, in a few words."""
        return "always" if self.is_static else str(self.availability)

    @property
    def is_static(self) -> bool:
        """Whether records have no event time and are known always."""
        return isinstance(self.event_time, Static)

    @property
    def lag(self) -> int:
        """The least time in microseconds between an event and its being known."""
        return self.availability.lag if isinstance(self.availability, AvailableAfter) else 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns that a lookup returns when it asks for all: those that are neither keys nor clocks."""
        hidden = {*self.record_identifier, *self.time_columns.values()}
        return tuple(name for name in self.schema.names if name not in hidden)

    @property
    def has_wider_identifier(self) -> bool:
        """Whether one entity can have several records at one moment."""
        return set(self.record_identifier) != set(self.entity)

    def run_schema(self) -> pa.Schema:
        """The Arrow schema of a stored sorted run: the group's columns, then the system columns."""
        columns = [pa.field(feature.name, feature.arrow_type) for feature in self.schema]
        return pa.schema([*columns, *(pa.field(name, type) for name, type in SYSTEM_COLUMNS.items())])

    def adding(self, features: Iterable[Feature]) -> Self:
        """Return the definition with more features."""
        return replace(self, schema=self.schema.adding(features))


_KEY_TYPES = (FeatureType.INTEGRAL, FeatureType.STRING, FeatureType.BOOLEAN, FeatureType.TIMESTAMP)
_KEY_TYPES_TEXT = "Integral, String, Boolean or Timestamp (never Fractional: equality of floats is an accident)"


def define(
    name: str,
    *,
    entity: str | Iterable[str],
    event_time: str | Static,
    schema: Schema,
    record_identifier: str | Iterable[str] = (),
    available_after: Duration | None = None,
    available_at: str | None = None,
    time_zone: str | TimeZone | None = None,
    date_means: DateMeaning | Duration | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    owner: str = "",
) -> FeatureGroupDefinition:
    """Build a definition from what a person writes: names for tuples, text for durations and zones.

    Args:
        available_after: how long after their event time records become known.
        available_at: the column with the time at which a record became known.
        date_means: for event times that are dates: "start_of_day", "end_of_day" (the first moment of the next day),
            or a time after the start of the day, such as "30h".

    Raises:
        InvalidDefinitionError: for parts that contradict each other; the message says which.
    """
    if available_after is not None and available_at is not None:
        raise InvalidDefinitionError(f"{name!r} declares both available_after and available_at; keep one.")
    availability: Availability = AvailableAtEventTime()
    if available_after is not None:
        availability = AvailableAfter(microseconds(available_after, "available_after"))
    elif available_at is not None:
        availability = AvailableInColumn(available_at)
    return FeatureGroupDefinition(
        name=name,
        entity=as_names(entity, f"The entity of {name!r}"),
        event_time=event_time,
        schema=schema,
        record_identifier=as_names(record_identifier, f"The record identifier of {name!r}"),
        availability=availability,
        time_zone=None if time_zone is None else TimeZone.of(time_zone),
        date_means=None if date_means is None else _after_start_of_day(date_means),
        description=description,
        tags=dict(tags or {}),
        owner=owner,
    )


_DAYS: Mapping[str, Duration] = {"start_of_day": "0s", "end_of_day": "1d"}


def _after_start_of_day(date_means: DateMeaning | Duration) -> int:
    try:
        return microseconds(_DAYS.get(str(date_means), date_means), "date_means")
    except InvalidDefinitionError as error:
        raise InvalidDefinitionError(f"{error} Or say 'start_of_day' or 'end_of_day'.") from None
