"""The metrics that SageMaker's container has and XGBoost has not, of answers against targets, each row by its weight."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
_Counts = npt.NDArray[np.float64]


def measure(name: str, target: Floats, answers: Floats, weights: Floats | None = None, *, threshold: float | None = 0.5) -> float:
    """Measure answers; classes that neither occur nor are answered are passed over, and a share of nothing is 0, as in scikit-learn.

    >>> measure("f1_binary", np.array([0, 1, 1, 1]), np.array([0.1, 0.9, 0.2, 0.8]))
    0.8

    Args:
        name: of `METRICS`, one that is treering's own.
        target: the right answers: amounts, or positions of classes.
        answers: amounts; or probabilities or scores of the second class; or positions of classes; or of shape (rows, classes), probabilities.
        weights: how much each row counts; None or none for all alike.
        threshold: above which a probability or a score is the second class; None if answers are positions.
    """
    counted = np.ones(len(target)) if weights is None or not len(weights) else np.asarray(weights, dtype=np.float64)
    if name in _OF_AMOUNTS:
        return float(_OF_AMOUNTS[name](np.asarray(target, dtype=np.float64), np.asarray(answers, dtype=np.float64), counted))
    return float(_OF_CLASSES[name](_confusion(np.asarray(target, dtype=np.int64), decide(answers, threshold), counted)))


def decide(answers: Floats, threshold: float | None = 0.5) -> npt.NDArray[np.int64]:
    """Turn answers into positions of classes.

    Args:
        answers: as for `measure`.
        threshold: above which the second class is meant; None if answers are positions already.
    """
    if answers.ndim == 2:
        return np.asarray(answers.argmax(axis=1), dtype=np.int64)
    return np.asarray(answers if threshold is None else answers > threshold).astype(np.int64)


def _confusion(target: npt.NDArray[np.int64], answers: npt.NDArray[np.int64], weights: Floats) -> _Counts:
    classes = int(max(target.max(initial=1), answers.max(initial=1))) + 1
    confusion: _Counts = np.bincount(target * classes + answers, weights=weights, minlength=classes * classes).reshape(classes, classes).astype(np.float64)
    return confusion


def _share(part: _Counts, whole: _Counts) -> _Counts:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _recalls(confusion: _Counts) -> _Counts:
    return _share(confusion.diagonal(), confusion.sum(axis=1))


def _precisions(confusion: _Counts) -> _Counts:
    return _share(confusion.diagonal(), confusion.sum(axis=0))


def _f1s(confusion: _Counts) -> _Counts:
    return _share(2 * confusion.diagonal(), confusion.sum(axis=0) + confusion.sum(axis=1))


def _accuracy(confusion: _Counts) -> float:
    return float(confusion.trace() / confusion.sum())


def _averaged(of: Callable[[_Counts], _Counts]) -> Callable[[_Counts], float]:
    def average(confusion: _Counts) -> float:
        return float(of(confusion)[(confusion.sum(axis=0) + confusion.sum(axis=1)) > 0].mean())

    return average


def _of_positive(of: Callable[[_Counts], _Counts]) -> Callable[[_Counts], float]:
    return lambda confusion: float(of(confusion)[1])


def _balanced_accuracy(confusion: _Counts) -> float:
    return float(_recalls(confusion)[confusion.sum(axis=1) > 0].mean())


def _mse(target: Floats, answers: Floats, weights: Floats) -> float:
    return float(np.average((target - answers) ** 2, weights=weights))


def _r2(target: Floats, answers: Floats, weights: Floats) -> float:
    variance = _mse(target, np.full_like(target, np.average(target, weights=weights)), weights)
    return 1 - _mse(target, answers, weights) / variance if variance else float("nan")


_OF_AMOUNTS: Mapping[str, Callable[[Floats, Floats, Floats], float]] = MappingProxyType({"mse": _mse, "r2": _r2})
_OF_CLASSES: Mapping[str, Callable[[_Counts], float]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "balanced_accuracy": _balanced_accuracy,
        "f1": _averaged(_f1s),
        "f1_macro": _averaged(_f1s),
        "f1_binary": _of_positive(_f1s),
        "precision": _of_positive(_precisions),
        "precision_macro": _averaged(_precisions),
        "precision_micro": _accuracy,
        "recall": _of_positive(_recalls),
        "recall_macro": _averaged(_recalls),
        "recall_micro": _accuracy,
    }
)
