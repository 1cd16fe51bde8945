"""Generated scenarios, engine against oracle: every value, and every count."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from conformance import oracle
from conformance.case import Case, Look
from conformance.engine import ENGINES, Engine, InStore, WithoutStore
from conformance.verdict import agree
from conformance.worlds import FEWEST_SCENARIOS, worlds

# Shrinking a world costs a store a try, minutes in all; a departure tells the story of its key instead.
SETTINGS = settings(derandomize=True, database=None, deadline=None, print_blob=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
STORE_WORLDS, FRAME_WORLDS = 60, 100


def departures(engine: Engine, world: Case) -> list[str]:
    """List where an engine departs from the oracle."""
    expected = oracle.run(world)
    with tempfile.TemporaryDirectory() as folder:
        found = engine.run(world, Path(folder) / "store", row_by_row=False)
    wrong = [
        f"label {world.labels.rows[row]} under {look} is {cell} instead of {wanted}, with {story(world, look, world.labels.rows[row])}"
        for row, cells in enumerate(zip(expected.cells, found.cells, strict=True))
        for look, wanted, cell in zip(world.lookups, *cells, strict=True)
        if not agree(wanted, cell)
    ]
    for look, wanted, counts in zip(world.lookups, expected.counts, found.counts, strict=True):
        wrong += [f"{name} under {look}: {count} instead of {wanted[name]}" for name, count in counts.items() if count != wanted[name]]
    return wrong


def story(world: Case, look: Look, row: tuple[Any, ...]) -> str:
    """Tell all that ever happened to a label's key."""
    key = oracle.key_of(world, look, row)
    return "; ".join(str(record) for record in oracle.records_of(world.group, world.steps) if record["entity"] == key)


def compare_many(engine: Engine, examples: int, *, steps: int) -> int:
    """Compare generated worlds; return how many scenarios they held."""
    scenarios = 0

    @settings(SETTINGS, max_examples=examples)
    @given(worlds(steps=steps))
    def compare(world: Case) -> None:
        nonlocal scenarios
        assert departures(engine, world)[:3] == []
        scenarios += FEWEST_SCENARIOS

    compare()
    return scenarios


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if isinstance(engine, InStore)], ids=lambda engine: engine.name)
def test_a_store_answers_as_the_oracle_does(engine: Engine) -> None:
    assert compare_many(engine, STORE_WORLDS, steps=4) >= STORE_WORLDS * FEWEST_SCENARIOS


def test_a_lookup_without_a_store_answers_as_the_oracle_does() -> None:
    assert compare_many(WithoutStore(), FRAME_WORLDS, steps=1) >= FRAME_WORLDS * FEWEST_SCENARIOS


def test_at_least_two_thousand_scenarios_are_compared() -> None:
    stores = sum(isinstance(engine, InStore) for engine in ENGINES)
    assert (stores * STORE_WORLDS + FRAME_WORLDS) * FEWEST_SCENARIOS >= 2_000


def test_the_generated_worlds_reach_every_outcome_and_every_count() -> None:
    reached: Counter[str] = Counter()

    @settings(SETTINGS, max_examples=60)
    @given(worlds())
    def tally(world: Case) -> None:
        for counts in oracle.run(world).counts:
            reached.update({name: count for name, count in counts.items() if isinstance(count, int)})

    tally()
    assert min(reached.values()) >= 100, reached


def test_the_oracle_never_looks_ahead() -> None:
    @settings(SETTINGS, max_examples=60)
    @given(worlds())
    def no_leak(world: Case) -> None:
        records = oracle.records_of(world.group, world.steps)
        for row in world.labels.rows:
            for look in world.lookups:
                decided = oracle.answer_row(world, look, records, row, row[-1]).record
                assert decided is None or (decided["known_at"] < row[-1] if look.strictly_before else decided["known_at"] <= row[-1])

    no_leak()
