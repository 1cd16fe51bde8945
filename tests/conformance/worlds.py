"""Generated worlds: one group, a few steps, and many small scenarios side by side in it, for Hypothesis to vary.

A scenario is a handful of records and labels of keys that no other scenario uses, so that one store answers for many.
Every record carries a serial number of its own, so that comparing values compares which record answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from conformance.case import MINUTE, Case, Delete, Group, Ingest, Labels, Look, Step, day

START = day(1)
KEYS, LINES, TIMES, SEEN, VALUES, STEPS = 3, 2, 6, 4, 5, 4
RECORDS = KEYS * LINES * TIMES * SEEN * VALUES * STEPS
# Most labels ask for keys that may have records.
LABEL_KEYS = (0, 0, 0, 1, 1, 2, 2, 3, 4)
LABELS = len(LABEL_KEYS) * (TIMES + 2)
FEWEST_SCENARIOS = 16


@dataclass(frozen=True)
class KeyShape:
    """How a key is written: its columns with their types, its label forms, and its value by scenario and number.

    Number 3 is a key that no record has, number 4 has a null in it.
    """

    columns: Mapping[str, str]
    forms: Mapping[str, str]
    values: Any


# Keys of neighbouring scenarios lie beside each other in every order, and share first parts and beginnings.
KEY_SHAPES = (
    KeyShape({"k": "Integral"}, {"k": "int64"}, lambda scenario, key: (((scenario - 3) * 3 + key, -1000 - scenario, None)[max(0, key - 2)],)),
    KeyShape({"k": "Integral"}, {"k": "float64"}, lambda scenario, key: ((float((scenario - 3) * 3 + key), -1000.0, float("nan"))[max(0, key - 2)],)),
    KeyShape({"k": "String"}, {"k": "string"}, lambda scenario, key: ((f"{scenario}", f"{scenario}a", f"{scenario}a ", f"{scenario}A", None)[key],)),
    KeyShape(
        {"k": "Integral", "shop": "String"},
        {"k": "int64", "shop": "string"},
        lambda scenario, key: (2 * scenario + (0, 0, 1, 1, 0)[key], ("a", "", "a", "", None)[key]),
    ),
)


@st.composite
def worlds(draw: st.DrawFn, *, steps: int = STEPS) -> Case:
    """Draw a world; its lookups are several, with options of their own, and nothing is expected yet."""
    shape = draw(st.sampled_from(KEY_SHAPES))
    group = draw(groups(shape))
    plan = [draw(step_plans()) for _ in range(min(steps, draw(st.sampled_from((3, 4, 2, 1)))))]
    plan[0] = replace(plan[0], deletes=False)
    scenarios = draw(
        st.lists(
            st.tuples(st.lists(st.integers(0, RECORDS - 1), min_size=2, max_size=12), st.lists(st.integers(0, LABELS - 1), min_size=1, max_size=6)),
            min_size=FEWEST_SCENARIOS,
            max_size=FEWEST_SCENARIOS + 8,
        )
    )
    played = played_steps(group, shape, plan, [records for records, _ in scenarios])
    looks = tuple(replace(draw(look_options(group, len(played) if steps > 1 else 0)), prefix=prefix) for prefix in ("a_", "b_", "c_"))
    return Case(name="generated", rule="", group=group, steps=tuple(played), labels=drawn_labels(shape, [labels for _, labels in scenarios]), lookups=looks)


@st.composite
def groups(draw: st.DrawFn, shape: KeyShape) -> Group:
    """Draw a declaration: availability by nothing, lag or column; static or not; identifier wider than the entity or not."""
    kind = draw(st.sampled_from(("event", "lag", "column", "static")))
    is_wide = draw(st.booleans())
    columns = {**shape.columns, **({"line": "String"} if is_wide else {})}
    columns |= {} if kind == "static" else {"at": "Timestamp"}
    columns |= {"seen": "Timestamp"} if kind == "column" else {}
    return Group(
        columns={**columns, "value": "Integral", "serial": "Integral"},
        entity=tuple(shape.columns),
        identifier=(*shape.columns, "line") if is_wide else (),
        event_time=None if kind == "static" else "at",
        available_after=2 * MINUTE if kind == "lag" else None,
        available_at="seen" if kind == "column" else None,
    )


@dataclass(frozen=True)
class StepPlan:
    """What one step is, before it is known which scenarios take part."""

    deletes: bool
    clock: int
    event_time: int
    rewrites_history: bool


def step_plans() -> st.SearchStrategy[StepPlan]:
    """Draw a step; clocks may run backwards from one to the next, as those of several writers do."""
    times = st.integers(0, TIMES + 1).map(lambda minute: START + minute * MINUTE)
    return st.builds(StepPlan, deletes=st.booleans(), clock=times, event_time=times, rewrites_history=st.booleans())


def played_steps(group: Group, shape: KeyShape, plan: list[StepPlan], scenarios: list[list[int]]) -> list[Step]:
    """Deal every scenario's records out to the steps; a deletion deletes the record's identifier. Empty steps fall away."""
    dealt: list[dict[str, Any]] = [
        {"serial": 100 * scenario + position, **decoded(shape, scenario, number)}
        for scenario, records in enumerate(scenarios)
        for position, number in enumerate(records)
    ]
    steps: list[Step] = []
    for index, planned in enumerate(plan):
        mine = [record for record in dealt if record["step"] % len(plan) == index]
        if planned.deletes and mine:
            identifiers = dict.fromkeys(tuple(record[name] for name in group.record_identifier) for record in mine)
            steps.append(Delete(tuple(identifiers), None if group.event_time is None else planned.event_time, planned.clock))
        elif mine or not steps:
            rows = tuple(tuple(record[name] for name in group.columns) for record in mine)
            steps.append(Ingest(rows, planned.clock, planned.rewrites_history))
    return steps


def decoded(shape: KeyShape, scenario: int, number: int) -> dict[str, Any]:
    """Read a record out of one number: Hypothesis draws and shrinks one number faster than six."""
    number, key = divmod(number, KEYS)
    number, step = divmod(number, STEPS)
    number, line = divmod(number, LINES)
    number, event = divmod(number, TIMES)
    value, seen = divmod(number, SEEN)
    at = START + event * MINUTE
    parts = (int(part) if isinstance(part, float) else part for part in shape.values(scenario, key))
    return {
        **dict(zip(shape.columns, parts, strict=True)),
        "line": ("x", "y")[line],
        "at": at,
        "seen": at + (seen - 1) * MINUTE,
        "value": (0, 1, 2, 3, None)[value],
        "step": step,
    }


def drawn_labels(shape: KeyShape, scenarios: list[list[int]]) -> Labels:
    """Write the labels of all scenarios, dealt out like cards so that those of one scenario do not stand together."""
    rows = []
    for position in range(max(map(len, scenarios))):
        for scenario, numbers in enumerate(scenarios):
            if position < len(numbers):
                minute, key = divmod(numbers[position], len(LABEL_KEYS))
                rows.append((*shape.values(scenario, LABEL_KEYS[key]), START + (minute - 1) * MINUTE))
    return Labels(columns={**shape.forms, "t": "utc"}, rows=tuple(rows))


@st.composite
def look_options(draw: st.DrawFn, group: Group, steps: int) -> Look:
    """Draw the options of one lookup; without steps to speak of there is no `as of`."""
    ages = [None, None] if group.event_time is None else [None, None, MINUTE, 2 * MINUTE, 4 * MINUTE, *([] if group.available_after else [0])]
    age = draw(st.sampled_from(ages))
    as_of = draw(st.sampled_from(("now", "now", "step", "time"))) if steps else "now"
    return Look(
        max_age=None if age is None else age + (group.available_after or 0),
        strictly_before=draw(st.booleans()),
        as_of=draw(st.integers(1, steps)) if as_of == "step" else None,
        as_of_time=START + draw(st.integers(-1, TIMES + 2)) * MINUTE if as_of == "time" else None,
    )
