"""How good predictions are: metrics and thinned curves for chances, amounts and classes. Arrays in, JSON-able values out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from treering.recipes.scikit_learn import sklearn
from treering.training.metrics import decide
from treering.training.objectives import Kind

Floats = npt.NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

MAXIMUM_POINTS = 200
_BINS = 15
_HISTOGRAM_BARS = 41
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose predictions are near each other.

    Attributes:
        predicted, observed: means over the bin's rows, weighted where the rows are.
        low, high: the 10% and 90% quantiles of what was observed.
    """

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class BinaryEvaluation:
    """How good chances are.

    Attributes:
        metrics: by name; None where the rows give none, such as the auc of rows of one class.
        roc: (false positive rate, true positive rate); empty where the rows are of one class.
        precision_recall: (recall, precision), from the highest threshold to the lowest; empty where no row is a yes.
        calibration: bins of about equally many rows, by predicted chance.
        confusion: rows by (actual, predicted at a chance of 0.5).
    """

    rows: int
    metrics: Mapping[str, float | None]
    roc: Points
    precision_recall: Points
    calibration: tuple[Bin, ...]
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Write what `json.dumps` takes."""
        return {"is": "binary", **asdict(self)}


@dataclass(frozen=True, slots=True)
class RegressionEvaluation:
    """How good numbers are. A residual is what happened minus what was predicted.

    Attributes:
        metrics: by name; None where the rows give none, such as the r2 of one row.
        residual_quantiles: by probability, as text.
        bins: bins of about equally many rows, by prediction.
        histogram: (middle of the bar, rows); the outer half percent on either side is in the outermost bars.
    """

    rows: int
    metrics: Mapping[str, float | None]
    residual_quantiles: Mapping[str, float]
    bins: tuple[Bin, ...]
    histogram: Points

    def to_json(self) -> dict[str, Any]:
        """Write what `json.dumps` takes."""
        return {"is": "regression", **asdict(self)}


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well one class is told from all others; None where the rows give no value."""

    name: str
    rows: int
    precision: float | None
    recall: float | None
    auc: float | None


@dataclass(frozen=True, slots=True)
class MulticlassEvaluation:
    """How good a choice among classes is.

    Attributes:
        metrics: by name; None where the rows or the predictions give none.
        classes: in the order of the model's answers.
        confusion: rows by (actual, predicted) class.
    """

    rows: int
    metrics: Mapping[str, float | None]
    classes: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Write what `json.dumps` takes."""
        return {"is": "multiclass", **asdict(self)}


Evaluation = BinaryEvaluation | RegressionEvaluation | MulticlassEvaluation


@dataclass(frozen=True, slots=True)
class Answers:
    """What was predicted for rows, beside what happened.

    Attributes:
        target: what happened: 0 or 1, a number, or the position of a class; nulls are left out before.
        prediction: one per row: the chance of 1, a number, or the position of a class; or a row of chances per row.
        weight: how much each row counts; None where all count the same.
        classes: names of the classes in the order of their positions.
    """

    target: Floats
    prediction: Floats
    weight: Floats | None = None
    classes: Sequence[str] = ()


def evaluate(answers: Answers, kind: Kind | None) -> Evaluation | None:
    """Measure predictions; None for a kind of answer that is not measured.

    >>> target, chance = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.4, 0.9])
    >>> found = evaluate(Answers(target, chance), Kind.TWO_CLASSES)
    >>> found.metrics["auc"], found.metrics["accuracy"], found.confusion
    (0.75, 0.5, ((1, 1), (1, 1)))

    Args:
        answers: of at least one row.
        kind: what the model answers; log odds are given as the chances that they mean.

    Raises:
        MissingExtraError: if scikit-learn is not installed.
    """
    measure = None if kind is None else _EVALUATIONS.get(kind)
    return None if measure is None else measure(answers)


def _binary(answers: Answers) -> BinaryEvaluation:
    metrics = sklearn("metrics")
    actual, chance, weight = answers.target.astype(np.int64), answers.prediction, answers.weight
    said = decide(chance)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(actual, said, average="binary", sample_weight=weight, zero_division=np.nan)
    has_both, has_yes = len(np.unique(actual)) == 2, bool(actual.any())
    found = {
        "auc": metrics.roc_auc_score(actual, chance, sample_weight=weight) if has_both else None,
        "average precision": metrics.average_precision_score(actual, chance, sample_weight=weight) if has_yes else None,
        "logloss": metrics.log_loss(actual, chance, sample_weight=weight, labels=[0, 1]),
        "brier": np.average((chance - actual) ** 2, weights=weight),
        "accuracy": metrics.accuracy_score(actual, said, sample_weight=weight),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "base rate": np.average(actual, weights=weight),
    }
    return BinaryEvaluation(
        rows=len(actual),
        metrics=_plain(found),
        roc=_thinned(*metrics.roc_curve(actual, chance, sample_weight=weight)[:2]) if has_both else (),
        precision_recall=_precision_recall(actual, chance, weight) if has_yes else (),
        calibration=_bins(answers),
        confusion=_confusion(actual, said, 2),
    )


def _precision_recall(actual: npt.NDArray[np.int64], chance: Floats, weight: Floats | None) -> Points:
    precision, recall, _ = sklearn("metrics").precision_recall_curve(actual, chance, sample_weight=weight, drop_intermediate=True)
    # The last point, recall 0 at precision 1, is scikit-learn's convention and no threshold's.
    return _thinned(recall[-2::-1], precision[-2::-1])


def _regression(answers: Answers) -> RegressionEvaluation:
    metrics = sklearn("metrics")
    actual, predicted, weight = answers.target, answers.prediction, answers.weight
    residual = actual - predicted
    found = {
        "rmse": math.sqrt(np.average(residual**2, weights=weight)),
        "mae": np.average(np.abs(residual), weights=weight),
        "r2": metrics.r2_score(actual, predicted, sample_weight=weight) if len(actual) > 1 else None,
        "mean residual": np.average(residual, weights=weight),
    }
    quantiles = np.quantile(residual, _QUANTILES)
    return RegressionEvaluation(
        rows=len(actual),
        metrics=_plain(found),
        residual_quantiles={f"{at:g}": float(value) for at, value in zip(_QUANTILES, quantiles, strict=True)},
        bins=_bins(answers),
        histogram=_histogram(residual),
    )


def _histogram(values: Floats) -> Points:
    low, high = np.quantile(values, (0.005, 0.995))
    counts, edges = np.histogram(np.clip(values, low, high), bins=_HISTOGRAM_BARS if high > low else 1)
    return tuple(zip(((edges[:-1] + edges[1:]) / 2).tolist(), counts.astype(float).tolist(), strict=True))


def _multiclass(answers: Answers) -> MulticlassEvaluation:
    metrics = sklearn("metrics")
    actual, weight, count = answers.target.astype(np.int64), answers.weight, len(answers.classes)
    chances = answers.prediction if answers.prediction.ndim == 2 else None
    said = decide(answers.prediction, None)
    aucs = [None if chances is None else _one_against_rest(actual == position, chances[:, position], weight) for position in range(count)]
    known = [auc for auc in aucs if auc is not None]
    precision, recall, _, _ = metrics.precision_recall_fscore_support(actual, said, labels=range(count), sample_weight=weight, zero_division=np.nan)
    found = {
        "logloss": None if chances is None else metrics.log_loss(actual, _summing_to_one(chances), sample_weight=weight, labels=range(count)),
        "accuracy": metrics.accuracy_score(actual, said, sample_weight=weight),
        "auc, one against rest": sum(known) / len(known) if known else None,
    }
    confusion = _confusion(actual, said, count)
    classes = (
        ClassScores(name, sum(confusion[position]), _number(precision[position]), _number(recall[position]), aucs[position])
        for position, name in enumerate(answers.classes)
    )
    return MulticlassEvaluation(len(actual), _plain(found), tuple(classes), confusion)


def _one_against_rest(actual: npt.NDArray[np.bool_], chance: Floats, weight: Floats | None) -> float | None:
    if actual.all() or not actual.any():
        return None
    return float(sklearn("metrics").roc_auc_score(actual, chance, sample_weight=weight))


def _summing_to_one(chances: Floats) -> Floats:
    # A model answers in 32 bits, whose rounding scikit-learn warns of.
    summing: Floats = chances / chances.sum(axis=1, keepdims=True)
    return summing


# A hazard has no value beside it that says how right it is.
_EVALUATIONS: Mapping[Kind, Callable[[Answers], Evaluation]] = {
    Kind.AMOUNT: _regression,
    Kind.SHARE: _regression,
    Kind.COUNT: _regression,
    Kind.TWO_CLASSES: _binary,
    Kind.LOG_ODDS: _binary,
    Kind.CLASSES: _multiclass,
}


def _bins(answers: Answers) -> tuple[Bin, ...]:
    edges = np.unique(np.quantile(answers.prediction, np.linspace(0, 1, _BINS + 1)))
    numbers = np.clip(np.searchsorted(edges, answers.prediction, side="right") - 1, 0, max(len(edges) - 2, 0))
    return tuple(_bin(answers, numbers == number) for number in np.unique(numbers))


def _bin(answers: Answers, rows: npt.NDArray[np.bool_]) -> Bin:
    actual, predicted = answers.target[rows], answers.prediction[rows]
    weight = None if answers.weight is None or not answers.weight[rows].any() else answers.weight[rows]
    low, high = np.quantile(actual, (0.1, 0.9))
    return Bin(float(np.average(predicted, weights=weight)), float(np.average(actual, weights=weight)), float(low), float(high), len(actual))


def _confusion(actual: npt.NDArray[np.int64], said: npt.NDArray[np.int64], count: int) -> tuple[tuple[int, ...], ...]:
    matrix = sklearn("metrics").confusion_matrix(actual, said, labels=range(count))
    return tuple(tuple(row) for row in matrix.tolist())


def _thinned(across: Floats, up: Floats) -> Points:
    """Keep so many points that a drawing looks the same: spaced evenly along the curve, first and last included."""
    if len(across) > MAXIMUM_POINTS:
        along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(across), np.diff(up)))])
        kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], MAXIMUM_POINTS)))
        across, up = across[kept], up[kept]
    return tuple(zip(across.tolist(), up.tolist(), strict=True))


def _plain(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in metrics.items()}


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
