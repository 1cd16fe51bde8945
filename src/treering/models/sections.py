"""The sections of a report as plain values: headline figures, tables, bars and charts, ready for the template to lay out."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from treering.models.charts import Chart, calibration, learning_curve, precision_recall, predicted_and_actual, residuals, roc
from treering.models.evaluation import BinaryEvaluation, Evaluation, MulticlassEvaluation, RegressionEvaluation
from treering.models.findings import Findings
from treering.models.wording import figure, share
from treering.training.parameters import ClassValue

_SHOWN_CLASSES = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that stands large at the top."""

    value: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text, the first cell of which names the row.

    Attributes:
        caption: what the table holds.
        header: names of the columns.
        styles: of the rows, such as the colour of a split; none where all look the same.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    styles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a confusion matrix; `part` of its row, in percent, says how dark it is."""

    text: str
    note: str
    part: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was said of rows, by what they were."""

    caption: str
    note: str
    names: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a model is on rows that it never saw.

    Attributes:
        figures: the most telling ones, for the top of the page.
        note: what has to be known to read the charts.
        others: every other metric, by name.
    """

    figures: tuple[Figure, ...]
    note: str = ""
    others: tuple[tuple[str, str], ...] = ()
    charts: tuple[Chart, ...] = ()
    confusion: Confusion | None = None
    classes: Table | None = None


_MEANINGS: Mapping[str, str] = {
    "auc": "chance that a yes is ranked above a no",
    "average precision": "area below the precision-recall curve",
    "logloss": "lower is better",
    "base rate": "share of yeses",
    "rmse": "root of the mean squared error",
    "mae": "mean absolute error",
    "r2": "share of the variance that is explained",
    "mean residual": "0 is unbiased",
    "accuracy": "share of rows in the right class",
    "auc, one against rest": "mean over the classes",
}
_PERCENTS = frozenset({"base rate", "accuracy"})


def quality(findings: Findings) -> Quality:
    """Lay out how good the model is, after its kind."""
    if findings.evaluation is None:
        return Quality(())
    return _QUALITIES[type(findings.evaluation)](findings.evaluation, findings)


def _binary(found: BinaryEvaluation, findings: Findings) -> Quality:
    split, target, names = findings.split, findings.model.target, _yes_and_no(findings.model.classes)
    charts = (
        *((roc(found, split),) if found.roc else ()),
        *((precision_recall(found, split),) if found.precision_recall else ()),
        calibration(found.calibration, split),
    )
    return Quality(
        figures=_figures(found, ("auc", "average precision", "logloss", "base rate")),
        note="" if names == ("no", "yes") else f"A yes is {names[1]}.",
        others=_others(found, ("brier", "accuracy", "precision", "recall", "f1")),
        charts=charts,
        confusion=_confusion(target, names, found.confusion, range(2)),
    )


def _yes_and_no(classes: Sequence[ClassValue]) -> tuple[str, ...]:
    # False is 0 and True is 1, which makes both pairs a no and a yes.
    return ("no", "yes") if tuple(classes) == (0, 1) else tuple(map(str, classes))


def _regression(found: RegressionEvaluation, findings: Findings) -> Quality:
    return Quality(
        figures=_figures(found, ("rmse", "mae", "r2", "mean residual")),
        charts=(predicted_and_actual(found, findings.split, findings.model.target), residuals(found)),
    )


def _multiclass(found: MulticlassEvaluation, findings: Findings) -> Quality:
    largest = sorted(range(len(found.classes)), key=lambda position: -found.classes[position].rows)[:_SHOWN_CLASSES]
    shown, total = sorted(largest), len(found.classes)
    which = "" if len(shown) == total else f", the {len(shown)} largest of {total} classes"
    classes = Table(
        f"Each class against all others{which}",
        ("class", "rows", "precision", "recall", "auc"),
        tuple((one.name, f"{one.rows:,}", figure(one.precision), figure(one.recall), figure(one.auc)) for one in (found.classes[at] for at in shown)),
    )
    return Quality(
        figures=_figures(found, ("accuracy", "logloss", "auc, one against rest")),
        confusion=_confusion(f"{findings.model.target}{which}", tuple(one.name for one in found.classes), found.confusion, shown),
        classes=classes,
    )


_QUALITIES: Mapping[type[Evaluation], Callable[..., Quality]] = {
    BinaryEvaluation: _binary,
    RegressionEvaluation: _regression,
    MulticlassEvaluation: _multiclass,
}


def _figures(found: Evaluation, names: Sequence[str]) -> tuple[Figure, ...]:
    return tuple(Figure(_metric(name, found.metrics[name]), name, _MEANINGS[name]) for name in names)


def _others(found: Evaluation, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _metric(name, found.metrics[name])) for name in names)


def _metric(name: str, value: float | None) -> str:
    return share(value, 1) if name in _PERCENTS and value is not None else figure(value)


def _confusion(of: str, names: Sequence[str], counts: Sequence[Sequence[int]], shown: Iterable[int]) -> Confusion:
    kept = list(shown)

    def cell(actual: int, said: int) -> Cell:
        count, whole = counts[actual][said], sum(counts[actual])
        return Cell(f"{count:,}", share(count, whole), 100 * count / whole if whole else 0.0, actual == said)

    note = "Rows by what they were and what was predicted; percent are of what they were."
    return Confusion(f"Confusion matrix of {of}", note, tuple(names[at] for at in kept), tuple(tuple(cell(actual, said) for said in kept) for actual in kept))


def metrics_by_split(findings: Findings) -> Table:
    """Lay out what the training job measured, a split a row."""
    metrics = findings.job.metrics or {}
    names = list(dict.fromkeys(name for values in metrics.values() for name in values))
    rows = tuple((split, *(figure(values.get(name)) for name in names)) for split, values in metrics.items())
    return Table("Metrics by split, as the training job measured them", ("split", *names), rows, tuple(f"split-{split}" for split in metrics))


def learning_curves(findings: Findings) -> tuple[Chart, ...]:
    """Draw how each metric went, round by round."""
    names = dict.fromkeys(name for values in findings.history.values() for name in values)
    rounds = {name: {split: values[name] for split, values in findings.history.items() if values.get(name)} for name in names}
    has_any = {name: any(math.isfinite(value) for values in by_split.values() for value in values) for name, by_split in rounds.items()}
    return tuple(learning_curve(name, by_split, findings.job.rounds) for name, by_split in rounds.items() if has_any[name])
