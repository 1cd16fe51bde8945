"""How each route's days went: daily delay rates per origin, destination and carrier, known when the day has ended."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import treering as tr
from treering.demo.project.features import with_route_day
from treering.feature_groups.feature_group import FeatureGroup
from treering.ingestion.report import IngestionReport
from treering.schema.feature_group import DateMeaning

if TYPE_CHECKING:
    import pandas as pd

GROUP = "route_history"
ENTITY = ("origin", "dest", "carrier")
COLUMNS = tr.Schema(
    (
        tr.Feature("origin", tr.FeatureType.STRING, description="Where the flights left"),
        tr.Feature("dest", tr.FeatureType.STRING, description="Where they landed"),
        tr.Feature("carrier", tr.FeatureType.STRING, description="Who flew"),
        tr.Feature("landed_on", tr.FeatureType.TIMESTAMP, description="The day on which they landed, New York's calendar"),
        tr.Feature("landings", tr.FeatureType.INTEGRAL, description="How many landed that day"),
        tr.Feature("late_share", tr.FeatureType.FRACTIONAL, description="Share that landed more than 15 minutes late"),
        tr.Feature("mean_arr_delay", tr.FeatureType.FRACTIONAL, description="Minutes"),
        tr.Feature("mean_dep_delay", tr.FeatureType.FRACTIONAL, description="Minutes"),
    )
)
# One row of each day is kept: all rows of a day say the same.
DAYS = tr.Recipe(
    [
        tr.DropMissing("arrived_at"),
        tr.step_across_rows(with_route_day),
        tr.DropDuplicates((*ENTITY, "landed_on")),
        tr.KeepColumns(COLUMNS.names),
    ]
)


def create_group(
    store: tr.Store,
    tags: Mapping[str, str],
    owner: str,
    *,
    name: str = GROUP,
    date_means: DateMeaning = "end_of_day",
    description: str = "How each day went per route and carrier, known when the day has ended",
) -> FeatureGroup:
    """Declare the group. A day is no moment: `date_means` says which moment of it counts."""
    return store.feature_groups.create(
        name,
        entity=ENTITY,
        event_time="landed_on",
        time_zone="America/New_York",
        date_means=date_means,
        schema=COLUMNS,
        description=description,
        tags=tags,
        owner=owner,
    )


def ingest_days(store: tr.Store, flights: "pd.DataFrame", name: str = GROUP) -> IngestionReport:
    """Ingest what the engineered flights say about each day."""
    return store.feature_groups[name].ingest(flights, recipe=DAYS)


def lookup(group: str) -> tr.Lookup:
    """Look up the last day that a route and carrier had, if it is recent."""
    features = {"landings": "route_landings", "late_share": "route_late_share", "mean_arr_delay": "route_arr_delay", "mean_dep_delay": "route_dep_delay"}
    return tr.Lookup(group, on=ENTITY, features=features, max_age="3d")
