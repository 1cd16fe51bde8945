"""What the text of CSV fields means: typed values, and the rows whose text has no such value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.sources.bad_rows import Violation, rows_where

_WHOLE = r"^-?\d{1,18}$"
_WHOLE_FLOAT = r"^-?\d{1,15}\.0*$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_EXACT = 2**53
_OVERFLOW = 2**63
_MANY_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Words:
    """The words that stand for nothing, for true and for false; null words count only where they are not quoted."""

    null: tuple[str, ...]
    true: tuple[str, ...]
    false: tuple[str, ...]


def typed(texts: pa.Array, type: pa.DataType, column: str, words: Words) -> tuple[pa.Array, list[Violation]]:
    """Turn text into values of a type, exactly as pyarrow's CSV reader does where it can, and say where it cannot."""
    return _TYPED[type](texts, column, words) if type in _TYPED else (texts, [])


def _booleans(texts: pa.Array, column: str, words: Words) -> tuple[pa.Array, list[Violation]]:
    true = pc.is_in(texts, value_set=pa.array(words.true, pa.string()))
    known = pc.or_(true, pc.is_in(texts, value_set=pa.array(words.false, pa.string())))
    bad = rows_where(pc.and_(pc.is_valid(texts), pc.invert(known)))
    return pc.if_else(known, true, None), [Violation(bad, "not a Boolean", column)]


def _fractionals(texts: pa.Array, column: str, words: Words) -> tuple[pa.Array, list[Violation]]:
    return _numbers(texts, column, {_NUMBER: pa.float64()}, _fractional)


def _integrals(texts: pa.Array, column: str, words: Words) -> tuple[pa.Array, list[Violation]]:
    return _numbers(texts, column, {_WHOLE: pa.int64(), _WHOLE_FLOAT: pa.float64()}, _integral)


def _numbers(texts: pa.Array, column: str, shapes: Mapping[str, pa.DataType], parse: Callable[[str], float | str]) -> tuple[pa.Array, list[Violation]]:
    """Cast the text of each shape as a whole, and parse what is left one by one; the first shape has the type of the result."""
    trimmed = pc.utf8_trim(texts, " \t")
    type = next(iter(shapes.values()))
    values = pa.nulls(len(trimmed), type)
    left = pc.is_valid(trimmed)
    for shape, shape_type in shapes.items():
        fits = pc.and_(left, pc.match_substring_regex(trimmed, shape).fill_null(fill_value=False))
        values = pc.if_else(fits, pc.cast(pc.cast(pc.if_else(fits, trimmed, None), shape_type), type), values)
        left = pc.and_(left, pc.invert(fits))
    rows = rows_where(left)
    parsed = [parse(text) for text in trimmed.take(pa.array(rows)).to_pylist()]
    if good := {row: value for row, value in zip(rows, parsed, strict=True) if not isinstance(value, str)}:
        mask = np.zeros(len(trimmed), dtype=bool)
        mask[list(good)] = True
        values = pc.replace_with_mask(values, pa.array(mask), pa.array(list(good.values()), type))
    reasons = sorted({value for value in parsed if isinstance(value, str)})
    return values, [Violation(np.array([r for r, value in zip(rows, parsed, strict=True) if value == reason]), reason, column) for reason in reasons]


def _fractional(text: str) -> float | str:
    try:
        return float(pa.scalar(text).cast(pa.float64()).as_py())
    except pa.ArrowInvalid:
        return "not a Fractional"


def _integral(text: str) -> int | str:
    # Decimal takes underscores and the digits of every script too.
    if not re.fullmatch(_NUMBER, text, re.ASCII):
        return "not an Integral"
    try:
        number = Decimal(text)
    except InvalidOperation:
        return "not an Integral"
    # A short text can write a number of a billion digits.
    is_huge = number.adjusted() >= _MANY_DIGITS
    if not (is_huge or number == number.to_integral_value()):
        return "not an Integral"
    if is_huge or not -_OVERFLOW <= number < _OVERFLOW:
        return "integer overflow"
    is_float = not text.lstrip("+-").isdigit()
    return "whole float beyond 2^53" if is_float and abs(number) >= _EXACT else int(number)


_TYPED: Mapping[pa.DataType, Callable[[pa.Array, str, Words], tuple[pa.Array, list[Violation]]]] = {
    pa.bool_(): _booleans,
    pa.float64(): _fractionals,
    pa.int64(): _integrals,
}

# An integer with a leading zero is a code, and one of more than 15 digits that fits no int64 an identifier: both are text.
_SHAPES: tuple[tuple[str, pa.DataType], ...] = (
    (r"^-?(0|[1-9]\d{0,17})$", pa.int64()),
    (r"^(?i:true|false)$", pa.bool_()),
    (r"^([+-]?((0|[1-9]\d{0,14})(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(?i:nan|inf|infinity))$", pa.float64()),
    (r"^\d{4}-\d\d-\d\d$", pa.date32()),
    (r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?$", pa.timestamp("us")),
    (r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$", pa.timestamp("us", tz="UTC")),
)


def inferred(texts: pa.ChunkedArray) -> pa.DataType:
    """Guess the type of a column from its text; text where nothing else fits all of it."""
    given = texts.drop_null()
    shapes = _SHAPES if len(given) else ()
    return next((type for shape, type in shapes if pc.all(pc.match_substring_regex(given, shape)).as_py()), pa.string())
