"""How the demo writes things down: a row of a table for each value, and a few words where a table is too much."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from treering.ingestion.report import IngestionReport
from treering.recipes.recipe import Recipe
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.times import MICROSECONDS_PER_SECOND, duration_text, time_text
from treering.search.hits import FEATURE, Hit
from treering.training.job import TrainingJob
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[str, ...]

GROUP_COLUMNS = ("group", "by", "event time", "known", ">rows", ">rows/s")
COUNTS_COLUMNS = ("lookup", ">matched", ">no record", ">not yet known", ">expired", ">withheld")
SPLIT_COLUMNS = ("split", ">rows", ">never arrived", "from", "to")
PREDICTION_COLUMNS = ("flight", "scheduled", ">its last leg", ">chance of late", "late", ">delay said", ">delay")
HIT_COLUMNS = ("found", "used by", ">nulls", "range")
_PUBLISHED_AFTER_SECONDS = 3600


def group_row(definition: FeatureGroupDefinition, report: IngestionReport) -> Row:
    """Name a group's clocks, and how many rows came how fast."""
    clocks = (definition.event_time_text, definition.known_text)
    return definition.name, ", ".join(definition.entity), *clocks, f"{report.rows:,}", f"{report.rows_per_second:,.0f}"


def counts_row(counts: Mapping[str, Any]) -> Row:
    """Say how the label rows of one lookup ended."""
    return counts["group"], *(f"{counts[name]:,}" for name in ("matched", "no_history", "not_yet_known", "expired", "withheld"))


def split_rows(built: TrainingSet) -> list[Row]:
    """Say how many rows each split has, and when."""
    return [(name, f"{one.rows:,}", f"{one.null_targets:,}", minute(one.first), minute(one.last)) for name, one in built.receipt.splits.items()]


def auc_rows(built: TrainingSet, job: TrainingJob) -> list[Row]:
    """Put what was measured beside how often flights are late."""
    metrics = job.metrics or {}
    late = {split: pc.mean(built.to_arrow(split, ["late"])["late"].cast("int8")).as_py() for split in metrics}
    return [(split, f"{late[split]:.1%}", f"{values['auc']:.3f}", f"{values['logloss']:.3f}") for split, values in metrics.items()]


def minutes_rows(built: TrainingSet, job: TrainingJob) -> list[Row]:
    """Put how far off the model is beside how far off one is who always says the mean delay of the training rows."""
    metrics = job.metrics or {}
    delays = {split: built.to_pandas(split, ["dep_delay"])["dep_delay"].dropna() for split in metrics}
    usual = delays["train"].mean()
    guessed = {split: math.sqrt(((values - usual) ** 2).mean()) for split, values in delays.items()}
    return [
        (split, f"{delays[split].mean():.1f}", f"{values['mae']:.1f}", f"{values['rmse']:.1f}", f"{guessed[split]:.1f}") for split, values in metrics.items()
    ]


def prediction_row(flight: "pd.Series[Any]", chance: float, minutes: float) -> Row:
    """Put what both models said of a flight beside what happened."""
    last = "-" if math.isnan(flight["last_arr_delay"]) else f"{flight['last_arr_delay']:+.0f} min"
    scheduled = f"{flight['departs_at']:%Y-%m-%d %H:%M}Z"
    return name_of(flight), scheduled, last, f"{chance:.0%}", "yes" if flight["late"] else "no", f"{minutes:.0f}", f"{flight['dep_delay']:.0f}"


def hit_row(hit: Hit) -> Row:
    """Say what was found, who uses it, and what its values are like."""
    measured = hit.measured
    nulls = "" if measured is None or measured.null_share is None else f"{measured.null_share:.1%}"
    title = hit.title if hit.kind == FEATURE else f"{hit.title} ({hit.kind})"
    return _briefly(title), _briefly(hit.used_by), nulls, "" if measured is None else measured.range


def _briefly(text: str) -> str:
    return text.replace("training set", "set")


def steps(recipe: Recipe) -> str:
    """Name the steps of a recipe, functions by their own names."""
    return " -> ".join(getattr(step, "function_name", step.name) for step in recipe.steps)


def rows_that_see_the_future(built: TrainingSet) -> str:
    """Read the finished files again and look at how old each answer was at its row's moment."""
    weather, landing = (built.to_arrow(columns=[f"{group}_age_seconds"])[0] for group in ("weather", "aircraft_history"))
    early = pc.sum(pc.less(weather, _PUBLISHED_AFTER_SECONDS)).as_py() + pc.sum(pc.less(landing, 0)).as_py()
    freshest = [duration_text(int(pc.min(ages).as_py()) * MICROSECONDS_PER_SECOND) for ages in (weather, landing)]
    return (
        f"{early} rows see the future: the freshest weather seen was {freshest[0]} old (it takes 1h to be published), the freshest landing {freshest[1]} old."
    )


def name_of(flight: "pd.Series[Any]") -> str:
    """Name a flight by carrier, number and route."""
    return f"{flight['carrier']} {flight['flight']} {flight['origin']}-{flight['dest']}"


def minute(moment: int) -> str:
    """Write a moment without its seconds."""
    return time_text(moment)[:16] + "Z"
