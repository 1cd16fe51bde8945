"""What looks wrong in a finished training set: rows on both sides of a split, and columns that know too much. Pure, whole columns at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.point_in_time.counts import LookupCounts
from treering.schema.fitted import FittedSteps
from treering.schema.times import time_text
from treering.training_sets.giveaways import giveaways
from treering.training_sets.label_keys import numbered_groups
from treering.training_sets.ranks import Ranked, evenly_spaced, rank_correlation, ranked
from treering.training_sets.receipt import LabelRoles
from treering.training_sets.splits import SPLITS, TEST, TRAIN, VALIDATION, Times

SAMPLED_ROWS = 50_000
# Fewer rows than this rank alike by chance.
FEWEST_ROWS = 100
COUNTS_WITH_TIME = 0.999
IS_THE_TIME = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a training set holds, before anybody trains on it.

    Attributes:
        split: codes into `SPLITS`, one per row.
        times: label times, in microseconds since the epoch, UTC.
        columns: the label columns, then the looked-up columns, of all rows; without the split.
        labels: which label columns play a part.
        keys: the columns that identify what a row is about, together; empty where none were declared.
        features: the looked-up columns that feed a model.
        fitted: by feature group, the steps that had learned from values before the group's rows were ingested.
        counts: by lookup, how the rows came out.
    """

    split: npt.NDArray[np.int8]
    times: Times
    columns: pa.Table
    labels: LabelRoles
    keys: tuple[str, ...]
    features: tuple[str, ...]
    fitted: Mapping[str, tuple[FittedSteps, ...]]
    counts: tuple[LookupCounts, ...] = ()

    def rows_of(self, *splits: str) -> npt.NDArray[np.bool_]:
        """Which rows belong to one of some splits."""
        rows: npt.NDArray[np.bool_] = np.isin(self.split, [SPLITS.index(name) for name in splits])
        return rows

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every column that feeds a model."""
        return (*self.labels.inputs, *self.features)


def warnings_of(found: Found) -> tuple[str, ...]:
    """Say what a person should look at before training: each text has what, how many, and what to do.

    Five checks: lookups that no row found a record with, identifiers on both sides of a split, single features that almost give the target away, features that are or
    count with the label's time, and steps that learned before ingestion from rows that are held back here.
    """
    return tuple(warning for check in _CHECKS for warning in check(found))


def _nothing_matched(found: Found) -> Iterator[str]:
    for counts in found.counts:
        if counts.rows and not counts.matched:
            reasons = {
                "a key that is null or has no record": counts.no_history,
                "records, none of them known yet": counts.not_yet_known,
                "a record older than max_age": counts.expired,
                "a record that was deleted": counts.deleted,
            }
            had = ", ".join(f"{rows:,} had {what}" for what, rows in reasons.items() if rows)
            yield (
                f"None of {counts.rows:,} rows found a record in {counts.group!r}, so its columns are null in every row: {had}. Compare the keys of both, "
                "for they are compared as they are written, the time zones of both, and whether all that should be in the group was ingested."
            )


def _same_identifier(found: Found) -> Iterator[str]:
    if not found.keys or any(pa.types.is_nested(found.columns[key].type) for key in found.keys):
        return
    groups = numbered_groups(found.columns, found.keys)
    trained_on = np.unique(groups[found.rows_of(TRAIN) & (groups >= 0)])
    keys = found.keys[0] if len(found.keys) == 1 else list(found.keys)
    shares = "".join(f", {split}={rows.mean():.2g}" for split in (VALIDATION, TEST) if (rows := found.rows_of(split)).any())
    for split in (VALIDATION, TEST):
        rows = found.rows_of(split)
        known = int(np.isin(groups[rows], trained_on).sum())
        if known:
            yield (
                f"{known:,} of {int(rows.sum()):,} {split} rows ({known / rows.sum():.1%}) have the same {' and '.join(found.keys)} as a row of train: "
                "a model can score well there by recognising it. If it is to work for new ones too, hold back whole ones: "
                f"split=tr.GroupSplit({keys!r}{shares})."
            )


def _almost_the_target(found: Found) -> Iterator[str]:
    target = found.labels.target
    if target is None:
        return
    has_target = ~pc.is_null(found.columns[target], nan_is_null=True).to_numpy()
    rows = np.flatnonzero(found.rows_of(TRAIN) & has_target)
    if len(rows) >= FEWEST_ROWS:
        yield from giveaways(found.columns.take(evenly_spaced(rows, SAMPLED_ROWS)), target, found.inputs)


def _the_time_itself(found: Found) -> Iterator[str]:
    rows = evenly_spaced(np.arange(len(found.times)), SAMPLED_ROWS)
    if len(rows) < FEWEST_ROWS:
        return
    sample, times = found.columns.take(rows), found.times[rows]
    ranked_times = ranked(pa.array(times))
    for name in found.inputs:
        feature = ranked(sample[name])
        if feature is None or not feature.is_ordered or ranked_times is None:
            continue
        if _equals(sample[name], times):
            yield f"Feature {name!r} is the label's time itself: every later row has a value that no row of train has. Leave it out, or use parts of it (tr.DateParts)."
        else:
            yield from _counting(name, feature, ranked_times)


def _counting(name: str, feature: Ranked, times: Ranked) -> Iterator[str]:
    correlation = rank_correlation(feature, times, fewest=FEWEST_ROWS)
    if abs(correlation) >= COUNTS_WITH_TIME:
        yield (
            f"Feature {name!r} only counts with time (rank correlation {correlation:.4f} with the label's time): the model will never have seen "
            "the values of later rows, those of a later test split among them. Leave it out, or use what repeats: a difference, a rate, an hour of the day."
        )


def _equals(column: pa.ChunkedArray, times: Times) -> bool:
    if not pa.types.is_timestamp(column.type):
        return False
    moments = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    known = ~np.asarray(moments.is_null())
    return bool(known.any() and (moments.fill_null(0).to_numpy()[known] == times[known]).mean() >= IS_THE_TIME)


def _learned_from_held_back_rows(found: Found) -> Iterator[str]:
    held_back = found.times[found.rows_of(VALIDATION, TEST)]
    if not len(held_back):
        return
    first, last = int(held_back.min()), int(held_back.max())
    for group, facts in found.fitted.items():
        for fact in facts:
            # What was learned after the first held-back row was not known at it, wherever the learning ended.
            if fact.last is None or fact.last >= first:
                yield (
                    f"The records of {group!r} from ingestion {fact.ingestion} went through {', '.join(fact.steps)}, which had learned from {_learned_from(fact)}; "
                    f"the rows held back here run from {time_text(first)} to {time_text(last)}, so scores on them may be too good. "
                    f"Fit {'this step' if len(fact.steps) == 1 else 'these steps'} in the recipe of the training job instead, or on rows before {time_text(first)}."
                )


def _learned_from(fact: FittedSteps) -> str:
    if fact.first is None or fact.last is None:
        return f"{fact.rows:,} rows of unknown time"
    return f"{fact.rows:,} rows from {time_text(fact.first)} to {time_text(fact.last)}"


_CHECKS: tuple[Callable[[Found], Iterator[str]], ...] = (_nothing_matched, _same_identifier, _almost_the_target, _the_time_itself, _learned_from_held_back_rows)
