"""The demo as a person sees it: the steps of `flights.py`, one after another, and what each says about the data."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from treering.demo import flights, leak, raw_zone, routes, rows
from treering.demo.screen import Screen
from treering.ingestion.report import IngestionReport
from treering.recipes.recipe import Recipe
from treering.schema.times import time_text
from treering.store import Store
from treering.training.job import TrainingJob
from treering.training.resources import memory_text
from treering.training_sets.splits import Split
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    import pandas as pd

_ROUND = re.compile(r"\[(\d+)\]\t")
_SHOWN_HITS = 8


@dataclass(frozen=True, slots=True)
class Tour:
    """The steps of the demo on one store.

    Attributes:
        store: a new one.
        screen: what they are shown on.
        data: the folder with the raw files.
        split: of the training sets.
    """

    store: Store
    screen: Screen
    data: Path
    split: Split = flights.FULL_YEAR

    def run(self) -> None:
        """Go all the way, from raw files to two models, and to what a mistake would have cost."""
        self.raw_files()
        self.feature_groups()
        frame = self.engineering()
        training_set = self.training_set(frame)
        self.training(training_set)
        self.second_model(frame)
        self.leak(frame, training_set)
        self.predictions(training_set)
        self.explanation(frame)
        self.found_again()

    def raw_files(self) -> None:
        """Place the raw files below the store's root."""
        with self.screen.step("Raw CSV files, where the store is"):
            sizes = raw_zone.place(self.store, self.data)
            self.screen.command(raw_zone.address(self.store))
            self.screen.say(", ".join(f"{file} {size / 1e6:.1f}" for file, size in sizes.items()) + " MB")

    def feature_groups(self) -> None:
        """Create the feature groups, and ingest files as they are."""
        with self.screen.step("Feature groups: a key, a clock, and when records become known"):
            flights.create_groups(self.store)
            self._say_ingested(flights.ingest_files(self.store))

    def engineering(self) -> "pd.DataFrame":
        """Engineer moments from clock times, and ingest what landed as the history of aircraft and of routes."""
        with self.screen.step("Feature engineering: clock times become moments in UTC"):
            frame = flights.read_flights(self.store)
            reports = [flights.ingest_landings(self.store), routes.ingest_days(self.store, frame)]
            self.screen.say(f"flights.csv.zip -> {rows.steps(Recipe(flights.MOMENTS))}")
            self.screen.say("  -> labels")
            self.screen.say(f"  -> {rows.steps(Recipe(flights.LANDINGS))} -> aircraft_history")
            self.screen.say(f"  -> {rows.steps(routes.DAYS)} -> route_history")
            self._say_moments(frame)
            self._say_ingested(reports)
        return frame

    def _say_ingested(self, reports: list[IngestionReport]) -> None:
        groups = [self.store.feature_groups[report.group].definition for report in reports]
        self.screen.table(rows.GROUP_COLUMNS, [rows.group_row(group, report) for group, report in zip(groups, reports, strict=True)])

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
            built = flights.build_late_arrivals(self.store, frame, self.split)
            self.screen.table(rows.COUNTS_COLUMNS, [rows.counts_row(counts) for counts in built.receipt.counts])
            self.screen.say("withheld: there was a newer record, not known yet. All were written today,", "dim")
            self.screen.say("so when each was known is what its group declares; the receipt says that.", "dim")
            self.screen.table(rows.SPLIT_COLUMNS, rows.split_rows(built))
            self.screen.say(f"{len(frame):,} rows in, {built.rows:,} rows out; receipt {built.id[:16]}")
            self.screen.say(rows.rows_that_see_the_future(built), "green")
            self._say_warnings(built)
        return built

    def _say_warnings(self, built: TrainingSet) -> None:
        for warning in built.warnings:
            self.screen.say(f"warning: {warning}", "yellow")

    def training(self, training_set: TrainingSet) -> None:
        """Train and measure."""
        with self.screen.step("Training: a recipe and XGBoost, in a process of their own"):
            self.screen.say(f"{len(training_set.features)} features -> {rows.steps(flights.PREPARATION)} -> XGBoost")
            _make_room()
            job = flights.train_late_arrivals(self.store, training_set, _Rounds(self.screen, "auc"))
            self.screen.table((f"{job.rounds} rounds kept", ">were late", ">auc", ">logloss"), rows.auc_rows(training_set, job))
            self._say_archive(job)

    def _say_archive(self, job: TrainingJob) -> None:
        assert job.artifact is not None
        assert job.resources is not None
        self.screen.command(f"{self.store.root}/{job.artifact.key}")
        self.screen.say(f"sha256 {job.artifact.sha256}")
        self.screen.say(
            f"{job.artifact.bytes:,} bytes; the job took {job.resources.wall_seconds:.1f} s and at most {memory_text(job.resources.peak_memory_bytes)}.", "dim"
        )

    def second_model(self, frame: "pd.DataFrame") -> None:
        """Ask another question of the same lookups: nothing is looked up again."""
        with self.screen.step("A second model from the same ingestion: departure delay in minutes"):
            built = flights.build_departure_delay(self.store, frame, self.split)
            self.screen.say(f"training set departure-delay: {built.reuse}", "green")
            _make_room()
            job = flights.train_departure_delay(self.store, built, _Rounds(self.screen, "rmse"))
            self.screen.table((f"{job.rounds} rounds kept", ">mean delay", ">mae", ">rmse", ">rmse of saying the mean"), rows.minutes_rows(built, job))
            self.screen.say("All in minutes. The mean is that of the training rows, said of every flight.", "dim")

    def leak(self, frame: "pd.DataFrame", honest: TrainingSet) -> None:
        """Make a mistake that people really make, and show what it costs."""
        with self.screen.step("What one wrong word does: the same days, stamped at their start"):
            self.screen.say('route_history once more, with date_means="start_of_day": a day\'s delays count as known that morning.')
            self._say_ingested([leak.ingest_days(self.store, frame)])
            built = leak.build(self.store, frame, self.split)
            self.screen.say(f"training set late-arrivals-leaky: {built.reuse}")
            self._say_warnings(built)
            if not built.warnings:
                self.screen.say("The set's own checks find nothing: no single feature gives the answer away. Only the group's declaration is wrong.", "dim")
            _make_room()
            leak.train(self.store, built, _Rounds(self.screen, "auc", every=20))
            damage = leak.measure(self.store, honest)
            self.screen.table(
                ("model", "asked about test flights with", ">auc"),
                [
                    ("honest", "what was known at departure", f"{damage.honest:.3f}"),
                    ("leaky, as reported", "the delays of the day itself", f"{damage.reported:.3f}"),
                    ("leaky, in use", "what was known at departure", f"{damage.in_use:.3f}"),
                ],
            )
            self.screen.say(
                f"The leaky model saw each flight's own delay in the mean of its day: it promises {damage.reported:.3f} and gives {damage.in_use:.3f}, "
                f"where the honest one gives {damage.honest:.3f}.",
                "green",
            )

    def predictions(self, training_set: TrainingSet) -> None:
        """Load the models back, ask them about the busiest day of the test split, and describe each on a page."""
        with self.screen.step("The models, loaded back from their archives, answer"):
            test = training_set.to_pandas("test").dropna(subset=["late", "dep_delay"])
            dates = test["departs_at"].dt.date
            day = test[dates == dates.mode()[0]]
            chances, minutes = (flights.load(self.store, job).predict(day) for job in (flights.LATE_JOB, flights.DELAY_JOB))
            order = chances.argsort(kind="stable")
            chosen = (order[0], order[len(order) // 2], order[-1])
            self.screen.table(rows.PREDICTION_COLUMNS, [rows.prediction_row(day.iloc[row], chances[row], minutes[row]) for row in chosen])
            self.screen.say(f"The least, the middling and the most likely to be late, of {len(day):,} flights that day.", "dim")
            self.screen.say("A page on each model, to be opened in a browser:")
            for job in (flights.LATE_JOB, flights.DELAY_JOB, leak.JOB):
                self.screen.command(f"{self.store.root}/{flights.report(self.store, job).key}")

    def explanation(self, frame: "pd.DataFrame") -> None:
        """Explain one cell: the delay that a careless join would have given away."""
        with self.screen.step("Why a cell holds what it holds"):
            flight = flights.most_telling(frame)
            told = flights.explain(self.store, flight)
            self.screen.say(
                f"{rows.name_of(flight.iloc[0])} with {told.key['tailnum']} should leave at {time_text(told.time)[:16]}Z. What did one know of its last leg?",
            )
            self.screen.quote(told.lines())
            answer = next(number for number, one in enumerate(told.candidates) if one.is_answer)
            self.screen.say(
                f"A join on the day would have told the model {told.candidates[answer - 1].value:g}, or this flight's own {flight['arr_delay'].iloc[0]:g}.",
                "green",
            )
            raw_zone.write(self.store, raw_zone.ONE_FLIGHT, flights.as_asked(flight))

    def found_again(self) -> None:
        """Find what there is, and ingest a file that is in already."""
        with self.screen.step("Found and used again"):
            found = self.store.search("delay")
            self.screen.say(f"search 'delay': {len(found)} found by name, description, tag or owner")
            self.screen.table(rows.HIT_COLUMNS, [rows.hit_row(hit) for hit in found.hits[:_SHOWN_HITS]])
            again = flights.ingest_weather(self.store)
            assert again.reused
            self.screen.say(f"weather.csv once more: it is in already (commit {again.commit}, {again.rows:,} rows); nothing was written.", "green")


def _make_room() -> None:
    # What Arrow keeps in reserve is memory that the training process needs.
    pa.default_memory_pool().release_unused()


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Shows some of the rounds that a job prints."""

    screen: Screen
    metric: str
    every: int = 10

    def __call__(self, line: str) -> None:
        found = _ROUND.match(line)
        if found is not None and int(found[1]) % self.every == 0:
            scores = [f"{split} {float(value):.3f}" for split, value in re.findall(rf"(\w+)-{self.metric}:([\d.]+)", line)]
            self.screen.say(f"round {found[1]:>3}   {self.metric} {', '.join(scores)}", "dim")
