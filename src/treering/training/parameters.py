"""What XGBoost is told: its parameters under its own names, each checked against a table before a job starts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

from treering.errors import InvalidDefinitionError, did_you_mean

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter that is a number in a range; the ends belong to it unless said otherwise.

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
        above = value > self.low if self.low_excluded else value >= self.low
        below = value < self.high if self.high_excluded else value <= self.high
        if not (above and below):
            return None
        return int(value) if self.whole else float(value)

    @property
    def rule(self) -> str:
        """The range in words."""
        kind = "a whole number" if self.whole else "a number"
        low = "" if self.low == -math.inf else f" {'above' if self.low_excluded else 'from'} {self.low:g}"
        high = "" if self.high == math.inf else f" {'below' if self.high_excluded else 'up to'} {self.high:g}"
        return kind + low + high


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter that is one of some words."""

    default: str | None
    words: tuple[str, ...]

    def read(self, value: object) -> Value | None:
        """Return the word, or None if it is not one of this parameter's."""
        return value if isinstance(value, str) and value in self.words else None

    @property
    def rule(self) -> str:
        """The words."""
        return f"one of {', '.join(self.words)}"


OBJECTIVES = (
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:tweedie",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
)
METRICS = (
    "rmse",
    "rmsle",
    "mae",
    "mape",
    "mphe",
    "logloss",
    "error",
    "merror",
    "mlogloss",
    "auc",
    "aucpr",
    "poisson-nloglik",
    "gamma-nloglik",
    "gamma-deviance",
)

# Names, ranges and defaults: XGBoost's "XGBoost Parameters" page (3.2) and the checks of SageMaker's XGBoost container.
PARAMETERS: Mapping[str, Number | Choice] = MappingProxyType(
    {
        "objective": Choice("reg:squarederror", OBJECTIVES),
        "num_class": Number(None, low=2, whole=True),
        "base_score": Number(None),
        "booster": Choice("gbtree", ("gbtree", "dart")),
        "tree_method": Choice("hist", ("auto", "hist")),
        "eta": Number(0.3, low=0, high=1),
        "gamma": Number(0.0, low=0),
        "max_depth": Number(6, low=0, whole=True),
        "min_child_weight": Number(1.0, low=0),
        "max_delta_step": Number(0.0, low=0),
        "subsample": Number(1.0, low=0, high=1, low_excluded=True),
        "colsample_bytree": Number(1.0, low=0, high=1, low_excluded=True),
        "colsample_bylevel": Number(1.0, low=0, high=1, low_excluded=True),
        "colsample_bynode": Number(1.0, low=0, high=1, low_excluded=True),
        "lambda": Number(1.0, low=0),
        "alpha": Number(0.0, low=0),
        "scale_pos_weight": Number(1.0, low=0, low_excluded=True),
        "grow_policy": Choice("depthwise", ("depthwise", "lossguide")),
        "max_leaves": Number(0, low=0, whole=True),
        "max_bin": Number(256, low=2, whole=True),
        "num_parallel_tree": Number(1, low=1, whole=True),
        "tweedie_variance_power": Number(None, low=1, high=2, low_excluded=True, high_excluded=True),
        "seed": Number(0, low=0, high=2**31 - 1, whole=True),
        "nthread": Number(None, low=1, whole=True),
    }
)

# XGBoost's own second names; `lambda` cannot be written as an argument in Python.
ALIASES: Mapping[str, str] = MappingProxyType(
    {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha", "n_jobs": "nthread", "random_state": "seed"}
)

_ROUNDS = Number(whole=True, low=1)


@dataclass(frozen=True, slots=True, repr=False)
class XGBoost:
    """How to train a gradient-boosted model; names, ranges and defaults are XGBoost's.

    Attributes:
        num_round: how many rounds to boost.
        early_stopping_rounds: stop after so many rounds without a better validation value, and keep the best
            round's model; None never stops early.
        eval_metric: what is printed each round; the last one decides on early stopping. Empty means the objective's own.
        parameters: every other parameter by XGBoost's name, defaults included.
    """

    name: ClassVar[str] = "XGBoost"

    num_round: int
    early_stopping_rounds: int | None
    eval_metric: tuple[str, ...]
    parameters: Mapping[str, Value]

    def __init__(
        self,
        *,
        num_round: int = 100,
        early_stopping_rounds: int | None = None,
        eval_metric: str | tuple[str, ...] | list[str] = (),
        **parameters: Value,
    ) -> None:
        """Check and keep what is asked for.

        >>> XGBoost(objective="binary:logistic", max_depth=4, eval_metric="auc")
        XGBoost(objective='binary:logistic', max_depth=4, num_round=100, eval_metric=('auc',))

        Args:
            num_round: how many rounds to boost, at least 1.
            early_stopping_rounds: needs a validation split; None never stops early.
            eval_metric: one of XGBoost's metrics, or several.
            **parameters: `max_depth`, `eta`, `subsample`, `seed`, ... as in XGBoost's documentation.

        Raises:
            InvalidDefinitionError: for an unknown name, with the nearest one, or a value out of range.
        """
        set_ = object.__setattr__
        set_(self, "num_round", _read("num_round", _ROUNDS, num_round))
        set_(self, "early_stopping_rounds", None if early_stopping_rounds is None else _read("early_stopping_rounds", _ROUNDS, early_stopping_rounds))
        set_(self, "eval_metric", tuple(_metric(name) for name in ([eval_metric] if isinstance(eval_metric, str) else eval_metric)))
        given = {name: _read(name, PARAMETERS[name], value) for name, value in _known(parameters).items()}
        defaults = {name: rule.default for name, rule in PARAMETERS.items() if rule.default is not None}
        set_(self, "parameters", MappingProxyType(defaults | given))
        _check_together(self.parameters)

    @property
    def told(self) -> dict[str, Value]:
        """The parameters that are not XGBoost's defaults."""
        return {name: value for name, value in self.parameters.items() if value != PARAMETERS[name].default}

    def to_json(self) -> dict[str, Any]:
        """Write the trainer for a job's document; `from_json` reads it."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in self._fields().items()}
        return {"is": self.name, **plain, "parameters": dict(sorted(self.parameters.items()))}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "XGBoost":
        """Read a trainer that a job's document holds."""
        named = {field.name: value[field.name] for field in fields(cls) if field.name != "parameters"}
        return cls(**named, **value["parameters"])

    def _fields(self) -> dict[str, Any]:
        return {"num_round": self.num_round, "early_stopping_rounds": self.early_stopping_rounds, "eval_metric": self.eval_metric}

    def __repr__(self) -> str:
        shown = self.told | {name: value for name, value in self._fields().items() if value not in (None, ())}
        return f"XGBoost({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _known(parameters: Mapping[str, Value]) -> dict[str, Value]:
    known: dict[str, Value] = {}
    for given, value in parameters.items():
        name = ALIASES.get(given, given)
        if name not in PARAMETERS:
            hint = did_you_mean(given, (*PARAMETERS, *ALIASES, "num_round", "early_stopping_rounds", "eval_metric"))
            raise InvalidDefinitionError(f"XGBoost has no parameter {given!r} that treering knows. {hint}")
        if name in known:
            raise InvalidDefinitionError(f"XGBoost is told {name!r} twice, the second time as {given!r}. Drop one.")
        known[name] = value
    return known


def _read(name: str, rule: Number | Choice, value: object) -> Value:
    read = rule.read(value)
    if read is None:
        hint = f" {did_you_mean(value, rule.words)}" if isinstance(rule, Choice) and isinstance(value, str) else ""
        raise InvalidDefinitionError(f"XGBoost's {name!r} is {value!r}; it has to be {rule.rule}.{hint}")
    return read


def _metric(name: str) -> str:
    # Some of XGBoost's metrics take a threshold after an @, as in error@0.7.
    if not isinstance(name, str) or name.partition("@")[0] not in METRICS:
        raise InvalidDefinitionError(f"XGBoost has no metric {name!r} that treering knows. {did_you_mean(str(name), METRICS)}")
    return name


def _check_together(parameters: Mapping[str, Value]) -> None:
    objective = str(parameters["objective"])
    if objective.startswith("multi:") != ("num_class" in parameters):
        raise InvalidDefinitionError(
            f"The objective {objective!r} and `num_class` do not go together: multi:* objectives need the number of classes, others have none."
        )
