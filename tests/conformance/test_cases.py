"""Every case against the oracle, and against every engine."""

from pathlib import Path

import pytest

import treering.errors
from conformance import oracle
from conformance.case import Case
from conformance.cases import CASES
from conformance.engine import ENGINES, Engine
from conformance.verdict import differences

EXPECTING = [case for case in CASES if case.refused is None]
REFUSING = [case for case in CASES if case.refused is not None]


def against_engines(cases: list[Case]) -> pytest.MarkDecorator:
    """Pair every engine with the cases that it takes."""
    return pytest.mark.parametrize(
        ("engine", "case"), [pytest.param(engine, case, id=f"{engine.name}-{case}") for engine in ENGINES for case in cases if engine.takes(case)]
    )


@pytest.mark.parametrize("case", EXPECTING, ids=str)
def test_the_oracle_agrees(case: Case) -> None:
    assert differences(case, oracle.run(case)) == []


@pytest.mark.parametrize("case", REFUSING, ids=str)
def test_the_oracle_refuses(case: Case) -> None:
    assert case.refused is not None
    with pytest.raises(oracle.RefusedError) as refusal:
        oracle.run(case)
    assert refusal.value.error == case.refused.error


@against_engines(EXPECTING)
def test_the_engine_agrees(engine: Engine, case: Case, tmp_path: Path) -> None:
    # Labels that come from the group are looked up at once: a row of them is not a label set of its own.
    observed = engine.run(case, tmp_path / "store", row_by_row=not case.labels.from_group)
    assert differences(case, observed) == []


@against_engines(REFUSING)
def test_the_engine_refuses(engine: Engine, case: Case, tmp_path: Path) -> None:
    assert case.refused is not None
    with pytest.raises(getattr(treering.errors, case.refused.error), match=case.refused.says or None):
        engine.run(case, tmp_path / "store", row_by_row=False)


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_every_rule_of_a_lookup_has_cases() -> None:
    assert {case.rule for case in CASES} == {f"rule {number}" for number in range(1, 14)}
