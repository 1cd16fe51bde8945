"""What a leak does: the demo's model once more, with daily aggregates that are stamped at the start of their day."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import treering as tr
from treering.demo import flights, routes
from treering.ingestion.report import IngestionReport
from treering.training.job import TrainingJob
from treering.training.runner import Echo
from treering.training_sets.splits import Split
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    import pandas as pd

GROUP = "leaky_history"
JOB = "late-arrivals-leaky-1"


def ingest_days(store: tr.Store, frame: "pd.DataFrame") -> IngestionReport:
    """Make the mistake: the rows of `route_history`, each known before its day has begun."""
    routes.create_group(
        store,
        flights.TAGS,
        flights.OWNER,
        name=GROUP,
        date_means="start_of_day",
        description="A mistake, kept to be looked at: the days of route_history, stamped at their start",
    )
    return routes.ingest_days(store, frame, GROUP)


def build(store: tr.Store, frame: "pd.DataFrame", split: Split) -> TrainingSet:
    """Build the set of the first question with the leaky group in place of the honest one."""
    asked = [*flights.LOOKUPS, routes.lookup(GROUP)]
    return store.training_sets.build(
        "late-arrivals-leaky", asked, flights.labels(frame), split=split, description="late-arrivals with a leak: do not use", owner=flights.OWNER
    )


def train(store: tr.Store, training_set: TrainingSet, echo: Echo) -> TrainingJob:
    """Train on it, in the same way."""
    return store.training_jobs.run(JOB, training_set, flights.LATE, flights.PREPARATION, drop_null_targets=True, echo=echo)


@dataclass(frozen=True, slots=True)
class Damage:
    """Areas under the ROC curve on the test rows.

    Attributes:
        honest: of the model that saw what was known.
        reported: of the leaky model, as its own training set measures it.
        in_use: of the leaky model on features as they are known, which is all that it will ever get.
    """

    honest: float
    reported: float
    in_use: float


def measure(store: tr.Store, honest: TrainingSet) -> Damage:
    """Ask the leaky model about the honest set's test rows, which have the same columns, and put the scores side by side."""
    in_use = flights.load(store, JOB).evaluate(honest.batches("test"), "late")
    assert in_use is not None
    return Damage(_test_auc(store, flights.LATE_JOB), _test_auc(store, JOB), in_use.metrics["auc"] or 0.0)


def _test_auc(store: tr.Store, job: str) -> float:
    metrics = store.training_jobs[job].metrics
    assert metrics is not None
    return metrics["test"]["auc"] or 0.0
