"""The demo as a person sees it: the steps of `flights.py`, one after another, and what each says about the data."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from treering.demo import flights, raw_zone
from treering.demo.screen import Screen
from treering.ingestion.report import IngestionReport
from treering.recipes.recipe import Recipe
from treering.schema.times import MICROSECONDS_PER_SECOND, duration_text, time_text
from treering.store import Store
from treering.training.job import TrainingJob
from treering.training_sets.splits import Split
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    import pandas as pd

_EVERY = 10
_ROUND = re.compile(r"\[(\d+)\]\t")
_AUC = re.compile(r"(\w+)-auc:([\d.]+)")
_PUBLISHED_AFTER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Tour:
    """The steps of the demo on one store.

    Attributes:
        store: a new one.
        screen: what they are shown on.
        data: the folder with the raw files.
        split: of the training set.
    """

    store: Store
    screen: Screen
    data: Path
    split: Split = flights.FULL_YEAR

    def run(self) -> None:
        """Go all the way, from raw files to a model and the explanation of one cell."""
        self.raw_files()
        self.feature_groups()
        frame = self.engineering()
        training_set = self.training_set(frame)
        self.predictions(training_set, self.training(training_set))
        self.explanation(frame)

    def raw_files(self) -> None:
        """Place the raw files below the store's root."""
        with self.screen.step("Raw CSV files, where the store is"):
            sizes = raw_zone.place(self.store, self.data)
            self.screen.say(raw_zone.address(self.store))
            self.screen.say(", ".join(f"{file} {size / 1e6:.1f}" for file, size in sizes.items()) + " MB")

    def feature_groups(self) -> None:
        """Create the feature groups, and ingest files as they are."""
        with self.screen.step("Feature groups: a key, a clock, and when records become known"):
            flights.create_groups(self.store)
            self._say_ingested(flights.ingest_files(self.store))

    def engineering(self) -> "pd.DataFrame":
        """Engineer moments from clock times, and ingest what landed as the history of aircraft."""
        with self.screen.step("Feature engineering: clock times become moments in UTC"):
            frame = flights.read_flights(self.store)
            report = flights.ingest_history(self.store, frame)
            self.screen.say(f"flights.csv.zip -> {_steps(flights.moments(raw_zone.read(self.store, raw_zone.AIRPORTS)))} -> labels")
            self.screen.say(f"                -> {_steps(flights.LANDINGS)} -> aircraft_history")
            self._say_moments(frame)
            self._say_ingested([report])
        return frame

    def _say_ingested(self, reports: list[IngestionReport]) -> None:
        groups = [self.store.feature_groups[report.group].definition for report in reports]
        self.screen.table(
            ("group", "by", "event time", "known", ">rows", ">rows/s"),
            [_group_row(group, report) for group, report in zip(groups, reports, strict=True)],
        )

    def _say_moments(self, frame: "pd.DataFrame") -> None:
        landed = frame["arr_delay"].notna()
        sound = landed & frame["arrived_at"].notna()
        backwards = sound & (frame["arr_time"] < frame["dep_time"])
        self.screen.say(f"{int(backwards.sum()):,} flights land before they leave by the clocks, and none by the moments.")
        self.screen.say(f"{int(sound.sum()):,} of {int(landed.sum()):,} landings agree with the clock there and with the air time.")
        for _, odd in frame[landed & ~sound].iterrows():
            self.screen.say(
                f"Left out: {odd['carrier']} {odd['flight']} of {odd['departs_at']:%d %B} to {odd['dest']}, landed {odd['arr_time']:04.0f}.", "yellow"
            )

    def training_set(self, frame: "pd.DataFrame") -> TrainingSet:
        """Look every flight's features up as of its scheduled departure, and keep them."""
        with self.screen.step("Training set: what was known at each flight's scheduled departure"):
            flights.create_view(self.store)
            built = flights.build_training_set(self.store, frame, self.split)
            receipt = built.receipt
            self.screen.table(
                ("lookup", ">matched", ">no record", ">not yet known", ">expired", ">withheld"),
                [_counts_row(counts) for counts in receipt.counts],
            )
            self.screen.say("withheld: there was a newer record, not known yet. All were written today,", "dim")
            self.screen.say("so when each was known is what its group declares; the receipt says that.", "dim")
            self.screen.table(
                ("split", ">rows", ">never arrived", "from", "to"),
                [(name, f"{one.rows:,}", f"{one.null_targets:,}", _minute(one.first), _minute(one.last)) for name, one in receipt.splits.items()],
            )
            self.screen.say(f"{len(frame):,} rows in, {built.rows:,} rows out; receipt {built.id[:16]}")
            self.screen.say(_rows_that_see_the_future(built), "green")
        return built

    def training(self, training_set: TrainingSet) -> TrainingJob:
        """Train and measure."""
        with self.screen.step("Training: a recipe and XGBoost, in a process of their own"):
            self.screen.say(f"{len(training_set.features)} features -> {_steps(flights.PREPARATION)} -> XGBoost")
            job = flights.train(self.store, training_set, self._echo)
            late = {split: pc.mean(training_set.to_arrow(split, ["late"])["late"].cast("int8")).as_py() for split in job.metrics or {}}
            self.screen.table(
                (f"{job.rounds} rounds", ">late", ">auc", ">logloss"),
                [(split, f"{late[split]:.1%}", f"{values['auc']:.3f}", f"{values['logloss']:.3f}") for split, values in (job.metrics or {}).items()],
            )
        return job

    def _echo(self, line: str) -> None:
        found = _ROUND.match(line)
        if found is not None and int(found[1]) % _EVERY == 0:
            scores = [f"{split} {float(value):.3f}" for split, value in _AUC.findall(line)]
            self.screen.say(f"round {found[1]:>3}   auc {', '.join(scores)}", "dim")

    def predictions(self, training_set: TrainingSet, job: TrainingJob) -> None:
        """Load the model back and ask it about the busiest day of the test split."""
        with self.screen.step("The model, loaded back from its archive, answers"):
            assert job.artifact is not None
            self.screen.say(f"{self.store.root}/{job.artifact.key}")
            self.screen.say(f"{job.artifact.bytes:,} bytes")
            self.screen.say(f"sha256 {job.artifact.sha256}")
            test = training_set.to_pandas("test").dropna(subset=["late"])
            dates = test["departs_at"].dt.date
            day = test[dates == dates.mode()[0]]
            answers = flights.load(self.store, job).predict(day)
            order = answers.argsort(kind="stable")
            self.screen.table(
                ("flight", "scheduled", ">its last leg", ">chance", "late"),
                [_prediction_row(day.iloc[row], answers[row]) for row in (order[0], order[len(order) // 2], order[-1])],
            )

    def explanation(self, frame: "pd.DataFrame") -> None:
        """Explain one cell: the delay that a careless join would have given away."""
        with self.screen.step("Why a cell holds what it holds"):
            flight = flights.most_telling(frame)
            told = flights.explain(self.store, flight)
            self.screen.say(
                f"{_name(flight.iloc[0])} with {told.key['tailnum']} should leave at {time_text(told.time)[:16]}Z. What did one know of its last leg?",
            )
            self.screen.quote(told.lines())
            answer = next(number for number, one in enumerate(told.candidates) if one.is_answer)
            self.screen.say(
                f"A join on the day would have told the model {told.candidates[answer - 1].value:g}, or this flight's own {flight['arr_delay'].iloc[0]:g}.",
                "green",
            )


def _group_row(definition: Any, report: IngestionReport) -> tuple[str, ...]:
    event_time = "static" if definition.is_static else str(definition.event_time)
    known = "always" if definition.is_static else str(definition.availability)
    return definition.name, ", ".join(definition.entity), event_time, known, f"{report.rows:,}", f"{report.rows_per_second:,.0f}"


def _counts_row(counts: dict[str, Any]) -> tuple[str, ...]:
    return counts["group"], *(f"{counts[name]:,}" for name in ("matched", "no_history", "not_yet_known", "expired", "withheld"))


def _steps(recipe: Recipe) -> str:
    return " -> ".join(getattr(step, "function_name", step.name) for step in recipe.steps)


def _rows_that_see_the_future(built: TrainingSet) -> str:
    """Read the finished files again and look at how old each answer was at its row's moment."""
    weather, landing = (built.to_arrow(columns=[f"{group}_age_seconds"])[0] for group in ("weather", "aircraft_history"))
    early = pc.sum(pc.less(weather, _PUBLISHED_AFTER_SECONDS)).as_py() + pc.sum(pc.less(landing, 0)).as_py()
    freshest = [duration_text(int(pc.min(ages).as_py()) * MICROSECONDS_PER_SECOND) for ages in (weather, landing)]
    return (
        f"{early} rows see the future: the freshest weather seen was {freshest[0]} old (it takes 1h to be published), the freshest landing {freshest[1]} old."
    )


def _prediction_row(flight: "pd.Series[Any]", answer: float) -> tuple[str, ...]:
    last = "-" if math.isnan(flight["last_arr_delay"]) else f"{flight['last_arr_delay']:+.0f} min"
    return _name(flight), f"{flight['departs_at']:%Y-%m-%d %H:%M}Z", last, f"{answer:.0%}", "yes" if flight["late"] else "no"


def _name(flight: "pd.Series[Any]") -> str:
    return f"{flight['carrier']} {flight['flight']} {flight['origin']}-{flight['dest']}"


def _minute(moment: int) -> str:
    return time_text(moment)[:16] + "Z"
