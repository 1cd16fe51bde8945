"""What XGBoost is told: its parameters under its own names, each checked against a table before a job starts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

from treering.errors import InvalidDefinitionError, did_you_mean
from treering.training.objectives import OBJECTIVES, Objective, check_measures, metric_of, read_metric
from treering.training.parameter_help import ParameterHelp, known_names
from treering.training.parameter_rules import Choice, Number, Rule, Value
from treering.training.parameter_table import ALIASES, DEFAULTS_WITH, PARAMETERS, REFUSED

ClassValue = str | int | bool
"""A class of a target."""

BALANCED = "balanced"

_ROUNDS = Number(whole=True, low=1)
_WEIGHT = Number(low=0)
_LISTS = ("greedy", "thrifty")


@dataclass(frozen=True, slots=True, repr=False)
class XGBoost:
    """How to train a gradient-boosted model; names, ranges and defaults are XGBoost's, and `XGBoost.help()` lists them.

    Attributes:
        num_round: how many rounds to boost.
        early_stopping_rounds: stop after so many rounds without a better validation value, and keep the best
            round's model; None never stops early.
        eval_metric: what is printed each round; the last one decides on early stopping. Empty means the objective's own.
        class_weight: how much the rows of each class of the train split count; None for all alike.
        parameters: every other parameter by XGBoost's name, with the defaults of those that the booster and the objective use.
    """

    name: ClassVar[str] = "XGBoost"

    num_round: int
    early_stopping_rounds: int | None
    eval_metric: tuple[str, ...]
    class_weight: str | Mapping[ClassValue, float] | None
    parameters: Mapping[str, Value]

    def __init__(
        self,
        *,
        num_round: int = 100,
        early_stopping_rounds: int | None = None,
        eval_metric: str | tuple[str, ...] | list[str] = (),
        class_weight: str | Mapping[Any, float] | None = None,
        **parameters: Any,
    ) -> None:
        """Check and keep what is asked for.

        >>> XGBoost(objective="binary:logistic", max_depth=4, eval_metric="auc")
        XGBoost(objective='binary:logistic', max_depth=4, num_round=100, eval_metric=('auc',))

        Args:
            num_round: how many rounds to boost, at least 1.
            early_stopping_rounds: needs a validation split; None never stops early.
            eval_metric: one of XGBoost's metrics, or several; `XGBoost.help("eval_metric")` lists them.
            class_weight: for classes alone: "balanced" lets every class count as much as any other, a row of it
                rows / (classes * rows of its class) times, as in scikit-learn; a mapping says how often a row of each
                class counts, 1 where it names none. Rows of the train split count so; the others are measured as they are.
            **parameters: `max_depth`, `eta`, `subsample`, `seed`, ... as in XGBoost's documentation.

        Raises:
            InvalidDefinitionError: for an unknown name, with the nearest one, a value out of range, or what does not go together.
        """
        set_ = object.__setattr__
        set_(self, "num_round", _read("num_round", _ROUNDS, num_round))
        set_(self, "early_stopping_rounds", None if early_stopping_rounds is None else _read("early_stopping_rounds", _ROUNDS, early_stopping_rounds))
        set_(self, "class_weight", _class_weight(class_weight))
        set_(self, "parameters", _complete({name: _read(name, PARAMETERS[name].takes, value) for name, value in _known(parameters).items()}))
        set_(self, "eval_metric", _metrics(eval_metric))
        check_measures(self.eval_metric, str(self.parameters["objective"]))
        _check_together(self)

    @property
    def objective(self) -> Objective:
        """What the objective's answer is, and which targets it takes."""
        return OBJECTIVES[str(self.parameters["objective"])]

    @property
    def defaults(self) -> Mapping[str, Value | None]:
        """What XGBoost uses for every parameter that goes with the booster, the tree method and the objective; None where it works it out."""
        return MappingProxyType(_defaults(self.parameters))

    @property
    def told(self) -> dict[str, Value]:
        """The parameters that are not XGBoost's defaults."""
        defaults = self.defaults
        return {name: value for name, value in self.parameters.items() if value != defaults[name]}

    @property
    def watched_metric(self) -> str:
        """The metric that decides on early stopping, as XGBoost prints it.

        >>> XGBoost(objective="reg:tweedie").watched_metric
        'tweedie-nloglik@1.5'
        """
        if self.eval_metric:
            return self.eval_metric[-1]
        power = f"@{self.parameters['tweedie_variance_power']:g}" if "tweedie_variance_power" in self.parameters else ""
        return f"{self.objective.metric}{power}"

    @property
    def own_metrics(self) -> tuple[str, ...]:
        """The metrics asked for that XGBoost does not have and treering computes."""
        return tuple(name for name in self.eval_metric if metric_of(name).is_own)

    @classmethod
    def help(cls, name: str | None = None) -> ParameterHelp:
        """List every parameter with its default, its rule and what it does; printing the answer gives a table.

        >>> XGBoost.help("eta")
        name  default  rule                     about
        eta   0.3      a number from 0 up to 1  How much of each round's correction is taken: smaller learns slower and overfits less.

        Args:
            name: of one parameter; "objective" and "eval_metric" list their words. None lists all parameters.

        Raises:
            InvalidDefinitionError: for a name that is none, with the nearest one.
        """
        return ParameterHelp.of(name)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "XGBoost":
        """Read parameters that are all text, as SageMaker's hyperparameters and a command line give them.

        >>> XGBoost.from_texts({"num_round": "20", "max_depth": "4", "eval_metric": "rmse,mae", "monotone_constraints": '{"wind": 1}'})
        XGBoost(max_depth=4, monotone_constraints={'wind': 1}, num_round=20, eval_metric=('rmse', 'mae'))

        Raises:
            InvalidDefinitionError: as the constructor.
        """
        values: dict[str, Any] = {name: _value(text) for name, text in texts.items()}
        if "eval_metric" in texts:
            values["eval_metric"] = [name.strip() for name in texts["eval_metric"].split(",")]
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Write the trainer for a job's document; `from_json` reads it."""
        told = {name: _plain(value) for name, value in self._fields().items()}
        if isinstance(self.class_weight, Mapping):
            # JSON's objects would make texts of classes that are numbers.
            told["class_weight"] = [[value, weight] for value, weight in self.class_weight.items()]
        return {"is": self.name, **told, "parameters": {name: _plain(value) for name, value in sorted(self.parameters.items())}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "XGBoost":
        """Read a trainer that a job's document holds."""
        named = {field.name: value[field.name] for field in fields(cls) if field.name in value and field.name != "parameters"}
        if isinstance(named.get("class_weight"), list):
            named["class_weight"] = dict(named["class_weight"])
        return cls(**named, **value["parameters"])

    def _fields(self) -> dict[str, Any]:
        return {
            "num_round": self.num_round,
            "early_stopping_rounds": self.early_stopping_rounds,
            "eval_metric": self.eval_metric,
            "class_weight": self.class_weight,
        }

    def __repr__(self) -> str:
        shown = self.told | {name: value for name, value in self._fields().items() if value not in (None, ())}
        return f"XGBoost({', '.join(f'{name}={dict(value) if isinstance(value, Mapping) else value!r}' for name, value in shown.items())})"


def _known(parameters: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for given, value in parameters.items():
        name = ALIASES.get(given, given)
        if name in REFUSED:
            raise InvalidDefinitionError(f"XGBoost's {name!r} is not supported: {REFUSED[name]}.")
        if name not in PARAMETERS:
            raise InvalidDefinitionError(f"XGBoost has no parameter {given!r} that treering knows. {did_you_mean(given, known_names())}")
        if name in known:
            raise InvalidDefinitionError(f"XGBoost is told {name!r} twice, the second time as {given!r}. Drop one.")
        known[name] = value
    return known


def _read(name: str, rule: Rule, value: object) -> Value:
    read = rule.read(value)
    if read is not None:
        return read
    if isinstance(rule, Choice) and isinstance(value, str):
        if value in rule.refused:
            raise InvalidDefinitionError(f"XGBoost's {name}={value!r} is not supported: {rule.refused[value]}.")
        raise InvalidDefinitionError(f"XGBoost's {name!r} is {value!r}; it has to be {rule.rule}. {did_you_mean(value, rule.words)}")
    raise InvalidDefinitionError(f"XGBoost's {name!r} is {value!r}; it has to be {rule.rule}.")


def _complete(given: Mapping[str, Value]) -> Mapping[str, Value]:
    defaults = _defaults(given)
    for name, value in given.items():
        if name not in defaults and value != PARAMETERS[name].default:
            raise InvalidDefinitionError(f"XGBoost's {name!r} goes with {_missing(name, given)}. Say that too, or leave {name!r} out.")
    used = {name: value for name, value in (defaults | dict(given)).items() if name in defaults and value is not None}
    return MappingProxyType(used)


def _defaults(given: Mapping[str, Value]) -> dict[str, Value | None]:
    """The default of every parameter that goes with what is given."""
    defaults: dict[str, Value | None] = {name: parameter.default for name, parameter in PARAMETERS.items() if not _missing(name, given)}
    for word in (_said("booster", given), _said("objective", given)):
        defaults |= {name: value for name, value in DEFAULTS_WITH.get(word, {}).items() if name in defaults}
    return defaults


def _missing(name: str, given: Mapping[str, Value]) -> str:
    """What else would have to be said for a parameter to be used; empty if it is."""
    unmet = [(other, words) for other, words in PARAMETERS[name].needs.items() if _said(other, given) not in words]
    return " and ".join(f"{other}={' or '.join(repr(word) for word in words)}, not {_said(other, given)!r}" for other, words in unmet)


def _said(name: str, given: Mapping[str, Value]) -> str:
    return str(given.get(name, PARAMETERS[name].default))


def _metrics(names: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    metrics = tuple(read_metric(name) for name in ([names] if isinstance(names, str) else names))
    if len(set(metrics)) < len(metrics):
        raise InvalidDefinitionError(f"XGBoost's 'eval_metric' names a metric twice: {', '.join(metrics)}. Drop one.")
    return metrics


def _class_weight(given: str | Mapping[Any, float] | None) -> str | Mapping[ClassValue, float] | None:
    if given is None or given == BALANCED:
        return given
    if not isinstance(given, Mapping) or not given:
        raise InvalidDefinitionError(f"`class_weight` is {given!r}; it has to be {BALANCED!r}, or a mapping from classes to weights such as {{0: 1, 1: 5}}.")
    weights: dict[ClassValue, float] = {}
    for value, weight in given.items():
        read = _WEIGHT.read(weight)
        if not isinstance(read, float):
            raise InvalidDefinitionError(f"`class_weight` of class {value!r} is {weight!r}; it has to be {_WEIGHT.rule}.")
        # NumPy's values, which a frame's classes are, say what they are through `item`.
        weights[getattr(value, "item", lambda value=value: value)()] = read
    return MappingProxyType(weights)


def _check_together(trainer: XGBoost) -> None:
    told, objective = trainer.parameters, trainer.objective
    contradictions = {
        "The objective 'reg:quantileerror' needs `quantile_alpha`, such as 0.5 for the median.": (
            told["objective"] == "reg:quantileerror" and "quantile_alpha" not in told
        ),
        f"`class_weight` weighs classes, and the answer of {told['objective']!r} is {objective.kind}. Give rows weights with Labels(weight=...).": (
            trainer.class_weight is not None and not objective.kind.is_classes
        ),
        "`class_weight` and `scale_pos_weight` both weigh classes. Drop one.": trainer.class_weight is not None and told.get("scale_pos_weight", 1.0) != 1.0,
        f"XGBoost's 'base_score' is {told.get('base_score')}; with {told['objective']!r} it has to be {objective.base_score.rule}.": (
            "base_score" in told and objective.base_score.read(told["base_score"]) is None
        ),
        "tree_method='exact' needs a `max_depth` above 0.": told.get("tree_method") == "exact" and told["max_depth"] == 0,
        "XGBoost's 'top_k' goes with feature_selector='greedy' or 'thrifty'.": bool(told.get("top_k")) and told["feature_selector"] not in _LISTS,
    }
    for message, is_so in contradictions.items():
        if is_so:
            raise InvalidDefinitionError(message)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
