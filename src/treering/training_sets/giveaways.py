"""Single features that almost give the target away: found by what one feature alone can tell, on rows of the train split."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from treering.training_sets.ranks import MOST_TEXTS, Codes, Counts, Floats, Ranked, area_under_curve, counted, mean_ranks, rank_correlation, ranked

MOST_CLASSES = 20
# Fewer rows of a class than this are told apart by chance.
FEWEST_OF_A_CLASS = 20
AREA = 0.99
# An honest feature can reach a great area where one class is rare; a giveaway also makes next to no mistakes.
MISTAKES_PER_RARER_ROW = 0.05
CORRELATION = 0.995
RECOVERED = 0.99
FEWEST_ROWS_PER_VALUE = 20


def giveaways(sample: pa.Table, target: str, features: Iterable[str]) -> Iterator[str]:
    """Name the features that tell the target almost without the others.

    A target of two values: the area under the ROC curve of the feature alone, in either direction, with nulls before or after
    all values, is at least 0.99, and one cut makes at most 1 mistake for 20 rows of the rarer class. A target of up to 20
    values (up to 1,000 texts): each value of a feature with few values belongs to one class, or the feature is null exactly where
    the target is one value. A number: rank correlation of at least 0.995.

    Args:
        sample: rows of train that have a target.
        target: the target's column.
        features: the columns that feed a model.
    """
    outcome = ranked(sample[target])
    if outcome is None or outcome.distinct < 2:
        return
    is_number = outcome.is_ordered and outcome.distinct > MOST_CLASSES
    if not is_number and outcome.distinct > MOST_TEXTS:
        return
    reason_of = _tells_number if is_number else _tells_class
    for name in features:
        feature = None if name == target else ranked(sample[name])
        reason = None if feature is None else reason_of(feature, outcome)
        if reason:
            yield (
                f"Feature {name!r} almost gives the target {target!r} away: {reason}, on {sample.num_rows:,} rows of train. "
                "Check that it was known at the label's time: when it is recorded, and what the group's event time and availability say. If it was not, leave it out."
            )


def _tells_number(feature: Ranked, outcome: Ranked) -> str | None:
    if feature.is_ordered:
        correlation = rank_correlation(feature, outcome, fewest=FEWEST_OF_A_CLASS)
        return f"its rank correlation with the target is {correlation:.4f}" if abs(correlation) >= CORRELATION else None
    if not _has_few_values(feature):
        return None
    ranks = mean_ranks(outcome.codes)
    correlation = _of_group_means(feature.codes + 1, ranks)
    return f"the mean rank of the target by its value has correlation {correlation:.4f} with the target" if correlation >= CORRELATION else None


def _of_group_means(groups: Codes, values: Floats) -> float:
    """The correlation ratio: of values with the means of their groups."""
    counts = np.bincount(groups)
    means = np.bincount(groups, weights=values) / np.maximum(counts, 1)
    spread = float(((values - values.mean()) ** 2).sum())
    return float(np.sqrt((counts * (means - values.mean()) ** 2).sum() / spread)) if spread else 0.0


def _tells_class(feature: Ranked, outcome: Ranked) -> str | None:
    classes = np.bincount(outcome.codes)
    if np.sort(classes)[-2] < FEWEST_OF_A_CLASS:
        return None
    reason = _null_where(feature, outcome, classes)
    has_order = feature.is_ordered and outcome.distinct == 2
    # Anything else would be a table of nearly every row by every class.
    if reason or not (has_order or _has_few_values(feature)):
        return reason
    counts = counted(feature, outcome)
    return (_cut(counts, outcome) if has_order else None) or _recovered(feature, counts)


def _null_where(feature: Ranked, outcome: Ranked, classes: Counts) -> str | None:
    nulls = np.bincount(outcome.codes[feature.is_null], minlength=len(classes))
    for code in np.flatnonzero(nulls >= FEWEST_OF_A_CLASS):
        if nulls[code] >= RECOVERED * nulls.sum() and nulls[code] >= RECOVERED * classes[code]:
            return f"it is null exactly where the target is {outcome.texts[code]!r} ({nulls[code]:,} of {classes[code]:,} such rows, {nulls.sum():,} nulls)"
    return None


def _cut(counts: Counts, outcome: Ranked) -> str | None:
    # Nulls before all values, and after them.
    for ordered in (counts, np.roll(counts, -1, axis=0)):
        area, mistakes = area_under_curve(ordered), _fewest_mistakes(ordered)
        if max(area, 1 - area) >= AREA and mistakes <= MISTAKES_PER_RARER_ROW * counts.sum(axis=0).min():
            return f"alone it tells {outcome.texts[0]!r} from {outcome.texts[1]!r} with an area under the ROC curve of {max(area, 1 - area):.4f}"
    return None


def _fewest_mistakes(ordered: Counts) -> int:
    """Of the best rule "one class up to a value, the other one above it"."""
    up_to = np.cumsum(ordered, axis=0)
    above = up_to[-1] - up_to
    return int(min((up_to[:, 1] + above[:, 0]).min(), (up_to[:, 0] + above[:, 1]).min()))


def _recovered(feature: Ranked, counts: Counts) -> str | None:
    if not _has_few_values(feature):
        return None
    majority = counts.argmax(axis=1)
    hits = np.zeros(counts.shape[1])
    np.add.at(hits, majority, counts.max(axis=1))
    classes = counts.sum(axis=0)
    judged = classes >= FEWEST_OF_A_CLASS
    least = float((hits[judged] / classes[judged]).min())
    if least < RECOVERED:
        return None
    return f"each of its {feature.distinct:,} values belongs to one class (the rule finds at least {least:.1%} of every class)"


def _has_few_values(feature: Ranked) -> bool:
    return 0 < feature.distinct < len(feature.codes) / FEWEST_ROWS_PER_VALUE
