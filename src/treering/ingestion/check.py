"""Checks batches of a source against a feature group's definition: a rule is batch -> violations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import SchemaMismatchError, did_you_mean
from treering.ingestion.casts import Cast, caster_of, plain, plain_type
from treering.schema.feature_group import TIMESTAMP, AvailableInColumn, FeatureGroupDefinition
from treering.schema.times import FIRST_TIME, LAST_TIME
from treering.schema.types import Feature, FeatureType
from treering.sources.bad_rows import BadRow, Violation, rows_where, sift
from treering.sources.batches import Part, SourceBatch, distinct, locate
from treering.sources.times import Converted, TimeKind, event_times, feature_times, mixed_kinds, readable_as_time


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """The good rows of a batch, typed as their group declares, and the bad ones.

    Attributes:
        table: the group's columns with the group's types, in the group's order.
        event_time: `timestamp('us', tz='UTC')`, no nulls.
        known_at: the later of event time and availability; the same object as `event_time` where they cannot differ.
        positions: int64, the rows' positions in the source.
        bad_rows: those the source could not read, and those that break a rule, by position.
        nans: how many NaN of fractional features became null.
        infinities: how many infinities of fractional features were kept.
    """

    table: pa.Table
    event_time: pa.Array
    known_at: pa.Array
    positions: np.ndarray
    bad_rows: tuple[BadRow, ...]
    nans: int = 0
    infinities: int = 0


class Checker:
    """Checks the batches of one source, one after another."""

    def __init__(self, definition: FeatureGroupDefinition, columns: pa.Schema, *, allow_missing: Sequence[str] = (), called: str = "the source") -> None:
        """Check the columns as a whole.

        Args:
            definition: what the rows have to fit.
            columns: the source's, as `source.arrow_schema(definition.schema)` gives them.
            allow_missing: columns that the source may lack; they are filled with nulls.
            called: what messages call the source of the rows.

        Raises:
            SchemaMismatchError: for a missing, unknown or ambiguous column, or a type that cannot be meant.
        """
        distinct(columns.names, called)
        self._definition = definition
        self._called = called
        self._kinds: dict[str, TimeKind] = {}
        needed = {*definition.record_identifier, *definition.time_columns.values()}
        for feature in definition.schema:
            if feature.name in columns.names:
                self._check_type(feature, columns.field(feature.name).type)
            elif feature.name not in allow_missing or feature.name in needed:
                raise self._missing(feature, columns.names)
        for name in columns.names:
            if name not in definition.schema:
                raise SchemaMismatchError(
                    f"{_sentence(called)} has a column {name!r}, which {definition.name!r} does not have. {did_you_mean(name, definition.schema.names)} "
                    "Drop the column, or add it to the group first."
                )

    def _check_type(self, feature: Feature, found: pa.DataType) -> None:
        is_time = feature.type is FeatureType.TIMESTAMP
        can_be_read = readable_as_time(plain_type(found)) if is_time else caster_of(plain_type(found), feature.type) is not None
        if not can_be_read:
            raise self._unlike(feature, found)

    def _unlike(self, feature: Feature, found: pa.DataType) -> SchemaMismatchError:
        return SchemaMismatchError(
            f"Column {feature.name!r} of {self._definition.name!r} is declared {feature.type_text}; {self._called} has {found}. "
            "Convert the column, or declare the type that it has."
        )

    def _missing(self, feature: Feature, names: Sequence[str]) -> SchemaMismatchError:
        same = next((name for name in names if name.lower() == feature.name.lower()), None)
        hint = f"It has {same!r}, which differs only by case: rename it." if same else did_you_mean(feature.name, names)
        return SchemaMismatchError(
            f"{_sentence(self._called)} has no column {feature.name!r} ({feature.type_text}), which {self._definition.name!r} needs. {hint}"
        )

    def check(self, batch: SourceBatch) -> CheckedBatch:
        """Type the good rows and name the bad ones.

        Raises:
            SchemaMismatchError: for what is wrong with a whole column, such as times without a zone.
        """
        casts = {feature.name: self._cast(feature, batch.table) for feature in self._definition.schema}
        clocks = {role: self._clock(name, casts, batch.table) for role, name in self._definition.time_columns.items()}
        event_time, known_at = self._event_and_known(clocks, len(batch.positions))
        violations = [*self._problems(casts, clocks), *self._nulls(casts, clocks), *self._beyond_time(known_at)]
        good, bad_rows = sift(batch.table, batch.positions, violations)
        table = pa.table([cast.values for cast in casts.values()], names=list(casts))
        positions = batch.positions
        if bad_rows:
            mask = pa.array(good)
            is_same = known_at is event_time
            table, positions, event_time = table.filter(mask), positions[good], event_time.filter(mask)
            known_at = event_time if is_same else known_at.filter(mask)
        rejected = sorted((*batch.bad_rows, *bad_rows), key=lambda row: row.position)
        nans, infinities = (sum(_count(rows, good) for rows in found) for found in zip(*((c.nans, c.infinities) for c in casts.values()), strict=True))
        return CheckedBatch(table, event_time, known_at, positions, tuple(rejected), nans, infinities)

    def _cast(self, feature: Feature, table: pa.Table) -> Cast:
        if feature.name not in table.column_names:
            return Cast(pa.nulls(table.num_rows, feature.arrow_type))
        column = plain(table.column(feature.name))
        if feature.type is FeatureType.TIMESTAMP:
            converted = self._times(feature, column)
            return Cast(converted.values, converted.problems)
        caster = caster_of(column.type, feature.type)
        if caster is None:
            # A later batch can be of another type than the first: a frame's all-null pieces have none.
            raise self._unlike(feature, column.type)
        return caster(column, feature)

    def _times(self, feature: Feature, column: pa.Array) -> Converted:
        definition = self._definition
        if feature.name not in definition.time_columns.values():
            return feature_times(column, definition.time_zone, name=feature.name)
        converted = event_times(column, feature.type, definition.time_zone, definition.date_means, round_up=True, name=feature.name)
        if converted.kind is not None and self._kinds.setdefault(feature.name, converted.kind) != converted.kind:
            raise mixed_kinds(feature.name, self._kinds[feature.name], converted.kind)
        return converted

    def _clock(self, name: str, casts: dict[str, Cast], table: pa.Table) -> Cast:
        """The microseconds of a clock, which stand beside its column where that is text or seconds."""
        feature = self._definition.schema[name]
        if feature.type is FeatureType.TIMESTAMP:
            return casts[name]
        converted = self._times(feature, casts[name].values)
        return Cast(converted.values, converted.problems)

    def _event_and_known(self, clocks: dict[str, Cast], rows: int) -> tuple[pa.Array, pa.Array]:
        definition = self._definition
        if definition.is_static:
            always = pa.array(np.full(rows, FIRST_TIME)).view(TIMESTAMP)
            return always, always
        event_time = clocks["event time"].values
        if isinstance(definition.availability, AvailableInColumn):
            both = (clock.values.view(pa.int64()) for clock in clocks.values())
            return event_time, pc.max_element_wise(*both, skip_nulls=False).view(TIMESTAMP)
        if definition.lag:
            return event_time, pc.add(event_time.view(pa.int64()), definition.lag).view(TIMESTAMP)
        return event_time, event_time

    def _problems(self, casts: dict[str, Cast], clocks: dict[str, Cast]) -> Iterator[Violation]:
        """What could not be cast or read, column by column."""
        for cast in (*casts.values(), *clocks.values()):
            yield from cast.problems

    def _nulls(self, casts: dict[str, Cast], clocks: dict[str, Cast]) -> Iterator[Violation]:
        """Nulls where a record cannot have one."""
        needed = [("identifier", name, casts[name]) for name in self._definition.record_identifier]
        needed += [(role, self._definition.time_columns[role], clock) for role, clock in clocks.items()]
        for role, name, cast in needed:
            if cast.values.null_count:
                yield Violation(rows_where(cast.values.is_null()), f"null {role}", name)

    def _beyond_time(self, known_at: pa.Array) -> Iterator[Violation]:
        """Records that a lag makes known after year 9999."""
        late = rows_where(pc.greater(known_at.view(pa.int64()), LAST_TIME)) if self._definition.lag else ()
        if len(late):
            yield Violation(np.asarray(late), "known after year 9999", self._definition.time_columns["event time"])


def _count(rows: np.ndarray | None, good: np.ndarray) -> int:
    return 0 if rows is None else int(np.count_nonzero(good[rows]))


def _sentence(called: str) -> str:
    return called[0].upper() + called[1:]


def describe(bad_row: BadRow, parts: Sequence[Part]) -> str:
    """Say where a bad row is and what is wrong with it.

    >>> describe(BadRow(17, "null identifier", "origin", ""), [Part("weather.csv", 0, "line")])
    'line 17: null identifier (origin)'
    """
    where = locate(parts, bad_row.position)
    if len(parts) == 1:
        where = where.removeprefix(f"{parts[0].description}, ")
    shown = [part for part in (bad_row.column, repr(bad_row.text) if bad_row.text else None) if part]
    return f"{where}: {bad_row.reason}" + (f" ({': '.join(shown)})" if shown else "")
