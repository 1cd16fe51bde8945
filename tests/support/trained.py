"""A store with three models on made-up flights: whether they are late, by how much, and how they ended."""

from pathlib import Path

import numpy as np
import pandas as pd

import treering as tr
from treering.training_sets.training_set import TrainingSet

ROWS = 600
NASTY = "<script>alert('late')</script>"
OUTCOMES = ("early", "late", NASTY)
INPUTS = ("distance", "carrier")


def weather() -> pd.DataFrame:
    """An hourly wind at two airports."""
    hours = pd.date_range("2024-01-01", periods=ROWS // 2, freq="h", tz="UTC")
    wind = np.random.default_rng(1).normal(size=len(hours))
    return pd.concat([pd.DataFrame({"airport": airport, "at": hours, "wind": wind * sign}) for airport, sign in (("EWR", 1.0), ("JFK", -1.0))])


def flights() -> pd.DataFrame:
    """Flights half an hour apart whose delay follows from the wind of the hour before, the distance, and chance."""
    random = np.random.default_rng(2)
    departs = pd.date_range("2024-01-01T02:30", periods=ROWS, freq="30min", tz="UTC")
    airport, distance = np.where(np.arange(ROWS) % 2, "EWR", "JFK"), random.integers(100, 3_000, ROWS)
    seen = pd.merge_asof(pd.DataFrame({"departs": departs, "airport": airport}), weather().sort_values("at"), left_on="departs", right_on="at", by="airport")
    delay = 20 * seen["wind"].fillna(0).to_numpy() + distance / 300 + random.normal(scale=4, size=ROWS)
    outcome = np.select([delay < -5, delay < 15], OUTCOMES[:2], OUTCOMES[2])
    carrier = random.choice(["AA", "UA"], ROWS)
    return pd.DataFrame(
        {"departs": departs, "airport": airport, "distance": distance, "carrier": carrier, "late": delay > 10, "delay": delay, "outcome": outcome}
    )


def labels(rows: pd.DataFrame, target: str | None, inputs: tuple[str, ...] = INPUTS) -> tr.Labels:
    """Flights with one target; the other outcomes are left out."""
    outcomes = {"late", "delay", "outcome"} - {target}
    return tr.Labels(rows.drop(columns=list(outcomes & set(rows))), time="departs", target=target, inputs=inputs, keys=["airport"])


def make_store(root: Path) -> tr.Store:
    """Train the three models `late-1`, `delay-1` and `outcome-1`."""
    store = tr.Store(root)
    described = tr.Schema((*tr.Schema.of(weather()).features[:2], tr.Feature("wind", tr.FeatureType.FRACTIONAL, description=f"Knots {NASTY}")))
    store.feature_groups.create("weather", entity="airport", event_time="at", schema=described).ingest(weather())
    for target, objective in (("late", "binary:logistic"), ("delay", "reg:squarederror"), ("outcome", "multi:softprob")):
        _train(store, f"{target}-1", _build(store, target), objective)
    return store


def _build(store: tr.Store, target: str) -> TrainingSet:
    lookups = tr.Lookup("weather", on="airport", features=["wind"], max_age="6h", with_age=True)
    return store.training_sets.build(f"{target}-set", lookups, labels(flights(), target), split=tr.TimeSplit.fractions(validation=0.2, test=0.25))


def _train(store: tr.Store, name: str, training_set: TrainingSet, objective: str) -> None:
    recipe = tr.Recipe([tr.FillMissing(("wind",), with_=0.0), tr.OneHot(("carrier",))])
    store.training_jobs.run(name, training_set, tr.XGBoost(objective=objective, num_round=8, max_depth=3, seed=7), recipe, echo=lambda _: None)
