"""What to look up: one lookup is one group's features for a label's key; a view is a named list of lookups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from treering.errors import InvalidDefinitionError
from treering.schema.feature_group import _names
from treering.schema.names import check_name
from treering.schema.times import Duration, Moment, duration_text, microseconds, microseconds_at, time_text


@dataclass(frozen=True, slots=True)
class Lookup:
    """The features of one group, as known at each label's time.

    Attributes:
        group: the feature group's name.
        on: the label columns that hold the entity's key, in the entity's order; empty means columns of the same names.
        features: output name by feature name, in the order asked for; None means every feature of the group.
        prefix: put before the output name of every feature that has no name of its own.
        max_age: microseconds; an older answer gives nulls. None means any age.
        strictly_before: see only records known before the label's time, not at it.
        as_of: a commit number: see only what was committed by then. None means everything committed now.
        as_of_time: the same by time, in microseconds: the last commit at or before it.
        with_event_time: also return the event time of the record that answered.
        with_age: also return its age at the label's time, in seconds.
    """

    group: str
    on: tuple[str, ...] = ()
    features: Mapping[str, str] | None = None
    prefix: str = ""
    max_age: int | None = None
    strictly_before: bool = False
    as_of: int | None = None
    as_of_time: int | None = None
    with_event_time: bool = False
    with_age: bool = False

    def __init__(
        self,
        group: str,
        *,
        on: str | Iterable[str] = (),
        features: Iterable[str] | Mapping[str, str] | None = None,
        prefix: str = "",
        max_age: Duration | None = None,
        strictly_before: bool = False,
        as_of: int | Moment | None = None,
        as_of_time: int | None = None,
        with_event_time: bool = False,
        with_age: bool = False,
    ) -> None:
        """Check and keep what is asked for; durations may be text such as "6h", and `as_of` a commit or a time.

        Raises:
            InvalidDefinitionError: for an empty or repeated list of features.
        """
        set_ = object.__setattr__
        set_(self, "group", check_name(group, "feature group"))
        set_(self, "on", _names(on))
        set_(self, "features", None if features is None else _aliases(group, features))
        set_(self, "prefix", prefix)
        set_(self, "max_age", None if max_age is None else microseconds(max_age, "max_age"))
        set_(self, "strictly_before", strictly_before)
        set_(self, "as_of", as_of if isinstance(as_of, int) else None)
        set_(self, "as_of_time", as_of_time if as_of is None or isinstance(as_of, int) else microseconds_at(as_of, "as_of"))
        set_(self, "with_event_time", with_event_time)
        set_(self, "with_age", with_age)

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

    def output_name(self, feature: str) -> str:
        """The name that a feature has in the result."""
        alias = (self.features or {}).get(feature, feature)
        return alias if alias != feature else f"{self.prefix}{feature}"


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
    return MappingProxyType(pairs)


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
        object.__setattr__(self, "lookups", tuple(self.lookups))
        if not self.lookups:
            raise InvalidDefinitionError(f"View {self.name!r} has no lookups.")

    def __repr__(self) -> str:
        lines = [f"View {self.name!r}" + (f": {self.description}" if self.description else "")]
        return "\n".join([*lines, *(f"  {lookup!r}" for lookup in self.lookups)])

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the feature groups that the view reads."""
        return tuple(dict.fromkeys(lookup.group for lookup in self.lookups))
