"""Which rows of a training set are learnt from and which are held back: pure, whole columns at a time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol, Self, runtime_checkable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from treering.errors import InvalidDefinitionError
from treering.schema.times import Duration, duration_text, microseconds, time_text

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
EMBARGO = "embargo"
"""Rows too close before a boundary: they are kept in the set, marked, and never trained or measured on."""

SPLITS = (TRAIN, VALIDATION, TEST, EMBARGO)
SPLIT_TYPE = pa.dictionary(pa.int8(), pa.string())

Times = npt.NDArray[np.int64]
Boundary = str | date
"""A boundary: ISO 8601 text such as `"2013-10-01"`, a date, or a datetime (which is a date)."""


@runtime_checkable
class Split(Protocol):
    """A rule that gives every label row the name of one split."""

    @property
    def names(self) -> tuple[str, ...]:
        """The splits that the rule promises to fill; one without a row is an error."""

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name the split of every row.

        Args:
            times: label times in microseconds since the epoch, UTC, in label order.
            labels: the label columns, in the same order.
        """

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where a split that was promised gets no row: what the rows are like, the rule, and what to change."""

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt; `stored_splits.split_from_json` reads it."""


def named(codes: npt.NDArray[np.int8]) -> pa.DictionaryArray:
    """Turn codes into `SPLITS` into names, one per row."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(SPLITS))


def promised(validation: float, test: float) -> tuple[str, ...]:
    """Name the splits that have a share, and "train"."""
    return (TRAIN, *(name for name, share in ((VALIDATION, validation), (TEST, test)) if share))


def check_shares(validation: float, test: float) -> None:
    """Refuse shares that hold back nothing, or everything.

    Raises:
        InvalidDefinitionError: then.
    """
    shares = {"validation": validation, "test": test}
    for name, share in shares.items():
        if not isinstance(share, int | float) or not 0 <= share < 1:
            raise InvalidDefinitionError(f"The {name} share is {share!r}; it has to be a number of at least 0 and less than 1, such as 0.2.")
    if not 0 < sum(shares.values()) < 1:
        raise InvalidDefinitionError(
            f"Validation and test take {sum(shares.values()):g} of the rows; together they have to leave some to train on, and take some."
        )


@dataclass(frozen=True, slots=True)
class Everything:
    """All rows are trained on; nothing is held back."""

    @property
    def names(self) -> tuple[str, ...]:
        """The one split there is."""
        return (TRAIN,)

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name every row "train"."""
        del labels
        return named(np.zeros(len(times), dtype=np.int8))

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where there is no row."""
        del times, labels
        return "Give the labels rows."

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt."""
        return {"is": "Everything"}


def checked_split(split: Split | None) -> Split:
    """Return the rule that is asked for; none means `Everything`.

    Raises:
        InvalidDefinitionError: for what is no split, such as the name of one.
    """
    if split is None:
        return Everything()
    if not isinstance(split, Split):
        raise InvalidDefinitionError(f"split={split!r} is no split. Make one: split=tr.TimeSplit(test='2013-11-15'), or tr.HashSplit('customer', test=0.2).")
    return split


@dataclass(frozen=True, slots=True, repr=False)
class TimeSplit:
    """The past is trained on, what follows is validated on, and the end is tested on.

    Rows before `validation` are "train", rows from `validation` on are "validation", rows from `test` on are "test".

    >>> TimeSplit(validation="2013-10-01", test="2013-11-15", embargo="1d")
    TimeSplit(validation='2013-10-01 00:00:00Z', test='2013-11-15 00:00:00Z', embargo='1d')
    >>> TimeSplit.fractions(validation=0.15, test=0.15)
    TimeSplit.fractions(validation=0.15, test=0.15)

    Attributes:
        validation: first moment of validation, in microseconds since the epoch, UTC; None means no such split.
        test: first moment of test; None means no such split.
        embargo: microseconds before each boundary whose rows go to no split, so that what a late training row's
            outcome already tells about the next split is not learnt.
    """

    validation: int | None
    test: int | None
    embargo: int

    def __init__(self, validation: Boundary | None = None, test: Boundary | None = None, *, embargo: Duration = 0, time_zone: str = "UTC") -> None:
        """Check and keep the boundaries; those written without a zone are moments in `time_zone` (an IANA name).

        Raises:
            InvalidDefinitionError: for boundaries that cannot be read, are out of order, or leave a split no room.
        """
        zone = _zone(time_zone)
        object.__setattr__(self, "validation", None if validation is None else _moment(validation, zone))
        object.__setattr__(self, "test", None if test is None else _moment(test, zone))
        object.__setattr__(self, "embargo", microseconds(embargo, "embargo"))
        self._check()

    def _check(self) -> None:
        if not self._boundaries:
            raise InvalidDefinitionError("A TimeSplit needs a boundary: give `validation`, `test`, or both.")
        for earlier, later in pairwise(self._boundaries):
            if later - earlier <= self.embargo:
                raise InvalidDefinitionError(
                    f"Validation starts at {time_text(earlier)} and test at {time_text(later)}; with an embargo of "
                    f"{duration_text(self.embargo)} no row is left to validate on. Move them apart, or shorten the embargo."
                )

    @classmethod
    def fractions(cls, validation: float = 0.0, test: float = 0.0, *, embargo: Duration = 0) -> "TimeFractions":
        """Hold back the latest shares of the rows; the boundaries follow from the label times when a set is built.

        Args:
            validation: share of the rows to validate on, at least 0 and less than 1.
            test: share of the rows to test on, which are later than those.
            embargo: length of time before each boundary whose rows go to no split.
        """
        return TimeFractions(validation, test, microseconds(embargo, "embargo"))

    @classmethod
    def _at(cls, validation: int | None, test: int | None, embargo: int) -> Self:
        split = cls.__new__(cls)
        for name, value in (("validation", validation), ("test", test), ("embargo", embargo)):
            object.__setattr__(split, name, value)
        split._check()
        return split

    @property
    def names(self) -> tuple[str, ...]:
        """The splits that have a boundary, and "train"."""
        held_back = ((VALIDATION, self.validation), (TEST, self.test))
        return (TRAIN, *(name for name, boundary in held_back if boundary is not None))

    @property
    def _boundaries(self) -> tuple[int, ...]:
        return tuple(boundary for boundary in (self.validation, self.test) if boundary is not None)

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name each row's split by its label's time."""
        del labels
        codes = np.zeros(len(times), dtype=np.int8)
        for name, boundary in ((VALIDATION, self.validation), (TEST, self.test)):
            if boundary is not None:
                codes[times >= boundary] = SPLITS.index(name)
        for boundary in self._boundaries:
            codes[(times >= boundary - self.embargo) & (times < boundary)] = SPLITS.index(EMBARGO)
        return named(codes)

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where a split gets no row."""
        del labels
        return _move_boundaries(times, self)

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt."""
        return {"is": "TimeSplit", "validation": _text(self.validation), "test": _text(self.test), "embargo": f"{self.embargo}us"}

    def __repr__(self) -> str:
        parts = [f"{name}={_text(moment)!r}" for name, moment in (("validation", self.validation), ("test", self.test)) if moment is not None]
        return f"TimeSplit({', '.join([*parts, *_embargo_part(self.embargo)])})"


@dataclass(frozen=True, slots=True, repr=False)
class TimeFractions:
    """The latest shares of the rows are held back; rows of one time are never parted.

    Attributes:
        validation: share of the rows to validate on.
        test: share of the rows to test on.
        embargo: microseconds before each boundary whose rows go to no split.
    """

    validation: float = 0.0
    test: float = 0.0
    embargo: int = 0

    def __post_init__(self) -> None:
        check_shares(self.validation, self.test)

    @property
    def names(self) -> tuple[str, ...]:
        """The splits that are given a share, and "train"."""
        return promised(self.validation, self.test)

    def resolved(self, times: Times) -> TimeSplit:
        """Find the boundaries for these label times: each is a time that occurs, and all its rows fall after it."""
        ordered = np.sort(times)
        if not len(ordered):
            raise InvalidDefinitionError("There are no label rows to take fractions of.")
        first_test = _boundary(ordered, 1 - self.test) if self.test else None
        first_validation = _boundary(ordered, 1 - self.test - self.validation) if self.validation else None
        return TimeSplit._at(first_validation, first_test, self.embargo)

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name each row's split by its label's time."""
        return self.resolved(times).assign(times, labels)

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where a split gets no row."""
        del labels
        return _move_boundaries(times, self)

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt."""
        return {"is": "TimeFractions", "validation": self.validation, "test": self.test, "embargo": f"{self.embargo}us"}

    def __repr__(self) -> str:
        parts = [f"{name}={share:g}" for name, share in (("validation", self.validation), ("test", self.test)) if share]
        return f"TimeSplit.fractions({', '.join([*parts, *_embargo_part(self.embargo)])})"


def _boundary(ordered: Times, share: float) -> int:
    # Rounding first: 1 - 0.15 - 0.15 is 0.7 less a little, and must not cost a row.
    position = int(round(len(ordered) * share, 6))
    return int(ordered[min(position, len(ordered) - 1)])


def _move_boundaries(times: Times, split: Split) -> str:
    return f"Label times run from {time_text(int(times.min()))} to {time_text(int(times.max()))}, and the split is {split!r}. Move its boundaries."


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidDefinitionError(f"There is no time zone {name!r}; give an IANA name such as 'America/New_York' or 'UTC'.") from None


def _moment(value: Boundary, zone: ZoneInfo) -> int:
    if not isinstance(value, str | date):
        raise InvalidDefinitionError(f"The boundary {value!r} is a {type(value).__name__}. Write a date such as '2013-10-01', or give a datetime.")
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else value.isoformat())
    except ValueError:
        raise InvalidDefinitionError(f"The boundary {value!r} cannot be read. Write a date such as '2013-10-01', or '2013-10-01T12:00:00+02:00'.") from None
    if moment.tzinfo is None:
        moment = _localised(moment, zone)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _localised(moment: datetime, zone: ZoneInfo) -> datetime:
    early, late = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    # The two readings differ exactly where clocks change: the local time occurs twice, or not at all.
    if early.utcoffset() != late.utcoffset():
        raise InvalidDefinitionError(
            f"The boundary {moment.isoformat()} occurs twice or never in {zone.key}. Write it with its offset, as in '2013-11-03T01:30:00-04:00'."
        )
    return early


def _text(moment: int | None) -> str | None:
    return None if moment is None else time_text(moment)


def _embargo_part(embargo: int) -> list[str]:
    return [f"embargo={duration_text(embargo)!r}"] if embargo else []
