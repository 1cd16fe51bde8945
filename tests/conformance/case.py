"""The words that cases are written in: a group, what happened to it, labels, and what a lookup has to answer.

Every time is a whole number of microseconds since 1970 in UTC, unless a column's form says otherwise. Nothing here
knows the library under test, so that any other engine can be held against the same cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MATCHED = "matched"
OUTCOMES = (MATCHED, "no_history", "not_yet_known", "deleted", "expired")


def moment(text: str) -> int:
    """Read a time in UTC, such as "2026-03-08 07:00", as microseconds since 1970."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution


def day(number: int, hours: int = 0, *, microseconds: int = 0) -> int:
    """Count microseconds to a day of January 2026, and on from there."""
    return moment("2026-01-01") + (number - 1) * DAY + hours * HOUR + microseconds


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone of times written without one; doubtful local times are an "error", the "earliest" or the "latest"."""

    name: str
    ambiguous: str = "error"
    nonexistent: str = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is declared about the feature group of a case.

    Attributes:
        columns: feature type by column name; rows list their values in this order. A vector is "Vector(2)".
        identifier: the record identifier; empty means the entity.
        event_time: the event time column; None makes the group static.
        available_after: lag in microseconds; available_at: a column. At most one is given.
        date_means: for an event time that is a date: microseconds from the start of the day to what is meant.
        arrives_as: the form in which a column's source holds it, where that is not its type's usual form: "local" is a
            time without a zone, "utc_ns" one in nanoseconds, "berlin" one with another zone, "date" a date.
    """

    columns: Mapping[str, str]
    entity: tuple[str, ...] = ("k",)
    identifier: tuple[str, ...] = ()
    event_time: str | None = "at"
    available_after: int | None = None
    available_at: str | None = None
    time_zone: Zone | None = None
    date_means: int | None = None
    arrives_as: Mapping[str, str] = field(default_factory=dict)

    @property
    def record_identifier(self) -> tuple[str, ...]:
        return self.identifier or self.entity

    @property
    def clocks(self) -> tuple[str, ...]:
        """The columns that say when, not what."""
        return tuple(name for name in (self.event_time, self.available_at) if name)


@dataclass(frozen=True, slots=True)
class Ingest:
    """One ingestion, and so one commit, made when the store's clock says `at`; short rows end in nulls."""

    rows: tuple[tuple[Any, ...], ...]
    at: int
    rewrites_history: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """One deletion of some record identifiers, at `event_time` (None in a static group), made at `at`."""

    identifiers: tuple[tuple[Any, ...], ...]
    event_time: int | None
    at: int


@dataclass(frozen=True, slots=True)
class AddFeature:
    """One more feature, from `at` on."""

    name: str
    type: str
    at: int


Step = Ingest | Delete | AddFeature


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The label rows; forms are by column, as in `Group.arrives_as`. `from_group` makes the group's records the labels."""

    columns: Mapping[str, str] = field(default_factory=lambda: {"k": "int64", "t": "utc"})
    rows: tuple[tuple[Any, ...], ...] = ()
    time: str = "t"
    time_zone: str | None = None
    from_group: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One lookup in the group.

    Attributes:
        on: label columns of the key; empty means the entity's names.
        features: output name by feature name; None means all.
        as_of: the number of the step (from 1) as of whose commit is looked; `as_of_time` is a time instead.
    """

    group: str = "g"
    on: tuple[str, ...] = ()
    features: Mapping[str, str] | None = None
    prefix: str = ""
    max_age: int | None = None
    strictly_before: bool = False
    as_of: int | None = None
    as_of_time: int | None = None
    with_event_time: bool = False
    with_age: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What one lookup gives one label row: an outcome and, where it matched, the features' values."""

    outcome: str
    values: tuple[Any, ...] = ()


def matched(*values: Any) -> Cell:
    """Expect a match, with these values."""
    return Cell(MATCHED, values)


NO_HISTORY, NOT_YET_KNOWN, DELETED, EXPIRED = (Cell(outcome) for outcome in OUTCOMES[1:])


@dataclass(frozen=True, slots=True)
class Refusal:
    """What must be refused: the error's class, by name, and words of its message."""

    error: str
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One claim about what a lookup means.

    Attributes:
        rule: the rule in README.md that says so.
        expected: for each label row a cell, or a cell for each lookup.
        refused: the error, where there must be one; then nothing else is expected.
        columns: names of all output columns, where the case is about them.
        ties, withheld: summed over the lookups; always checked.
        written_after_label, before_feature_existed: checked where they are given.
    """

    name: str
    rule: str
    group: Group
    steps: tuple[Step, ...]
    labels: Labels
    lookups: tuple[Look, ...] = (Look(),)
    expected: tuple[Cell | tuple[Cell, ...], ...] = ()
    refused: Refusal | None = None
    columns: tuple[str, ...] | None = None
    ties: int = 0
    withheld: int = 0
    written_after_label: int | None = None
    before_feature_existed: Mapping[str, int] | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "_")

    @property
    def expected_cells(self) -> list[tuple[Cell, ...]]:
        """The expectations with every row as a tuple of cells."""
        return [(row,) if isinstance(row, Cell) else row for row in self.expected]


@dataclass(frozen=True, slots=True)
class Observed:
    """What an engine, or the oracle, made of a case.

    Attributes:
        columns: names of all output columns, in order.
        carried: for each output row the label's columns, without its time.
        cells: for each output row a cell per lookup.
        counts: for each lookup the counts by name; an engine leaves out what it cannot know.
    """

    columns: tuple[str, ...]
    carried: list[tuple[Any, ...]]
    cells: list[tuple[Cell, ...]]
    counts: list[dict[str, Any]]


PRICES = Group(columns={"k": "Integral", "at": "Timestamp", "price": "Integral"})
LINES = Group(columns={"k": "Integral", "line": "String", "at": "Timestamp", "price": "Integral"}, identifier=("k", "line"))
PLANES = Group(columns={"k": "Integral", "seats": "Integral"}, event_time=None)


def load(*rows: tuple[Any, ...], at: int = day(30), rewrites_history: bool = False) -> Ingest:
    """Ingest rows; the thirtieth, the usual moment, is after every usual label."""
    return Ingest(rows, at, rewrites_history)


def labels(*rows: tuple[Any, ...], columns: Mapping[str, str] | None = None, time_zone: str | None = None) -> Labels:
    """Write labels of a key and a time, or of other columns."""
    return Labels(columns=columns or {"k": "int64", "t": "utc"}, rows=rows, time_zone=time_zone)


def features(*names: str) -> Mapping[str, str]:
    """Ask for features under their own names."""
    return {name: name for name in names}
