"""Splits by what a row is about, not by its time: by a hash of a key, by whole groups, by a column that says it."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from treering.errors import InvalidDefinitionError, LabelsError, did_you_mean
from treering.schema.names import as_names
from treering.training_sets.label_keys import check_column, known_groups, quoted, texts, value_text
from treering.training_sets.splits import SPLITS, TEST, TRAIN, VALIDATION, Times, check_shares, named, promised

Value = str | int | float | bool

_EXCHANGES = 20


@dataclass(frozen=True, slots=True, repr=False)
class HashSplit:
    """Each row's split follows from its key alone: it never moves, whatever the order, the other rows, or the machine.

    The key's values are written as a JSON list of texts (5, 5.0 and "5" are "5"), put after the seed and a colon, and
    digested: the first 53 bits of the SHA-256, as a fraction, are "test" below the test share, "validation" in the share
    above it, and "train" above both. So the test rows stay the same when the validation share changes. Rows of one key are
    never parted; shares are near what was asked for where there are many keys.

    >>> HashSplit("customer", test=0.2).assign(np.zeros(4, dtype=np.int64), pa.table({"customer": [7, 8, 9, 7]})).to_pylist()
    ['train', 'test', 'train', 'train']

    Attributes:
        key: the label column, or columns, that name what a row is about. A row without a value is an error.
        validation, test: shares of the keys to hold back.
        seed: another number deals the keys anew.
    """

    key: tuple[str, ...]
    validation: float = 0.0
    test: float = 0.0
    seed: int = 0

    def __init__(self, key: str | Iterable[str], validation: float = 0.0, test: float = 0.0, seed: int = 0) -> None:
        """Check and keep what is asked for.

        Raises:
            InvalidDefinitionError: for no key, and shares that hold back nothing or everything.
        """
        _keep(self, _columns(key, "key"), validation, test, seed)

    @property
    def names(self) -> tuple[str, ...]:
        """The splits that are given a share, and "train"."""
        return promised(self.validation, self.test)

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name each row's split by its key.

        Raises:
            FeatureNotFoundError: for a key that is no label column.
            LabelsError: for rows without a key.
        """
        del times
        groups, keys = known_groups(labels, self.key, self)
        fractions = _fractions(keys, self.seed)
        codes = np.full(len(keys), SPLITS.index(TRAIN), dtype=np.int8)
        codes[fractions < self.test + self.validation] = SPLITS.index(VALIDATION)
        codes[fractions < self.test] = SPLITS.index(TEST)
        return named(codes[groups])

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where a split gets no row."""
        del times
        _, keys = known_groups(labels, self.key, self)
        return f"There are {len(keys):,} different values of {' and '.join(self.key)}, and the split is {self!r}. Raise the shares, or choose another seed."

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt."""
        return {"is": "HashSplit", "key": list(self.key), "validation": self.validation, "test": self.test, "seed": self.seed}

    def __repr__(self) -> str:
        return _shown("HashSplit", self.key, self.validation, self.test, self.seed)


@dataclass(frozen=True, slots=True, repr=False)
class GroupSplit:
    """Whole groups are held back: no value of `by` stands on two sides, and the shares of rows are as near as whole groups allow.

    Groups are dealt in the order of their hash (as in `HashSplit`): first to test, then to validation, each group that still
    fits; then groups are exchanged while that comes nearer to the share. Which side a group is on can change as rows are added, but not
    with their order; with `HashSplit` it never changes, and shares are less exact.

    >>> GroupSplit("plane", test=0.5).assign(np.zeros(4, dtype=np.int64), pa.table({"plane": ["N1", "N2", "N3", "N1"]})).to_pylist()
    ['test', 'train', 'train', 'test']

    Attributes:
        by: the label column, or columns, whose values make the groups. A row without a value is an error.
        validation, test: shares of the rows to hold back.
        seed: another number deals the groups anew.
    """

    by: tuple[str, ...]
    validation: float = 0.0
    test: float = 0.0
    seed: int = 0

    def __init__(self, by: str | Iterable[str], validation: float = 0.0, test: float = 0.0, seed: int = 0) -> None:
        """Check and keep what is asked for.

        Raises:
            InvalidDefinitionError: for no column, and shares that hold back nothing or everything.
        """
        _keep(self, _columns(by, "by"), validation, test, seed)

    @property
    def names(self) -> tuple[str, ...]:
        """The splits that are given a share, and "train"."""
        return promised(self.validation, self.test)

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name each row's split by its group.

        Raises:
            FeatureNotFoundError: for a column that the labels do not have.
            LabelsError: for rows without a group.
        """
        del times
        groups, keys = known_groups(labels, self.by, self)
        sizes = np.bincount(groups, minlength=len(keys))
        left = np.argsort(_fractions(keys, self.seed), kind="stable")
        codes = np.full(len(keys), SPLITS.index(TRAIN), dtype=np.int8)
        for name, share in ((TEST, self.test), (VALIDATION, self.validation)):
            taken = _dealt(sizes[left], share * len(groups))
            codes[left[taken]] = SPLITS.index(name)
            left = left[~taken]
        return named(codes[groups])

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where a split gets no row."""
        del times
        groups, keys = known_groups(labels, self.by, self)
        sizes = np.bincount(groups, minlength=len(keys))
        return (
            f"The {len(keys):,} groups of {' and '.join(self.by)} have {int(sizes.min()):,} to {int(sizes.max()):,} of {len(groups):,} rows each, "
            f"and the split is {self!r}. Give shares that whole groups can fill, or split by a column with more values."
        )

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt."""
        return {"is": "GroupSplit", "by": list(self.by), "validation": self.validation, "test": self.test, "seed": self.seed}

    def __repr__(self) -> str:
        return _shown("GroupSplit", self.by, self.validation, self.test, self.seed)


@dataclass(frozen=True, slots=True, repr=False)
class ColumnSplit:
    """A label column says each row's split.

    >>> ColumnSplit("fold", train=[0, 1, 2], test=3, rest="embargo")
    ColumnSplit('fold', train=[0, 1, 2], test=[3], rest='embargo')

    Attributes:
        column: the label column.
        train, validation, test: the values that make each split. Those of a split that is not given are its name: the text
            "train", "validation" or "test".
        rest: the split of rows with any other value or none ("embargo" keeps them out of training and measuring); None
            makes such rows an error.
    """

    column: str
    train: tuple[Value, ...] | None
    validation: tuple[Value, ...] | None
    test: tuple[Value, ...] | None
    rest: str | None

    def __init__(
        self,
        column: str,
        *,
        train: Value | Iterable[Value] | None = None,
        validation: Value | Iterable[Value] | None = None,
        test: Value | Iterable[Value] | None = None,
        rest: str | None = None,
    ) -> None:
        """Check and keep what is asked for.

        Raises:
            InvalidDefinitionError: for a value that makes two splits or cannot stand in a column, and a `rest` that is no split.
        """
        if not isinstance(column, str):
            raise InvalidDefinitionError(f"ColumnSplit has column={column!r}; give the name of the one label column that says each row's split.")
        given = {TRAIN: train, VALIDATION: validation, TEST: test}
        for name, value in {"column": column, **{split: _values(values) for split, values in given.items()}, "rest": rest}.items():
            object.__setattr__(self, name, value)
        if rest is not None and rest not in SPLITS:
            raise InvalidDefinitionError(f"rest={rest!r} is no split. {did_you_mean(str(rest), SPLITS)}")
        self._split_of()

    @property
    def names(self) -> tuple[str, ...]:
        """The splits whose values were given, and "train"."""
        return (TRAIN, *(name for name in (VALIDATION, TEST) if getattr(self, name) is not None))

    def _split_of(self) -> dict[str, str]:
        splits: dict[str, str] = {}
        for name in (TRAIN, VALIDATION, TEST):
            values = getattr(self, name)
            for text in [name] if values is None else map(value_text, values):
                if splits.setdefault(text, name) != name:
                    raise InvalidDefinitionError(f"The value {text!r} of {self.column!r} makes {splits[text]} and {name}; let it make one of them.")
        return splits

    def assign(self, times: Times, labels: pa.Table) -> pa.DictionaryArray:
        """Name each row's split by the column's value.

        Raises:
            FeatureNotFoundError: for a column that the labels do not have.
            LabelsError: for rows whose value makes no split, where no `rest` was given.
        """
        del times
        check_column(labels, self.column)
        encoded = texts(labels[self.column], self.column).dictionary_encode()
        values = [*encoded.dictionary.to_pylist(), None]
        rows = encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
        split_of = self._split_of()
        unknown = [value for value, count in zip(values, np.bincount(rows, minlength=len(values)), strict=True) if count and value not in split_of]
        if unknown and self.rest is None:
            raise LabelsError(
                f"Column {self.column!r} of the labels has values that make no split: {quoted(unknown)}. It makes {self._makes(split_of)}. "
                "Name each value's split, as in tr.ColumnSplit('fold', train=[0, 1], test=2), or give the others one with rest='train' or rest='embargo'."
            )
        codes = np.array([SPLITS.index(split_of.get(value, self.rest or TRAIN)) for value in values], dtype=np.int8)
        return named(codes[rows])

    def _makes(self, split_of: Mapping[str, str]) -> str:
        return ", ".join(f"{name} of {quoted([text for text, split in split_of.items() if split == name])}" for name in dict.fromkeys(split_of.values()))

    def advice(self, times: Times, labels: pa.Table) -> str:
        """Say what to do where a split gets no row."""
        del times
        values = texts(labels[self.column], self.column).unique().to_pylist()
        return f"The values of {self.column!r} are {quoted(values)}, and the split is {self!r}. Name the values that make each split."

    def to_json(self) -> dict[str, Any]:
        """Write the rule for a receipt."""
        values = {name: None if getattr(self, name) is None else list(getattr(self, name)) for name in (TRAIN, VALIDATION, TEST)}
        return {"is": "ColumnSplit", "column": self.column, **values, "rest": self.rest}

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in (TRAIN, VALIDATION, TEST)}
        parts = [f"{name}={list(values)!r}" for name, values in values.items() if values is not None]
        return f"ColumnSplit({', '.join([repr(self.column), *parts, *([f'rest={self.rest!r}'] if self.rest else [])])})"


def _columns(names: str | Iterable[str], what: str) -> tuple[str, ...]:
    columns = as_names(names, f"`{what}` of a split")
    if not columns:
        raise InvalidDefinitionError(f"`{what}` of a split names no column; name a label column, or several.")
    return columns


def _keep(split: HashSplit | GroupSplit, columns: tuple[str, ...], validation: float, test: float, seed: int) -> None:
    check_shares(validation, test)
    if type(seed) is not int:
        raise InvalidDefinitionError(f"The seed of a split is a whole number, and {seed!r} is none.")
    name, *_ = split.__slots__
    for part, value in ((name, columns), ("validation", validation), ("test", test), ("seed", seed)):
        object.__setattr__(split, part, value)


def _fractions(keys: Iterable[str], seed: int) -> npt.NDArray[np.float64]:
    digests = b"".join(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8] for key in keys)
    # 53 bits are what a float holds exactly.
    return (np.frombuffer(digests, dtype=">u8") >> np.uint64(11)).astype(np.float64) / 2.0**53


def _dealt(sizes: npt.NDArray[np.int64], wanted: float) -> npt.NDArray[np.bool_]:
    """Choose groups of these sizes, in order, that hold about as many rows as wanted."""
    taken, rows = np.zeros(len(sizes), dtype=bool), 0
    for position, size in enumerate(sizes.tolist()):
        if rows + size <= wanted:
            taken[position], rows = True, rows + size
    # Every exchange comes nearer, so this ends; a few are enough.
    for _ in range(_EXCHANGES):
        exchange = _nearer(sizes, taken, wanted - float(sizes[taken].sum()))
        if exchange is None:
            break
        given, got = exchange
        taken[got] = True
        if given is not None:
            taken[given] = False
    return taken


def _nearer(sizes: npt.NDArray[np.int64], taken: npt.NDArray[np.bool_], lacking: float) -> tuple[int | None, int] | None:
    """Find the group to take, and the taken one to give back for it or none, that leave the least lacking; None where nothing helps."""
    inside, outside = np.flatnonzero(taken), np.flatnonzero(~taken)
    if not len(outside) or not lacking:
        return None
    outside = outside[np.argsort(sizes[outside], kind="stable")]
    given = np.concatenate([[0], sizes[inside]])
    places = np.searchsorted(sizes[outside], given + lacking)
    pairs = [np.clip(places - shift, 0, len(outside) - 1) for shift in (1, 0)]
    left_over = np.abs(lacking + given - sizes[outside][np.stack(pairs)])
    side, place = np.unravel_index(int(left_over.argmin()), left_over.shape)
    if left_over[side, place] >= abs(lacking):
        return None
    return (None if place == 0 else int(inside[place - 1])), int(outside[pairs[side][place]])


def _values(values: Value | Iterable[Value] | None) -> tuple[Value, ...] | None:
    if values is None:
        return None
    listed: Iterable[Any] = values if isinstance(values, Iterable) and not isinstance(values, str) else (values,)
    plain = tuple(value.item() if isinstance(value, np.generic) else value for value in listed)
    for value in plain:
        if type(value) not in (str, int, float, bool) or (isinstance(value, float) and not math.isfinite(value)):
            raise InvalidDefinitionError(f"A value of a ColumnSplit is {value!r}; give text, finite numbers or booleans (a date is text, as '2013-01-31').")
    return plain


def _shown(name: str, columns: tuple[str, ...], validation: float, test: float, seed: int) -> str:
    shares = [f"{split}={share:g}" for split, share in (("validation", validation), ("test", test)) if share]
    shown = repr(columns[0] if len(columns) == 1 else list(columns))
    return f"{name}({', '.join([shown, *shares, *([f'seed={seed}'] if seed else [])])})"
