"""A small group of weather records, known an hour after they were observed, and flights to look them up for."""

from pathlib import Path
from typing import Any

import pandas as pd

import treering as tr
from support.ticking import Ticking
from treering.feature_groups.feature_group import FeatureGroup

FRAME = pd.DataFrame(
    {
        "origin": ["EWR", "EWR", "EWR", "JFK"],
        "observed_at": pd.to_datetime(["2013-01-01T10:00Z", "2013-01-01T11:00Z", "2013-01-01T12:00Z", "2013-01-01T10:00Z"]),
        "temp": [1.0, 2.0, 3.0, 4.0],
        "sky": ["clear", "rain", None, "snow"],
    }
)
FLIGHTS = pd.DataFrame(
    {
        "flight": [1, 2, 3],
        "origin": ["EWR", "JFK", "LGA"],
        "departs": pd.to_datetime(["2013-01-01T12:30Z", "2013-01-01T10:30Z", "2013-01-01T12:30Z"]),
        "late": [0, 1, 0],
    }
)
LABELS = tr.Labels(FLIGHTS, time="departs", target="late")


def store_with_weather(root: Path | str, *, settings: tr.Settings | None = None, **declared: Any) -> tuple[tr.Store, FeatureGroup]:
    """A new store with the group `weather` and its four records, commit 1."""
    store = tr.Store(root, clock=Ticking(), settings=settings)
    declared = {"available_after": "1h", "description": "Hourly weather at the origin airport"} | declared
    group = store.feature_groups.create("weather", entity="origin", event_time="observed_at", schema=tr.Schema.of(FRAME), **declared)
    group.ingest(FRAME)
    return store, group
