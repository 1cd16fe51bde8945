"""Turns columns of times, however written, into microseconds UTC."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import SchemaMismatchError
from treering.schema.feature_group import TIMESTAMP, LocalTimeChoice, TimeZone
from treering.schema.times import FIRST_TIME, LAST_TIME, MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND
from treering.schema.types import FeatureType
from treering.sources.bad_rows import Violation, rows_where
from treering.sources.zones import readings

TimeKind = Literal["zoned", "local", "date", "seconds"]

_UNREADABLE = "unreadable time"
_OUT_OF_RANGE = "time outside years 1 to 9999"
_OCCURS_TWICE = "local time that occurs twice"
_DOES_NOT_EXIST = "local time that does not exist"
WHAT_TO_DO = {
    _UNREADABLE: "Write ISO 8601, such as 2013-02-01T10:00Z; pd.to_datetime(column, format=...) reads other forms.",
    _OUT_OF_RANGE: "Check the unit of the times.",
    _OCCURS_TWICE: "Say which moment is meant, such as time_zone=tr.TimeZone('America/New_York', ambiguous='latest').",
    _DOES_NOT_EXIST: "Say which moment is meant, such as time_zone=tr.TimeZone('America/New_York', nonexistent='latest').",
}
"""How rows are mended, by the reason for which they could not be converted."""
CLOCK_CHANGES = {_OCCURS_TWICE: "ambiguous", _DOES_NOT_EXIST: "nonexistent"}
"""Why a local time has no one moment where clocks change, and which argument of a time zone says what is meant."""
_UTC = TimeZone("UTC")
_KIND_TEXT = {"zoned": "times with a zone", "local": "times without a zone", "date": "dates", "seconds": "seconds"}


@dataclass(frozen=True, slots=True)
class Converted:
    """A column of times as microseconds UTC.

    Attributes:
        values: `timestamp('us', tz='UTC')`, null where the column is null or has a problem.
        problems: the rows that could not be converted; a row is in at most one of them.
        kind: how the times are written; None if there are none.
    """

    values: pa.Array
    problems: tuple[Violation, ...]
    kind: TimeKind | None


@dataclass(frozen=True, slots=True)
class _Rules:
    name: str
    zone: TimeZone | None
    date_zone: TimeZone | None
    date_means: int | None
    round_up: bool
    of_labels: bool = False


@dataclass(frozen=True, slots=True)
class _Moments:
    """Microseconds, not yet in UTC where `kind` is local or date; what stands where `known` is false means nothing."""

    micros: np.ndarray
    known: np.ndarray
    kind: TimeKind
    problems: tuple[Violation, ...] = ()

    def without(self, bad: np.ndarray, reason: str, name: str) -> "_Moments":
        rows = np.flatnonzero(bad & self.known)
        return replace(self, known=self.known & ~bad, problems=(*self.problems, Violation(rows, reason, name))) if len(rows) else self


def event_times(
    column: pa.ChunkedArray | pa.Array, declared: FeatureType, zone: TimeZone | None, date_means: int | None, *, round_up: bool, name: str = "time"
) -> Converted:
    """Convert times to microseconds UTC.

    Args:
        column: Arrow timestamps or dates, ISO 8601 text, or (declared Fractional) seconds since 1970.
        declared: the type that the column has in its group; Timestamp for labels.
        zone: the zone of times written without one.
        date_means: microseconds, on the zone's clocks, from the start of a day to the moment that a date means.
        round_up: round what is finer than a microsecond up (event times) or down (label times).
        name: what messages call the column.

    Raises:
        SchemaMismatchError: for times without a zone or dates where the meaning of those is not declared, for a
            column that mixes kinds of time, and for a type that holds no times.
    """
    return _converted(column, declared, _Rules(name, zone, zone, date_means, round_up))


def feature_times(column: pa.ChunkedArray | pa.Array, zone: TimeZone | None, *, name: str) -> Converted:
    """Convert a Timestamp feature that sets no clock: a date is the start of its day, in UTC if no zone is declared.

    Raises:
        SchemaMismatchError: as `event_times`, but never for dates.
    """
    return _converted(column, FeatureType.TIMESTAMP, _Rules(name, zone, zone or _UTC, 0, round_up=False))


def label_times(column: pa.ChunkedArray | pa.Array, zone: TimeZone | None, *, name: str) -> Converted:
    """Convert the times of labels, which have no declared type: floats are seconds since 1970. What is finer than a microsecond is rounded down.

    Raises:
        SchemaMismatchError: for dates, times without a zone where none is declared, a column that mixes kinds of time,
            and a type that holds no times.
    """
    declared = FeatureType.FRACTIONAL if pa.types.is_floating(column.type) else FeatureType.TIMESTAMP
    return _converted(column, declared, _Rules(name, zone, zone, None, round_up=False, of_labels=True))


def _converted(column: pa.ChunkedArray | pa.Array, declared: FeatureType, rules: _Rules) -> Converted:
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(plain.type):
        plain = plain.dictionary_decode()
    if pa.types.is_null(plain.type):
        return Converted(pa.nulls(len(plain), TIMESTAMP), (), None)
    moments = _reader(plain.type, declared, rules)(plain, rules)
    if not moments.known.any():
        return Converted(pa.nulls(len(plain), TIMESTAMP), moments.problems, None)
    placed = _PLACED[moments.kind](moments, rules)
    placed = placed.without((placed.micros < FIRST_TIME) | (placed.micros > LAST_TIME), _OUT_OF_RANGE, rules.name)
    values = pa.array(placed.micros, pa.int64(), mask=~placed.known).view(TIMESTAMP)
    return Converted(values, placed.problems, placed.kind)


def readable_as_time(type: pa.DataType) -> bool:
    """Tell whether a column of a type can hold times that are declared Timestamps."""
    return pa.types.is_null(type) or any(holds(type) for holds, _ in _READERS[FeatureType.TIMESTAMP])


_Reader = Callable[[pa.Array, _Rules], _Moments]


def _reader(type: pa.DataType, declared: FeatureType, rules: _Rules) -> _Reader:
    for holds, reader in _READERS.get(declared, ()):
        if holds(type):
            return reader
    if rules.of_labels:
        hint = "Cast it to float if it holds seconds since 1970, or to a timestamp."
        raise SchemaMismatchError(f"Column {rules.name!r} holds {type}, which cannot be read as times. {hint}")
    hint = "Declare it a Fractional if it holds seconds since 1970." if pa.types.is_integer(type) or pa.types.is_floating(type) else "Cast the column."
    raise SchemaMismatchError(f"Column {rules.name!r} is declared {declared} and holds {type}, which cannot be read as times of that form. {hint}")


def _read_timestamps(column: pa.Array, rules: _Rules) -> _Moments:
    known, counts = _integers(column)
    moments = _Moments(counts, known, "local" if column.type.tz is None else "zoned")
    if column.type.unit == "ns":
        return replace(moments, micros=_rounded(counts, 1_000, rules))
    factor = _MICROSECONDS_PER_UNIT[column.type.unit]
    inside = moments.without((counts < FIRST_TIME // factor) | (counts > LAST_TIME // factor), _OUT_OF_RANGE, rules.name)
    return replace(inside, micros=np.where(inside.known, counts, 0) * factor)


def _read_dates(column: pa.Array, rules: _Rules) -> _Moments:
    known, days = _integers(column.cast(pa.date32(), safe=False))
    return _Moments(days.astype(np.int64) * MICROSECONDS_PER_DAY, known, "date")


def _read_seconds(column: pa.Array, rules: _Rules) -> _Moments:
    seconds = column.cast(pa.float64(), safe=False).fill_null(float("nan")).to_numpy(zero_copy_only=False)
    moments = _Moments(seconds, ~np.isnan(seconds), "seconds")
    limit = LAST_TIME / MICROSECONDS_PER_SECOND
    inside = moments.without(np.abs(seconds) > limit, _OUT_OF_RANGE, rules.name)
    exact = np.where(inside.known, seconds, 0.0)
    scaled = exact * MICROSECONDS_PER_SECOND
    nearest = np.rint(scaled)
    # 1.1 is no binary number: what differs from a whole microsecond by less than the float's own step is that microsecond.
    is_finer = np.abs(scaled - nearest) > np.spacing(np.abs(exact)) * MICROSECONDS_PER_SECOND
    rounded = np.where(is_finer, np.ceil(scaled) if rules.round_up else np.floor(scaled), nearest)
    return replace(inside, micros=rounded.astype(np.int64))


def _integers(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    known = column.is_valid().to_numpy(zero_copy_only=False)
    width = pa.int32() if column.type.bit_width == 32 else pa.int64()
    return known, column.view(width).fill_null(0).to_numpy(zero_copy_only=False)


def _rounded(counts: np.ndarray, per_microsecond: int, rules: _Rules) -> np.ndarray:
    return -(-counts // per_microsecond) if rules.round_up else counts // per_microsecond


# A cast that fails costs ten times as much as one that does not, so the text is cast in pieces, the form that fitted last first.
_PIECE = 16_384
_SMALL_PIECE = 1_024
_FORMS = (("us", "UTC"), ("us", None), ("ns", "UTC"), ("ns", None))


def _read_text(column: pa.Array, rules: _Rules) -> _Moments:
    texts, forms = column.cast(pa.string()), list(_FORMS)
    return _joined([_read_piece(texts.slice(start, _PIECE), forms, rules) for start in range(0, max(len(texts), 1), _PIECE)], rules.name)


def _read_piece(texts: pa.Array, forms: list[tuple[str, str | None]], rules: _Rules) -> _Moments:
    """Read ISO 8601 text with Arrow's casts, and exactly only near rows that they refuse: text that is unreadable, mixed or far off."""
    for place, (unit, tz) in enumerate(forms):
        moments = _cast_text(texts, unit, tz, rules)
        if moments is not None:
            forms.insert(0, forms.pop(place))
            return moments
    if len(texts) <= _SMALL_PIECE:
        return _read_text_exactly(texts, rules)
    starts = range(0, len(texts), _SMALL_PIECE)
    return _joined([_read_piece(texts.slice(start, _SMALL_PIECE), forms, rules) for start in starts], rules.name)


def _cast_text(texts: pa.Array, unit: str, tz: str | None, rules: _Rules) -> _Moments | None:
    try:
        known, counts = _integers(texts.cast(pa.timestamp(unit, tz)))
    except pa.ArrowInvalid:
        return None
    micros = counts if unit == "us" else _rounded(counts, 1_000, rules)
    is_date = pc.equal(pc.binary_length(texts), _DATE_LENGTH)
    if tz or not pc.any(is_date).as_py():
        return _Moments(micros, known, "zoned" if tz else "local")
    return _Moments(micros, known, "date") if pc.all(is_date).as_py() else None


def _joined(pieces: list[_Moments], name: str) -> _Moments:
    kinds = list(dict.fromkeys(piece.kind for piece in pieces if piece.known.any()))
    if len(kinds) > 1:
        raise mixed_kinds(name, kinds[0], kinds[1])
    starts = np.cumsum([0, *(len(piece.known) for piece in pieces)])
    problems = tuple(replace(problem, rows=problem.rows + start) for piece, start in zip(pieces, starts, strict=False) for problem in piece.problems)
    known, micros = (np.concatenate([getattr(piece, part) for piece in pieces]) for part in ("known", "micros"))
    return _Moments(micros, known, kinds[0] if kinds else "zoned", problems)


_DATE_LENGTH = len("2024-01-31")
_DATE = r"(?P<date>(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01]))"
_CLOCK = r"[T ](?P<hour>[01]\d|2[0-3])(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.(?P<fraction>\d{1,9}))?)?)?"
_ZONE = r"(?P<zone>Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
_ISO = rf"^{_DATE}(?:{_CLOCK}{_ZONE}?)?$"
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def _read_text_exactly(texts: pa.Array, rules: _Rules) -> _Moments:
    parts = pc.extract_regex(texts, _ISO)
    fields = {field.name: parts.field(index) for index, field in enumerate(parts.type)}
    numbers = {name: _number(fields[name]) for name in ("year", "month", "day", "hour", "minute", "second")}
    is_leap = (numbers["year"] % 4 == 0) & ((numbers["year"] % 100 != 0) | (numbers["year"] % 400 == 0))
    exists = numbers["day"] <= _DAYS[numbers["month"]] + (is_leap & (numbers["month"] == 2))
    readable = parts.is_valid().to_numpy(zero_copy_only=False) & exists
    is_given = texts.is_valid().to_numpy(zero_copy_only=False)
    kind = _only_kind(fields, readable, rules.name)
    moments = _Moments(np.zeros(len(texts), np.int64), is_given, kind).without(~readable, _UNREADABLE, rules.name)
    days = pc.if_else(pa.array(readable), fields["date"], None).cast(pa.date32())
    clock = (numbers["hour"] * 60 + numbers["minute"]) * 60 + numbers["second"] - _offset_seconds(fields["zone"])
    nanoseconds = _number(pc.utf8_rpad(fields["fraction"], 9, "0"))
    micros = _integers(days)[1].astype(np.int64) * MICROSECONDS_PER_DAY + clock * MICROSECONDS_PER_SECOND + _rounded(nanoseconds, 1_000, rules)
    return replace(moments, micros=micros)


def _number(digits: pa.Array) -> np.ndarray:
    given = pc.if_else(pc.greater(pc.binary_length(digits), 0), digits, None)
    return np.asarray(given.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False))


def _offset_seconds(zones: pa.Array) -> np.ndarray:
    digits = pc.replace_substring(pc.utf8_trim(zones, "Z+-"), ":", "")
    hours, minutes = _number(pc.utf8_slice_codeunits(digits, 0, 2)), _number(pc.utf8_slice_codeunits(digits, 2, 4))
    sign = np.where(pc.starts_with(zones, "-").fill_null(fill_value=False).to_numpy(zero_copy_only=False), -1, 1)
    return np.asarray(sign * (hours * 60 + minutes) * 60)


def _only_kind(fields: dict[str, pa.Array], readable: np.ndarray, name: str) -> TimeKind:
    has_clock, has_zone = (np.zeros(len(readable), bool) for _ in range(2))
    has_clock[rows_where(pc.not_equal(fields["hour"], ""))] = True
    has_zone[rows_where(pc.not_equal(fields["zone"], ""))] = True
    masks: dict[TimeKind, np.ndarray] = {"zoned": readable & has_zone, "local": readable & has_clock & ~has_zone, "date": readable & ~has_clock}
    found = [kind for kind, mask in masks.items() if mask.any()]
    if len(found) > 1:
        raise mixed_kinds(name, found[0], found[1])
    return found[0] if found else "zoned"


def advice(problems: Iterable[Violation], zone: TimeZone | None) -> list[str]:
    """Say how labels are mended whose times could not be converted, each way once."""
    reasons = dict.fromkeys(problem.reason for problem in problems)
    # The earlier moment of two never looks ahead of the label.
    choices = [f"{argument}='earliest'" for reason, argument in CLOCK_CHANGES.items() if reason in reasons]
    said = [WHAT_TO_DO[reason] for reason in reasons if reason not in CLOCK_CHANGES]
    if zone is not None and choices:
        said.append(f"Say which moment is meant, such as time_zone=tr.TimeZone({zone.name!r}, {', '.join(choices)}).")
    return said


def mixed_kinds(name: str, one: TimeKind, other: TimeKind) -> SchemaMismatchError:
    """Build the error for a column that holds two kinds of time."""
    return SchemaMismatchError(f"Column {name!r} mixes {_KIND_TEXT[one]} and {_KIND_TEXT[other]}. Write all of its values the same way.")


def _place_in_utc(moments: _Moments, rules: _Rules) -> _Moments:
    return moments


def _place_local(moments: _Moments, rules: _Rules) -> _Moments:
    if rules.zone is None:
        raise SchemaMismatchError(
            f"Column {rules.name!r} holds times without a zone, and no time zone is declared. Say which is meant, such as time_zone='UTC' or "
            "time_zone='America/New_York', where labels are named or a group is created: a wrong guess would move every time by hours."
        )
    return _placed_in(moments, rules.zone, rules.name)


def _place_dates(moments: _Moments, rules: _Rules) -> _Moments:
    if rules.of_labels:
        frame = f"frame[{rules.name!r}]"
        raise SchemaMismatchError(
            f"Column {rules.name!r} holds dates, and a label's time is one moment of its day. Turn it into times first: {frame} = pd.to_datetime({frame}, "
            "utc=True) is the start of each day in UTC; add pd.Timedelta(hours=...) for a later moment."
        )
    if rules.date_means is None or rules.date_zone is None:
        raise SchemaMismatchError(
            f"Column {rules.name!r} holds dates. Say which moment of the day is meant, and where, such as date_means='end_of_day', time_zone='UTC': daily "
            "figures stamped at the start of their day would be seen before they were known."
        )
    inside = (moments.micros >= FIRST_TIME) & (moments.micros <= LAST_TIME)
    shifted = replace(moments.without(~inside, _OUT_OF_RANGE, rules.name), micros=np.where(inside, moments.micros, 0) + rules.date_means)
    # A day whose first moment does not exist, or occurs twice, still has a start: the later one, which never looks ahead.
    later: dict[LocalTimeChoice, LocalTimeChoice] = {"error": "latest", "earliest": "earliest", "latest": "latest"}
    zone = rules.date_zone
    return _placed_in(shifted, replace(zone, ambiguous=later[zone.ambiguous], nonexistent=later[zone.nonexistent]), rules.name)


def _placed_in(moments: _Moments, zone: TimeZone, name: str) -> _Moments:
    """Read local times on the clocks of a zone."""
    if zone.name == "UTC":
        return moments
    found = readings(moments.micros, moments.known, zone.name)
    placed = found.earliest
    doubts = (
        (zone.ambiguous, found.later_of_two, _OCCURS_TWICE),
        (zone.nonexistent, found.after_gap, _DOES_NOT_EXIST),
    )
    for choice, later, reason in doubts:
        if choice == "error":
            moments = moments.without(found.earliest != later, reason, name)
        elif choice == "latest":
            placed = np.where(found.earliest != later, later, placed)
    return replace(moments, micros=placed)


_PLACED: dict[TimeKind, Callable[[_Moments, _Rules], _Moments]] = {
    "zoned": _place_in_utc,
    "seconds": _place_in_utc,
    "local": _place_local,
    "date": _place_dates,
}
_MICROSECONDS_PER_UNIT = {"s": MICROSECONDS_PER_SECOND, "ms": 1_000, "us": 1}


def _is_text(type: pa.DataType) -> bool:
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type))


_READERS: dict[FeatureType, tuple[tuple[Callable[[pa.DataType], bool], _Reader], ...]] = {
    FeatureType.TIMESTAMP: ((pa.types.is_timestamp, _read_timestamps), (pa.types.is_date, _read_dates), (_is_text, _read_text)),
    FeatureType.STRING: ((_is_text, _read_text),),
    FeatureType.FRACTIONAL: ((pa.types.is_floating, _read_seconds), (pa.types.is_integer, _read_seconds)),
}
