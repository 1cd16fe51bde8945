"""Whether the cases would notice a wrong engine: each rule of the oracle is broken in turn, and some case must object."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance import oracle
from conformance.case import Case, Observed
from conformance.cases import CASES
from conformance.verdict import differences

SOURCE = Path(oracle.__file__).read_text("utf-8")


@dataclass(frozen=True)
class Mutant:
    """One mistake: this text of the oracle becomes that."""

    mistake: str
    text: str
    becomes: str


MUTANTS = (
    Mutant("a label sees what happened, known or not", 'else record["known_at"] <= t)', 'else record["event_time"] <= t)'),
    Mutant("a label does not see its own microsecond", 'else record["known_at"] <= t)', 'else record["known_at"] < t)'),
    Mutant("strictly before is ignored", 'record["known_at"] < t if look', 'record["known_at"] <= t if look'),
    Mutant("strictly before is about the event", 'record["known_at"] < t if look', 'record["event_time"] < t if look'),
    Mutant("a record may see itself", "or case.labels.from_group", "or False"),
    Mutant(
        "the record known last answers", 'best = max(candidates, key=lambda record: record["order"])', 'best = max(candidates, key=lambda r: r["known_at"])'
    ),
    Mutant("of equals the earlier row answers", '"order": (event_time, at, commit, row)', '"order": (event_time, at, commit, -row)'),
    Mutant("of equals the earlier invocation answers", '"order": (event_time, at, commit, row)', '"order": (event_time, -at, commit, row)'),
    Mutant("of equals the later commit answers, whenever invoked", '"order": (event_time, at, commit, row)', '"order": (event_time, commit, at, row)'),
    Mutant("of equals the earlier commit answers", '"order": (event_time, at, commit, row)', '"order": (event_time, at, -commit, row)'),
    Mutant("corrections are known at once", "if is_correction and not step.rewrites_history:", "if False:"),
    Mutant("history cannot be rewritten", "if is_correction and not step.rewrites_history:", "if is_correction:"),
    Mutant(
        "every late record is a correction",
        "if is_correction and not step.rewrites_history:",
        "if commit > 1 and group.event_time and not step.rewrites_history:",
    ),
    Mutant("static records are corrected", "in built_upon and group.event_time is not None", "in built_upon"),
    Mutant("a correction is known when made, though its event lies ahead", "known_at = max(known_at, step.at)", "known_at = step.at"),
    Mutant(
        "a first load is known when it was written",
        "known_at = max(event_time, availability(group, values, event_time))",
        "known_at = max(event_time, step.at)",
    ),
    Mutant(
        "availability may come before the event",
        "known_at = max(event_time, availability(group, values, event_time))",
        "known_at = availability(group, values, event_time)",
    ),
    Mutant("availability is ignored", "known_at = max(event_time, availability(group, values, event_time))", "known_at = event_time"),
    Mutant(
        "corrections go by entity instead of identifier",
        "(identifier, event_time) in built_upon and",
        "(identifier[:1], event_time) in {(one[:1], time) for one, time in built_upon} and",
    ),
    Mutant(
        "a deletion is known at its event time",
        "known_at = max(event_time, step.at)\n    return record(group, step.identifiers",
        "known_at = event_time\n    return record(group, step.identifiers",
    ),
    Mutant(
        "a deletion is known when asked for, though it lies ahead",
        "known_at = max(event_time, step.at)\n    return record(group, step.identifiers",
        "known_at = step.at if step.event_time else max(event_time, step.at)\n    return record(group, step.identifiers",
    ),
    Mutant("a deletion does nothing", 'if best["deleted"]:', "if False:"),
    Mutant("an expired deletion is expired", 'if best["deleted"]:', 'if best["deleted"] and (look.max_age is None or t - best["event_time"] <= look.max_age):'),
    Mutant("the maximum age is exclusive", '> look.max_age:\n        return "expired"', '>= look.max_age:\n        return "expired"'),
    Mutant("the maximum age is ignored", '> look.max_age:\n        return "expired"', '> 10**30:\n        return "expired"'),
    Mutant("age is counted from being known", 't - best["event_time"] > look.max_age', 't - best["known_at"] > look.max_age'),
    Mutant("as of is ignored", 'and record["commit"] <= last]', "]"),
    Mutant("as of is exclusive", 'and record["commit"] <= last]', 'and record["commit"] < last]'),
    Mutant("as of a time is exclusive", "if time <= look.as_of_time", "if time < look.as_of_time"),
    Mutant("commits run backwards with their writers' clocks", "max(step.at, times[-1] + 1) if times else step.at", "step.at"),
    Mutant(
        "a null key is nought, or empty text",
        "    if None in key:",
        '    key = tuple(part if part is not None else type(key[-1] or "")() for part in key)\n    if False:',
    ),
    Mutant("a tie needs no other identifier", 'and other["identifier"] != best["identifier"]', "and other is not best"),
    Mutant("ties are not counted", 'is_tie = any(other["event_time"] == best["event_time"]', "is_tie = any(False"),
    Mutant("what lies ahead counts as withheld", 'else record["event_time"] <= t)]\n    if not', "else True)]\n    if not"),
    Mutant("an older record counts as withheld", 'any(other["order"] > best["order"] for other in happened)', "len(happened) > 0"),
    Mutant("event times are rounded down", "return math.ceil(READ", "return math.floor(READ"),
    Mutant("label times are rounded up", "math.floor(READ", "math.ceil(READ"),
    Mutant("local times are taken for UTC", "tzinfo=ZoneInfo(zone.name), fold=fold", "tzinfo=UTC, fold=fold"),
    Mutant("the other reading of a doubtful time", 'occurring[0] if choice == "earliest"', 'occurring[1] if choice == "earliest"'),
    Mutant("the other side of a gap", 'after_the_gap - 1 if choice == "earliest"', 'after_the_gap if choice == "earliest"'),
    Mutant(
        "a day is 24 hours",
        "return from_local((datetime.fromisoformat(text) + timedelta(microseconds=date_means)).isoformat(), zone, None)",
        "return from_local(text, zone, None) + date_means",
    ),
    Mutant("floats are keys", 'raise RefusedError("KeyTypeError", f"{value} is no whole', 'return None or str(f"{value} is no whole'),
    Mutant("any kind of key will do", "if form not in FORMS_OF_KEYS[type]:", "if False:"),
    Mutant("a maximum age as long as the lag is allowed", "look.max_age <= group.available_after", "look.max_age < group.available_after"),
    Mutant("columns may differ by case", "if name.lower() in [other.lower() for", "if name in [other for"),
    Mutant("a feature added later counts as there from the start", "and commit > last_commit(case.steps, look)]", "and False]"),
)


def mutated(mutant: Mutant) -> Callable[[Case], Observed]:
    """Build an oracle that makes the mistake."""
    assert SOURCE.count(mutant.text) == 1, f"{mutant.text!r} stands {SOURCE.count(mutant.text)} times in the oracle"
    name = "conformance_mutant"
    module: Any = ModuleType(name)
    # Dataclasses look up their own module while they are made.
    sys.modules[name] = module
    exec(compile(SOURCE.replace(mutant.text, mutant.becomes), name, "exec"), module.__dict__)

    def run(case: Case) -> Observed:
        try:
            return module.run(case)
        except module.RefusedError as refusal:
            raise oracle.RefusedError(refusal.error, str(refusal)) from None

    return run


def objects(case: Case, run: Callable[[Case], Observed]) -> bool:
    """Whether a case notices that an engine is wrong."""
    try:
        observed = run(case)
    except oracle.RefusedError as refusal:
        return case.refused is None or case.refused.error != refusal.error
    return case.refused is not None or differences(case, observed) != []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake.replace(" ", "_"))
def test_some_case_objects_to_a_mistake(mutant: Mutant) -> None:
    run = mutated(mutant)
    assert any(objects(case, run) for case in CASES)


def test_no_case_objects_to_the_oracle_itself() -> None:
    assert [case.name for case in CASES if objects(case, oracle.run)] == []
