"""What a parameter of XGBoost may be: a number in a range, one of some words, constraints on features."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Value = str | int | float | bool | tuple["Value", ...] | Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range; the ends belong to it unless said otherwise.

    Attributes:
        default: what XGBoost uses where nothing is said; None means that XGBoost works it out itself.
    """

    default: float | None = None
    low: float = -math.inf
    high: float = math.inf
    low_excluded: bool = False
    high_excluded: bool = False
    whole: bool = False

    def read(self, value: object) -> Value | None:
        """Return the value as the type that XGBoost takes, or None if it is not one of this parameter's."""
        # NumPy's numbers say what they are through `item`.
        value = getattr(value, "item", lambda: value)()
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or (self.whole and value != int(value)):
            return None
        if not self.holds(value):
            return None
        return int(value) if self.whole else float(value)

    def holds(self, value: float) -> bool:
        """Whether a number is in the range."""
        above = value > self.low if self.low_excluded else value >= self.low
        below = value < self.high if self.high_excluded else value <= self.high
        return above and below

    @property
    def rule(self) -> str:
        """The range in words."""
        kind = "a whole number" if self.whole else "a number"
        low = "" if self.low == -math.inf else f" {'above' if self.low_excluded else 'from'} {self.low:.10g}"
        high = "" if self.high == math.inf else f" {'below' if self.high_excluded else 'up to'} {self.high:.10g}"
        return kind + low + high


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words.

    Attributes:
        refused: words that XGBoost knows and treering does not take, each with the reason.
    """

    default: str | None
    words: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def read(self, value: object) -> Value | None:
        """Return the word, or None if it is not one of this parameter's."""
        return value if isinstance(value, str) and value in self.words else None

    @property
    def rule(self) -> str:
        """The words."""
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Directions:
    """Which way a prediction may move as a feature grows: 1 up, -1 down, 0 either way."""

    default: None = None
    rule: str = "1, -1 or 0 by feature name, or for each feature in order"

    def read(self, value: object) -> Value | None:
        """Return the mapping, or the numbers as a tuple; SageMaker's text for them, `(1,0,-1)`, is read too."""
        value = _parsed(value)
        if isinstance(value, Mapping):
            is_right = bool(value) and all(isinstance(name, str) and _is_direction(direction) for name, direction in value.items())
            return MappingProxyType(dict(value)) if is_right else None
        return tuple(value) if isinstance(value, list | tuple) and value and all(_is_direction(direction) for direction in value) else None


@dataclass(frozen=True, slots=True)
class Together:
    """Which features may stand on one path of a tree."""

    default: None = None
    rule: str = "a list of lists of feature names"

    def read(self, value: object) -> Value | None:
        """Return the lists as tuples."""
        value = _parsed(value)
        if not isinstance(value, list | tuple) or not value:
            return None
        is_right = all(isinstance(group, list | tuple) and group and all(isinstance(name, str) for name in group) for group in value)
        return tuple(tuple(group) for group in value) if is_right else None


Rule = Number | Choice | Directions | Together


def _is_direction(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in (-1, 0, 1)


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parsed: object = json.loads(value.replace("(", "[").replace(")", "]"))
    except ValueError:
        return None
    return parsed
