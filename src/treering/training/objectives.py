"""What XGBoost may learn and how it is measured: objectives, the targets they take, and metrics with their direction."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from treering.errors import InvalidDefinitionError, did_you_mean
from treering.training.parameter_rules import Number


class Kind(StrEnum):
    """What a model's answer is."""

    AMOUNT = "an amount"
    SHARE = "a share from 0 to 1"
    COUNT = "a count"
    TWO_CLASSES = "one of two classes"
    LOG_ODDS = "the log odds of two classes"
    CLASSES = "one of several classes"
    SURVIVAL = "a hazard"

    @property
    def is_classes(self) -> bool:
        """Whether the target's values are names of classes, not amounts."""
        return self in (Kind.TWO_CLASSES, Kind.LOG_ODDS, Kind.CLASSES)


_ANY = Number()


@dataclass(frozen=True, slots=True)
class Objective:
    """One of XGBoost's objectives.

    Attributes:
        metric: what is measured where no metric is named.
        target: the range of targets that are amounts; classes may be anything.
        base_score: the range of `base_score`.
    """

    kind: Kind
    metric: str
    about: str
    target: Number = _ANY
    base_score: Number = _ANY


_SHARE = Number(low=0, high=1)
_INSIDE = Number(low=0, high=1, low_excluded=True, high_excluded=True)
_ABOVE_0 = Number(low=0, low_excluded=True)

OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "reg:squarederror": Objective(Kind.AMOUNT, "rmse", "Learns an amount; large mistakes count by their square."),
        "reg:squaredlogerror": Objective(
            Kind.AMOUNT, "rmsle", "Learns an amount above -1 by its logarithm, so that mistakes count by their ratio.", Number(low=-1, low_excluded=True)
        ),
        "reg:logistic": Objective(Kind.SHARE, "rmse", "Learns a share, such as a rate or a soft label.", _SHARE, _INSIDE),
        "reg:pseudohubererror": Objective(Kind.AMOUNT, "mphe", "Learns an amount; mistakes beyond `huber_slope` count by their size, not their square."),
        "reg:absoluteerror": Objective(Kind.AMOUNT, "mae", "Learns the median of an amount."),
        "reg:quantileerror": Objective(Kind.AMOUNT, "quantile", "Learns the quantile `quantile_alpha` of an amount."),
        "reg:gamma": Objective(Kind.AMOUNT, "gamma-deviance", "Learns the mean of an amount above 0 that scatters in proportion to it.", _ABOVE_0, _ABOVE_0),
        "reg:tweedie": Objective(
            Kind.AMOUNT, "tweedie-nloglik", "Learns the mean of an amount that is often 0 and otherwise above, such as a claim.", Number(low=0), _ABOVE_0
        ),
        "count:poisson": Objective(Kind.COUNT, "poisson-nloglik", "Learns the mean of a count.", Number(low=0), _ABOVE_0),
        "binary:logistic": Objective(Kind.TWO_CLASSES, "logloss", "Learns the probability of the second of two classes.", base_score=_INSIDE),
        # XGBoost takes raw log odds for probabilities in logloss and error, which says nothing.
        "binary:logitraw": Objective(Kind.LOG_ODDS, "auc", "As binary:logistic, and answers the log odds."),
        "binary:hinge": Objective(Kind.TWO_CLASSES, "error", "Learns to tell two classes apart, and answers 0 or 1."),
        "multi:softmax": Objective(Kind.CLASSES, "mlogloss", "Learns to tell classes apart, and answers the position of one class."),
        "multi:softprob": Objective(Kind.CLASSES, "mlogloss", "Learns the probability of every class."),
        "survival:cox": Objective(Kind.SURVIVAL, "cox-nloglik", "Learns the hazard until an event; a negative time means that it had not come by then."),
    }
)

_NEEDS_GROUPS = "a ranking needs to know which rows are ranked together, and labels do not say that"
_NEEDS_BOUNDS = "it needs two bounds for every row, and labels have one target; take survival:cox, where a negative time is a censored one"

REFUSED_OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "rank:ndcg": _NEEDS_GROUPS,
        "rank:map": _NEEDS_GROUPS,
        "rank:pairwise": _NEEDS_GROUPS,
        "survival:aft": _NEEDS_BOUNDS,
        "reg:linear": "it is the old name of reg:squarederror; say that",
    }
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to measure a model.

    Attributes:
        kinds: of objectives that it can measure.
        is_higher_better: which way early stopping watches it.
        is_own: whether treering computes it, in SageMaker's words; XGBoost has it not.
        at: the range of the number after an @; None where there is none.
        needs_at: whether that number has to be said.
    """

    kinds: tuple[Kind, ...]
    about: str
    is_higher_better: bool = False
    is_own: bool = False
    at: Number | None = None
    needs_at: bool = False


_AMOUNTS = (Kind.AMOUNT, Kind.SHARE, Kind.COUNT)
_TWO = (Kind.TWO_CLASSES,)
_CHOSEN = (Kind.TWO_CLASSES, Kind.LOG_ODDS)
_ALL_CLASSES = (*_CHOSEN, Kind.CLASSES)


def _own(kinds: tuple[Kind, ...], about: str) -> Metric:
    return Metric(kinds, about, is_higher_better=True, is_own=True)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "rmse": Metric((*_AMOUNTS, *_TWO), "Root of the mean squared mistake."),
        "mse": Metric((*_AMOUNTS, *_TWO), "Mean squared mistake.", is_own=True),
        "rmsle": Metric(_AMOUNTS, "Root of the mean squared mistake of the logarithm."),
        "mae": Metric((*_AMOUNTS, *_TWO), "Mean size of the mistake."),
        "mape": Metric(_AMOUNTS, "Mean size of the mistake in proportion to the target."),
        "mphe": Metric(_AMOUNTS, "Mean pseudo-Huber mistake."),
        "r2": _own(_AMOUNTS, "Share of the target's variance that the model explains."),
        "quantile": Metric((Kind.AMOUNT,), "Mean pinball mistake at `quantile_alpha`."),
        "poisson-nloglik": Metric((Kind.COUNT, Kind.AMOUNT), "Negative log likelihood of counts."),
        "gamma-nloglik": Metric((Kind.AMOUNT,), "Negative log likelihood of a gamma distribution."),
        "gamma-deviance": Metric((Kind.AMOUNT,), "Deviance of a gamma distribution."),
        "tweedie-nloglik": Metric(
            (Kind.AMOUNT, Kind.COUNT),
            "Negative log likelihood of a Tweedie distribution; the power after an @, as in tweedie-nloglik@1.5.",
            at=Number(low=1, high=2, low_excluded=True, high_excluded=True),
            needs_at=True,
        ),
        "cox-nloglik": Metric((Kind.SURVIVAL,), "Negative partial log likelihood of hazards."),
        "logloss": Metric((*_TWO, Kind.SHARE), "Negative log likelihood of the right class."),
        "error": Metric((*_TWO, Kind.SHARE), "Share of wrong answers; another threshold than 0.5 after an @, as in error@0.7.", at=_INSIDE),
        "auc": Metric((*_ALL_CLASSES, Kind.SHARE), "Area under the ROC curve.", is_higher_better=True),
        "aucpr": Metric((*_ALL_CLASSES, Kind.SHARE), "Area under the curve of precision over recall.", is_higher_better=True),
        "merror": Metric((Kind.CLASSES,), "Share of wrong answers."),
        "mlogloss": Metric((Kind.CLASSES,), "Negative log likelihood of the right class."),
        "accuracy": _own(_ALL_CLASSES, "Share of right answers."),
        "balanced_accuracy": _own(_ALL_CLASSES, "Recall, averaged over the classes."),
        "f1": _own(_ALL_CLASSES, "F1 averaged over the classes, as f1_macro; SageMaker's name."),
        "f1_macro": _own(_ALL_CLASSES, "Harmonic mean of precision and recall, averaged over the classes."),
        "f1_binary": _own(_CHOSEN, "Harmonic mean of precision and recall of the positive class."),
        "precision": _own(_CHOSEN, "Share of answers for the positive class that are right."),
        "precision_macro": _own(_ALL_CLASSES, "Precision, averaged over the classes."),
        "precision_micro": _own(_ALL_CLASSES, "Precision over all answers; the share of right answers."),
        "recall": _own(_CHOSEN, "Share of the positive class's rows that are found."),
        "recall_macro": _own(_ALL_CLASSES, "Recall, averaged over the classes."),
        "recall_micro": _own(_ALL_CLASSES, "Recall over all rows; the share of right answers."),
    }
)

_REFUSED_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "ndcg": _NEEDS_GROUPS,
        "map": _NEEDS_GROUPS,
        "pre": _NEEDS_GROUPS,
        "aft-nloglik": _NEEDS_BOUNDS,
        "interval-regression-accuracy": _NEEDS_BOUNDS,
    }
)


def metric_of(name: str) -> Metric:
    """Find a metric by a name that may end in an @ and a number."""
    return METRICS[name.partition("@")[0]]


def read_metric(name: object) -> str:
    """Return a metric's name as XGBoost prints it.

    >>> read_metric("error@0.50"), read_metric("error@0.70")
    ('error', 'error@0.7')

    Raises:
        InvalidDefinitionError: for a name that is none, with the nearest one, or a number after the @ that is out of range.
    """
    base, mark, number = str(name).partition("@")
    if base in _REFUSED_METRICS:
        raise InvalidDefinitionError(f"XGBoost's metric {name!r} is not supported: {_REFUSED_METRICS[base]}.")
    if not isinstance(name, str) or base not in METRICS:
        raise InvalidDefinitionError(f"XGBoost has no metric {name!r} that treering knows. {did_you_mean(str(name), METRICS)}")
    metric = METRICS[base]
    if not mark and not metric.needs_at:
        return base
    if metric.at is None:
        raise InvalidDefinitionError(f"The metric {base!r} takes no number after an @, and {name!r} has one. Say {base!r}.")
    at = _number(number)
    if at is None or metric.at.read(at) is None:
        raise InvalidDefinitionError(f"The metric {name!r} has to have {metric.at.rule} after an @.")
    # XGBoost prints six digits, and an error at its own threshold without it.
    return base if (base, at) == ("error", 0.5) else f"{base}@{at:g}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def check_measures(metrics: tuple[str, ...], objective: str) -> None:
    """Refuse metrics that say nothing about what is learnt.

    Raises:
        InvalidDefinitionError: naming the first, with those that do.
    """
    kind = OBJECTIVES[objective].kind
    for name in metrics:
        if kind not in metric_of(name).kinds or (name == "quantile" and objective != "reg:quantileerror"):
            fitting = ", ".join(name for name, metric in METRICS.items() if kind in metric.kinds and name != "quantile")
            raise InvalidDefinitionError(f"The metric {name!r} does not measure {objective!r}, whose answer is {kind}. Those that do: {fitting}.")
