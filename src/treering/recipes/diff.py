"""What differs between two recipes: steps, their parameters, and what they learned."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from treering.recipes.steps import step_text

ChangeKind = Literal["added", "removed", "moved", "parameter", "learned", "columns", "fitted on"]
StepJson = Mapping[str, Any]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: what changed.
        step: the step it is about, as "MinMax(temp)"; empty for the recipe as a whole.
        text: the difference in words.
    """

    kind: ChangeKind
    step: str
    text: str

    def __str__(self) -> str:
        return f"{self.step}: {self.text}" if self.step else self.text


@dataclass(frozen=True, slots=True)
class RecipeDiff:
    """The differences between two recipes; false if there are none. Printed, a line each.

    Attributes:
        changes: to the recipe as a whole, then step by step.

    >>> import pandas as pd
    >>> from treering.recipes import MinMax, OneHot, Recipe
    >>> old = Recipe([MinMax("temp")]).fit(pd.DataFrame({"temp": [10.9, 71.1]}))
    >>> new = Recipe([MinMax("temp"), OneHot("sky")]).fit(pd.DataFrame({"temp": [10.9, 74.3, 50.0], "sky": ["clear", "fog", "fog"]}))
    >>> print(RecipeDiff.of(old.to_json(), new.to_json()))
    columns: gained 'sky'
    fitted on: 2 rows -> 3 rows
    MinMax(temp): scale_ 0.0166113 -> 0.0157729
    MinMax(temp): min_ -0.181063 -> -0.171924
    MinMax(temp): data_max_ 71.1 -> 74.3
    OneHot(sky): added as step 2
    """

    changes: tuple[Change, ...]

    @classmethod
    def of(cls, old: StepJson, new: StepJson) -> "RecipeDiff":
        """Compare what `Recipe.to_json` wrote of two recipes; no function of a person's own is needed."""
        return cls((*_of_the_whole(old, new), *_of_steps(old["steps"], new["steps"])))

    def to_json(self) -> list[dict[str, str]]:
        """Write the changes as what `json.dumps` takes."""
        return [asdict(change) for change in self.changes]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) or "no difference"


def _of_the_whole(old: StepJson, new: StepJson) -> Iterator[Change]:
    if "fitted_on" in old and "fitted_on" in new and set(old["feature_names_in"]) != set(new["feature_names_in"]):
        yield Change("columns", "", f"columns: {_members(old['feature_names_in'], new['feature_names_in'])}")
    before, after = _fitted_on(old), _fitted_on(new)
    if before != after:
        yield Change("fitted on", "", f"fitted on: {before} -> {after}")


def _fitted_on(recipe: StepJson) -> str:
    return f"{recipe['fitted_on']['rows']:,} rows" if "fitted_on" in recipe else "nothing yet"


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Which step of the old recipe, by position, became which of the new one."""

    kept: Mapping[int, int]
    moved: Mapping[int, int]
    changed: Mapping[int, int]


def _of_steps(old: Sequence[StepJson], new: Sequence[StepJson]) -> Iterator[Change]:
    pairs = _paired(old, new)
    became = {**pairs.kept, **pairs.moved, **pairs.changed}
    for before, step in enumerate(old):
        if before not in became:
            yield Change("removed", step_text(step), f"removed; it was step {before + 1}")
    came_from = {after: before for before, after in became.items()}
    for after, step in enumerate(new):
        if after not in came_from:
            yield Change("added", step_text(step), f"added as step {after + 1}")
            continue
        before = came_from[after]
        if before in pairs.moved or _crosses(before, after, pairs.kept):
            yield Change("moved", step_text(step), f"moved from step {before + 1} to step {after + 1}")
        yield from _of_parameters(old[before], step)
        yield from _of_learned(old[before], step)


def _paired(old: Sequence[StepJson], new: Sequence[StepJson]) -> _Pairs:
    """Pair steps that are the same and in order; then those that only moved; then those of one kind, in order."""
    ours, theirs = [_identity(step) for step in old], [_identity(step) for step in new]
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    kept = {block.a + offset: block.b + offset for block in blocks for offset in range(block.size)}
    moved = _matched(ours, theirs, kept)
    changed = _matched([_kind(step) for step in old], [_kind(step) for step in new], {**kept, **moved})
    return _Pairs(kept, moved, changed)


def _crosses(before: int, after: int, kept: Mapping[int, int]) -> bool:
    return any((before < theirs) != (after < ours) for theirs, ours in kept.items() if theirs != before)


def _matched(old: Sequence[str], new: Sequence[str], done: Mapping[int, int]) -> dict[int, int]:
    free = [position for position in range(len(new)) if position not in done.values()]
    found = {}
    for before in (position for position in range(len(old)) if position not in done):
        after = next((position for position in free if new[position] == old[before]), None)
        if after is not None:
            free.remove(after)
            found[before] = after
    return found


def _identity(step: StepJson) -> str:
    return json.dumps([step["is"], step["parameters"]], sort_keys=True)


def _kind(step: StepJson) -> str:
    return f"{step['is']} {step['parameters'].get('function', '')}"


def _of_parameters(old: StepJson, new: StepJson) -> Iterator[Change]:
    before, after = old["parameters"], new["parameters"]
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Change("parameter", step_text(new), f"{name} {_shown(before.get(name))} -> {_shown(after.get(name))}")


def _of_learned(old: StepJson, new: StepJson) -> Iterator[Change]:
    if "learned" not in old or "learned" not in new:
        return
    before, after = _facts(old["learned"]), _facts(new["learned"])
    if old["parameters"].get("columns") == new["parameters"].get("columns") and old["learned"]["columns"] != new["learned"]["columns"]:
        yield Change("learned", step_text(new), f"columns {_members(old['learned']['columns'], new['learned']['columns'])}")
    places = {column: place for place, column in enumerate(new["learned"]["columns"])}
    for column, name in sorted((fact for fact in after if fact in before and before[fact] != after[fact]), key=lambda fact: places.get(fact[0], -1)):
        shown = step_text({**new, "learned": {"columns": [column]}}) if column else step_text(new)
        yield Change("learned", shown, f"{name} {_difference(before[column, name], after[column, name])}")


def _facts(learned: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Take learned state apart: by column where it holds a value for each of them, and by name."""
    columns = learned["columns"]
    fields = {name: value for field, content in learned.items() if field != "columns" for name, value in _named(field, content)}
    facts = {}
    for name, value in fields.items():
        if isinstance(value, list) and len(value) == len(columns):
            facts.update({(column, name): item for column, item in zip(columns, value, strict=True)})
        else:
            facts["", name] = value
    return facts


def _named(field: str, content: Any) -> list[tuple[str, Any]]:
    return list(content.items()) if isinstance(content, Mapping) else [(field, content)]


def _difference(old: Any, new: Any) -> str:
    if isinstance(old, list) and isinstance(new, list) and {type(item) for item in (*old, *new)} <= {str, int, bool}:
        return _members(old, new)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) > 1:
        return f"changed in {sum(before != after for before, after in zip(old, new, strict=True)):,} of {len(new):,}"
    before, after = _shown(old), _shown(new)
    return f"{before} -> {after}" if before != after else f"{old!r} -> {new!r}"


def _members(old: Sequence[Any], new: Sequence[Any]) -> str:
    gained, lost = [item for item in new if item not in old], [item for item in old if item not in new]
    told = [f"{verb} {_listed(items)}" for verb, items in (("gained", gained), ("lost", lost)) if items]
    return ", ".join(told) or "in another order"


def _listed(items: Sequence[Any]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(map(repr, items[:_SHOWN])) + more


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"[{_listed(value)}]" if isinstance(value, list) else repr(value)
