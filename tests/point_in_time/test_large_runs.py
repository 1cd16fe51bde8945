"""Runs too large to be searched together, against a plain search over all records."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import treering as tr
from support.ticking import Ticking
from treering.feature_groups.feature_group import FeatureGroup
from treering.point_in_time.blocks import SMALL_RUN_ROWS

ROWS, ENTITIES, LABELS, SPAN = SMALL_RUN_ROWS + 1_000, 60, 400, 20_000
TIME = pa.timestamp("us", tz="UTC")
SIZES = (ROWS, ROWS, 500)
"""Of three ingestions: two whose runs stand alone, and one that is small."""


@dataclass(frozen=True)
class World:
    """A group, and its records as arrays, in the order in which they came."""

    group: FeatureGroup
    store: tr.Store
    records: dict[str, np.ndarray]

    def expected(self, key: int, moment: int, commit: int, *, strictly_before: bool) -> float | None:
        """The answer by the rules: of what is known, the latest event; of equals, what came last."""
        known, latest = self.records["known"], moment - strictly_before
        seen = np.flatnonzero((self.records["id"] == key) & (known <= latest) & (self.records["commit"] <= commit))
        best = max(seen, key=lambda row: (self.records["at"][row], row), default=None)
        return None if best is None else float(self.records["value"][best])


def ingestion(random: np.random.Generator, rows: int, *, delayed: bool) -> dict[str, np.ndarray]:
    at = random.integers(0, SPAN, rows)
    known = at + random.integers(0, SPAN // 10, rows) * delayed
    return {"id": random.integers(0, ENTITIES, rows), "at": at, "known": known, "value": random.normal(size=rows)}


def table_of(columns: dict[str, np.ndarray]) -> pa.Table:
    return pa.table({name: pa.array(values).cast(TIME) if name in ("at", "known") else pa.array(values) for name, values in columns.items()})


@pytest.fixture(scope="module", params=[False, True], ids=["known at the event", "known later, in another order"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    store = tr.Store(tmp_path_factory.mktemp("large"), clock=Ticking())
    random = np.random.default_rng(7)
    parts = [ingestion(random, rows, delayed=request.param) for rows in SIZES]
    availability = {"available_at": "known"} if request.param else {}
    group = store.feature_groups.create("readings", entity="id", event_time="at", schema=tr.Schema.of(table_of(parts[0])), **availability)
    for part in parts:
        group.ingest(table_of(part), rewrites_history=True)
    records = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return World(group, store, records | {"commit": np.repeat([1, 2, 3], SIZES)})


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("strictly_before", [False, True])
def test_large_runs_answer_as_a_plain_search_does(world: World, commit: int, *, strictly_before: bool):
    random = np.random.default_rng(8)
    keys, moments = random.integers(0, ENTITIES + 2, LABELS), random.integers(0, SPAN, LABELS)
    labels = tr.Labels(pa.table({"id": keys, "when": pa.array(moments).cast(TIME)}), time="when")
    as_of: dict[str, Any] = {"as_of": commit} if commit < len(SIZES) else {}
    result = world.store.lookup(labels, [tr.Lookup("readings", features=["value"], strictly_before=strictly_before, **as_of)])
    expected = [world.expected(key, moment, commit, strictly_before=strictly_before) for key, moment in zip(keys, moments, strict=True)]
    assert result.table["value"].to_pylist() == expected
    assert len(set(expected)) > LABELS // 2


def test_the_runs_are_as_large_as_this_is_about(world: World):
    assert [run.rows for run in world.group.records().runs] == list(SIZES)
    events = [(key, at) for key, at in zip(world.records["id"][: 2 * ROWS], world.records["at"][: 2 * ROWS], strict=True)]
    assert len(set(events[:ROWS]) & set(events[ROWS:])) > 1_000, "there have to be equals in two large runs"
