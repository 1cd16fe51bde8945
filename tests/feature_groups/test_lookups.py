"""Labels that are opened once, and groups that stay as they were when they were first asked for."""

from pathlib import Path

import treering as tr
from support.airports import FRAME, LABELS, store_with_weather
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.lookups import Lookups
from treering.storage.documents import Documents
from treering.storage.roots import open_objects
from treering.storage.shelf import Shelf

WEATHER = tr.Lookup("weather", on="origin", features=["temp"])


def lookups_of_weather(root: Path) -> Lookups:
    objects = open_objects(root, tr.Settings())
    shelf = Shelf(objects, Documents(objects, lambda: 0), tr.Settings(), lambda: 0)
    return Lookups(FeatureGroups(shelf), shelf)


def test_a_plan_is_answered_as_the_store_answers(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    opened = lookups_of_weather(tmp_path).open(LABELS)
    assert opened.answer([WEATHER]).to_arrow().equals(store.lookup(LABELS, WEATHER).to_arrow())
    assert opened.rows.table.column_names == ["flight", "origin", "departs", "late"]


def test_a_group_stays_as_it_was_when_it_was_first_asked_for(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    opened = lookups_of_weather(tmp_path).open(LABELS)
    before = opened.plan([WEATHER])
    group.ingest(FRAME.assign(temp=0.0))
    assert opened.plan([WEATHER]).planned[0].history is before.planned[0].history
    assert lookups_of_weather(tmp_path).open(LABELS).plan([WEATHER]).planned[0].history.commit == 2
