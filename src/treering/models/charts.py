"""The charts of a report: what was learnt round by round, and how good the answers are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treering.models.axes import Axis, Plot, percent
from treering.models.evaluation import Bin, BinaryEvaluation, RegressionEvaluation
from treering.models.svg import Drawing
from treering.models.wording import figure


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with what a reader has to know to read it."""

    title: str
    note: str
    drawing: Drawing


def learning_curve(metric: str, rounds: Mapping[str, Sequence[float]], kept: int | None) -> Chart:
    """Draw a metric per round, a line per split.

    Args:
        metric: its name.
        rounds: values by split; NaN where a round had none.
        kept: how many rounds the model has; more may have run. None where a script told the values.
    """
    lines = {split: [(float(number), value) for number, value in enumerate(values, 1) if math.isfinite(value)] for split, values in rounds.items()}
    lines = {split: points for split, points in lines.items() if points}
    longest = max(len(values) for values in rounds.values())
    said = ", ".join(f"{split} ends at {figure(points[-1][1])}" for split, points in lines.items())
    values = [value for points in lines.values() for _, value in points]
    # Room for the words below the lowest line.
    least = min(values) - 0.12 * (max(values) - min(values))
    plot = Plot.of(
        f"{metric} over {longest} rounds: {said}",
        Axis.counted("round", longest),
        Axis.around(metric, [max(least, 0.0) if min(values) >= 0 else least, max(values)]),
    )
    if kept is not None and kept < longest:
        plot.upright(kept, f"round {kept} is kept")
    for split, points in lines.items():
        plot.curve(points, f"curve split-{split}")
    plot.end_labels([(points, f"{split} {figure(points[-1][1])}", f"split-{split}") for split, points in lines.items()])
    return Chart(f"{metric} by round", _what_ran(longest, kept), plot.drawing)


def _what_ran(longest: int, kept: int | None) -> str:
    if kept is None:
        return f"{longest:,} {'value' if longest == 1 else 'values'}, as the script told them."
    keeps = "all" if kept >= longest else f"the first {kept:,}, the best on the validation split"
    return f"{longest:,} {'round' if longest == 1 else 'rounds'} ran; the model keeps {keeps}."


def roc(found: BinaryEvaluation, split: str) -> Chart:
    """Draw how many yeses are caught for how many false alarms."""
    auc = figure(found.metrics["auc"])
    plot = Plot.of(f"ROC curve, area {auc}", Axis.share("false alarms, of all noes"), Axis.share("caught, of all yeses"))
    plot.drawing.area([plot.at(*point) for point in (*found.roc, (1, 0))], f"fill split-{split}")
    plot.diagonal("chance")
    plot.curve(found.roc, f"curve split-{split}")
    plot.drawing.text(plot.at(0.98, 0.06), f"area {auc}", f"value split-{split}", "end")
    return Chart("ROC curve", "How many of the yeses are caught while so many noes are flagged with them.", plot.drawing)


def precision_recall(found: BinaryEvaluation, split: str) -> Chart:
    """Draw how many of the flagged rows are yeses, the more yeses are caught."""
    base = found.metrics["base rate"] or 0.0
    average = figure(found.metrics["average precision"])
    plot = Plot.of(f"Precision-recall curve, average precision {average}", Axis.share("caught, of all yeses"), Axis.share("yeses, of all flagged"))
    plot.drawing.area([plot.at(*point) for point in ((found.precision_recall[0][0], 0), *found.precision_recall, (1, 0))], f"fill split-{split}")
    plot.level(base, f"base rate {percent(base)}")
    plot.curve(found.precision_recall, f"curve split-{split}")
    plot.drawing.text(plot.at(0.98, 0.92), f"average {average}", f"value split-{split}", "end")
    return Chart("Precision and recall", "How pure the flagged rows stay as more of the yeses are caught.", plot.drawing)


def calibration(bins: Sequence[Bin], split: str) -> Chart:
    """Draw how often the yes came, where a chance was given for it."""
    reach = [0.0, *(value for one in bins for value in (one.predicted, one.observed))]
    across, up = Axis.around("predicted chance", reach, percent), Axis.around("observed share of yeses", reach, percent)
    plot = Plot.of("Calibration: observed share of yeses by predicted chance", across, up)
    plot.diagonal("chances hold")
    plot.curve([(one.predicted, one.observed) for one in bins], f"curve thin split-{split}")
    for one in bins:
        tip = f"predicted {percent(one.predicted)}, observed {percent(one.observed)}, {one.rows:,} rows"
        plot.drawing.circle(plot.at(one.predicted, one.observed), 3.6, f"dot split-{split}", tip)
    note = f"{len(bins)} bins of about equally many rows. Above the line, yeses came more often than predicted; below it, less often."
    return Chart("Calibration", note, plot.drawing)


def predicted_and_actual(found: RegressionEvaluation, split: str, target: str) -> Chart:
    """Draw what happened by what was predicted."""
    reach = [value for one in found.bins for value in (one.predicted, one.observed, one.low, one.high)]
    plot = Plot.of("What happened by what was predicted", Axis.around(f"predicted {target}", reach), Axis.around(f"actual {target}", reach))
    plot.diagonal("as predicted")
    for one in found.bins:
        plot.drawing.line(plot.at(one.predicted, one.low), plot.at(one.predicted, one.high), f"whisker split-{split}")
        tip = f"predicted {figure(one.predicted)}, actual {figure(one.observed)}, {one.rows:,} rows"
        plot.drawing.circle(plot.at(one.predicted, one.observed), 3.6, f"dot split-{split}", tip)
    note = f"{len(found.bins)} bins of about equally many rows, by prediction. Dots are means; lines hold the middle 80% of what happened."
    return Chart("Predicted and actual", note, plot.drawing)


def residuals(found: RegressionEvaluation) -> Chart:
    """Draw how far off predictions were."""
    middles, rows = zip(*found.histogram, strict=True)
    half = (middles[1] - middles[0]) / 2 if len(middles) > 1 else 0.5
    plot = Plot.of(
        f"Residuals, from {figure(middles[0])} to {figure(middles[-1])}",
        Axis.around("actual minus predicted", [middles[0] - half, middles[-1] + half]),
        Axis.counted("rows", max(rows)),
    )
    for middle, count in found.histogram:
        (left, top), (right, bottom) = plot.at(middle - half, count), plot.at(middle + half, 0)
        plot.drawing.bar((left + 0.5, top), (max(right - left - 1, 0.5), bottom - top), "bar", f"around {figure(middle)}: {count:,.0f} rows")
    if plot.across.low < 0 < plot.across.high:
        plot.upright(0, "as predicted")
    quantiles = found.residual_quantiles
    inner = f"Half of the rows are between {figure(quantiles['0.25'])} and {figure(quantiles['0.75'])}"
    note = f"{inner}; 90% between {figure(quantiles['0.05'])} and {figure(quantiles['0.95'])}."
    return Chart("Residuals", note, plot.drawing)
