"""What to look up: one lookup is one group's features for a label's key; a view is a named list of lookups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import index
from types import MappingProxyType
from typing import Self, SupportsIndex

from treering.errors import InvalidDefinitionError
from treering.schema.names import as_names, check_name
from treering.schema.times import Duration, Microseconds, Moment, duration_text, microseconds, microseconds_at, moment_at, time_text
from treering.schema.types import text_tags


@dataclass(frozen=True, slots=True)
class Lookup:
    """The features of one group, as known at each label's time.

    Attributes:
        group: the feature group's name.
        on: the label columns that hold the entity's key, in the entity's order; empty means columns of the same names.
        features: output name by feature name, in the order asked for; None means every feature of the group.
        prefix: put before the output name of every feature that has no name of its own.
        max_age: given as text such as "6h", a `timedelta` or seconds, kept in microseconds; an older answer gives nulls. None
            means any age.
        strictly_before: see only records known before the label's time, not at it.
        as_of: a commit number, or a time in UTC: see only what was committed by then. None means everything committed now.
        with_event_time: also return the event time of the record that answered.
        with_age: also return its age at the label's time, in seconds.
    """

    group: str
    on: tuple[str, ...] = ()
    features: Mapping[str, str] | None = None
    prefix: str = ""
    max_age: Microseconds | None = None
    strictly_before: bool = False
    as_of: int | datetime | None = None
    with_event_time: bool = False
    with_age: bool = False

    # What is kept is of a kind that the constructor takes with the same meaning, so that `replace` and stored JSON go through it.
    def __init__(
        self,
        group: str,
        *,
        on: str | Iterable[str] = (),
        features: Iterable[str] | Mapping[str, str] | None = None,
        prefix: str = "",
        max_age: Duration | None = None,
        strictly_before: bool = False,
        as_of: SupportsIndex | Moment | None = None,
        with_event_time: bool = False,
        with_age: bool = False,
    ) -> None:
        """Check and keep what is asked for; durations may be text such as "6h", and `as_of` a commit or a time.

        Raises:
            InvalidDefinitionError: for an empty or repeated list of features, output names that are empty or equal, a
                duration or a time that cannot be read, and a commit that cannot exist.
        """
        set_ = object.__setattr__
        set_(self, "group", check_name(group, "feature group"))
        set_(self, "on", _label_columns(group, on))
        set_(self, "features", None if features is None else _aliases(group, features))
        set_(self, "prefix", prefix)
        set_(self, "max_age", None if max_age is None else Microseconds(microseconds(max_age, "max_age")))
        set_(self, "strictly_before", strictly_before)
        set_(self, "as_of", None if as_of is None else _commit_or_time(as_of))
        set_(self, "with_event_time", with_event_time)
        set_(self, "with_age", with_age)
        self._check_output_names()

    def _check_output_names(self) -> None:
        seen: dict[str, str] = {}
        for feature in self.features or ():
            name = self.output_name(feature)
            other = seen.setdefault(name.lower(), feature)
            if other != feature:
                called = repr(name) if self.output_name(other) == name else f"{self.output_name(other)!r} and {name!r}, which differ only by case"
                raise InvalidDefinitionError(f"{other!r} and {feature!r} of {self.group!r} would both be called {called}. Give one of them another name.")

    def __repr__(self) -> str:
        aliases = self.features
        renamed = aliases is not None and any(feature != name for feature, name in aliases.items())
        shown = {
            "on": list(self.on),
            "features": None if aliases is None else dict(aliases) if renamed else list(aliases),
            "prefix": self.prefix,
            "max_age": None if self.max_age is None else duration_text(self.max_age),
            "strictly_before": self.strictly_before,
            "as_of": self.as_of if self.as_of_time is None else time_text(self.as_of_time),
            "with_event_time": self.with_event_time,
            "with_age": self.with_age,
        }
        said = [f", {name}={value!r}" for name, value in shown.items() if value is not None and value is not False and value not in ("", [])]
        return f"Lookup({self.group!r}{''.join(said)})"

    @property
    def as_of_time(self) -> int | None:
        """The time of `as_of` in microseconds, which stands for the last commit at or before it; None where it is no time."""
        return microseconds_at(self.as_of, "as_of") if isinstance(self.as_of, datetime) else None

    def seen_strictly_before(self) -> Self:
        """Return the lookup with `strictly_before` in force."""
        return replace(self, strictly_before=True)

    def output_name(self, feature: str) -> str:
        """The name that a feature has in the result."""
        alias = (self.features or {}).get(feature, feature)
        return alias if alias != feature else f"{self.prefix}{feature}"


def _label_columns(group: str, on: str | Iterable[str]) -> tuple[str, ...]:
    if isinstance(on, Mapping):
        raise InvalidDefinitionError(
            f"`on` of the lookup of {group!r} lists the labels' columns, in the order of the group's entity, and is no mapping. Write on={list(on)!r} "
            f"if these are the labels' names, on={list(on.values())!r} if those are."
        )
    return as_names(on, f"`on` of the lookup of {group!r}")


def _aliases(group: str, features: Iterable[str] | Mapping[str, str]) -> Mapping[str, str]:
    if isinstance(features, str):
        features = (features,)
    pairs = dict(features) if isinstance(features, Mapping) else {}
    if not isinstance(features, Mapping):
        for name in features:
            if name in pairs:
                raise InvalidDefinitionError(f"The lookup of {group!r} asks for {name!r} twice; drop one, or look the group up twice with a prefix.")
            pairs[name] = name
    if not pairs:
        raise InvalidDefinitionError(f"The lookup of {group!r} asks for no feature; name some, or leave `features` out to get all.")
    for feature, name in pairs.items():
        if not (isinstance(feature, str) and isinstance(name, str) and name):
            raise InvalidDefinitionError(
                f"The lookup of {group!r} would call {feature!r} {name!r}: both have to be names. Write features={{'feature': 'name'}}."
            )
    return MappingProxyType(pairs)


def _commit_or_time(as_of: SupportsIndex | Moment) -> int | datetime:
    if isinstance(as_of, bool):
        raise InvalidDefinitionError(f"as_of={as_of} is neither a commit nor a time. Give a commit's number, or a time such as '2013-10-01T00:00Z'.")
    try:
        commit = index(as_of)  # type: ignore[arg-type]  # what is no whole number is a time
    except TypeError:
        return moment_at(microseconds_at(as_of, "as_of"))  # type: ignore[arg-type]
    if commit < 0:
        raise InvalidDefinitionError(f"Commits count from 1; 0 is before the first; {commit} is none. Give as_of a commit's number or a time.")
    return commit


@dataclass(frozen=True, slots=True)
class View:
    """A named list of lookups that training sets are built from.

    Attributes:
        name: by SageMaker's rule.
        lookups: in the order of their output columns.
    """

    name: str
    lookups: tuple[Lookup, ...]
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "view")
        object.__setattr__(self, "tags", text_tags(self.tags, f"view {self.name!r}"))
        object.__setattr__(self, "lookups", lookups_of(self.lookups))
        if not self.lookups:
            raise InvalidDefinitionError(f"View {self.name!r} has no lookups.")

    def __repr__(self) -> str:
        lines = [f"View {self.name!r}" + (f": {self.description}" if self.description else "")]
        return "\n".join([*lines, *(f"  {lookup!r}" for lookup in self.lookups)])

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the feature groups that the view reads."""
        return tuple(dict.fromkeys(lookup.group for lookup in self.lookups))


def lookups_of(lookups: "View | Lookup | Iterable[Lookup]") -> tuple[Lookup, ...]:
    """List what is to be looked up, however it is given: a view, one lookup, or several.

    Raises:
        InvalidDefinitionError: for anything that is no lookup.
    """
    if isinstance(lookups, View):
        return lookups.lookups
    if isinstance(lookups, Lookup):
        return (lookups,)
    given = tuple(lookups) if isinstance(lookups, Iterable) and not isinstance(lookups, str) else (lookups,)
    for one in given:
        if isinstance(one, str):
            raise InvalidDefinitionError(f"A lookup is tr.Lookup({one!r}), not the text {one!r}.")
        if not isinstance(one, Lookup):
            raise InvalidDefinitionError(f"A lookup is made by tr.Lookup('group', ...), and {type(one).__name__} is none.")
    return given
