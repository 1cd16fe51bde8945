"""Older training sets of a store: the lookups that they answered, and the whole sets, found again by the digest of what they follow from."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from treering.errors import AlreadyExistsError, CommitConflictError, CorruptDataError, NotFoundError, OutcomeUnknownError, StorageError, StoreFormatError
from treering.point_in_time.counts import LookupCounts
from treering.point_in_time.local import LookupPlan
from treering.point_in_time.lookup import PlannedLookup
from treering.storage.documents import Documents
from treering.training_sets.receipt import About
from treering.training_sets.reuse import Reuse, lookup_keys
from treering.training_sets.training_set import TrainingSet

_LOOKED_UP = "looked-up"
_BUILT = "built-sets"

_COUNTED = ("rows", "matched", "no_history", "not_yet_known", "deleted", "expired", "ties", "withheld", "written_after_label")
_UNUSABLE = (CorruptDataError, NotFoundError, StoreFormatError)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a looked-up column is kept.

    Attributes:
        set, version, id: the training set.
        lookup: which of that set's lookups it is of, counted from 0.
        column: its name there.
    """

    set: str
    version: int
    id: str
    lookup: int
    column: str

    @property
    def source(self) -> tuple[str, int, str]:
        """The training set."""
        return self.set, self.version, self.id


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A plan's answers, looked up or read from older sets.

    Attributes:
        plan: what was asked.
        keys: by lookup, the digest of what its answers follow from.
        counts: by lookup, how the label rows ended.
        table: the label columns, then the looked-up ones.
        computed: the output columns that were looked up now.
        reuse: what was not.
    """

    plan: LookupPlan
    keys: tuple[str, ...]
    counts: tuple[LookupCounts, ...]
    table: pa.Table
    computed: frozenset[str]
    reuse: Reuse


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What older sets gave: columns by output name, and by lookup the counts that one of its columns came with."""

    columns: dict[str, pa.ChunkedArray]
    counts: dict[int, Mapping[str, Any]]
    sources: list[str]
    notes: list[str]


class OlderSets:
    """What the training sets of a store hold of the ones that are asked for.

    Two kinds of documents point to it, one named by a lookup's key, one by a set's inputs. They are advice: without them
    everything is computed.

    Args:
        documents: the store's.
        find: finds a training set by name and version.
    """

    def __init__(self, documents: Documents, find: Callable[[str, int], TrainingSet]) -> None:
        self._documents, self._find = documents, find

    def identical(self, inputs: str, about: About) -> TrainingSet | None:
        """Find the set that was built from exactly these inputs, if it is whole; texts count only where some are given."""
        entry = self._entry(_BUILT, inputs)
        if not entry:
            return None
        try:
            found = self._find(entry["set"], entry["version"])
        except _UNUSABLE:
            return None
        is_asked = found.receipt.inputs == inputs and about in (About(), found.about)
        if not is_asked or not found.has_its_files():
            return None
        lookups = len(found.receipt.provenance["lookups"])
        return replace(found, reuse=Reuse(found.rows, lookups, (), sources=(f"{found.name}:{found.version}",), identical_to=found.version))

    def answer(self, plan: LookupPlan) -> Answered:
        """Read what older sets hold of a plan's columns, and look up the rest."""
        keys = lookup_keys(plan)
        read = self._read([self._kept(planned, key) for planned, key in zip(plan.planned, keys, strict=True)])
        rest = {number: _without(planned, read.columns) for number, planned in enumerate(plan.planned)}
        rest = {number: part for number, part in rest.items() if part.output_names or number not in read.counts}
        answers = dict(zip(rest, plan.answers(list(rest.values())), strict=True))
        computed = {field.name: values for _, columns in answers.values() for field, values in columns}
        names = [name for planned in plan.planned for name in planned.output_names]
        values = {**read.columns, **computed}
        return Answered(
            plan=plan,
            keys=tuple(keys),
            counts=tuple(
                LookupCounts.of(planned, answers[number][0]) if number in answers else _taken_over(planned, read.counts[number])
                for number, planned in enumerate(plan.planned)
            ),
            table=plan.completed([(pa.field(name, values[name].type), values[name]) for name in names]),
            computed=frozenset(computed),
            reuse=_reuse(plan, rest, read),
        )

    def remember(self, built: TrainingSet, answered: Answered) -> None:
        """Let later builds find a new set, and the columns that were looked up for it."""
        self._keep(_BUILT, built.receipt.inputs, lambda _: {"set": built.name, "version": built.version})
        for number, (planned, key) in enumerate(zip(answered.plan.planned, answered.keys, strict=True)):
            kept = {
                what: asdict(Kept(built.name, built.version, built.id, number, column))
                for what, column in _columns(planned).items()
                if column in answered.computed
            }
            if kept:
                self._keep(_LOOKED_UP, key, partial(_with_columns, kept))

    def _kept(self, planned: PlannedLookup, key: str) -> dict[str, Kept]:
        """Where each of a lookup's output columns is kept, by output name; those that are kept nowhere are left out."""
        entry = self._entry(_LOOKED_UP, key).get("columns", {})
        return {column: Kept(**entry[what]) for what, column in _columns(planned).items() if what in entry}

    def _read(self, kept: Sequence[Mapping[str, Kept]]) -> _Read:
        """Read columns, each older set once, with every page's checksum verified."""
        read = _Read({}, {}, [], [])
        by_source: dict[tuple[str, int, str], list[tuple[int, str, Kept]]] = {}
        for number, columns in enumerate(kept):
            for output, one in columns.items():
                by_source.setdefault(one.source, []).append((number, output, one))
        for (name, version, id), wanted in by_source.items():
            try:
                older = self._find(name, version)
                if older.id != id:
                    raise CorruptDataError(f"Training set {name} version {version} has another id than it had.")
                table = older.to_arrow(columns=dict.fromkeys(one.column for _, _, one in wanted))
            except _UNUSABLE as error:
                read.notes.append(f"what {name}:{version} holds was looked up anew, for it cannot be read: {error}")
                continue
            read.sources.append(f"{name}:{version}")
            for number, output, one in wanted:
                read.columns[output] = table[one.column]
                read.counts[number] = older.receipt.counts[one.lookup]
        return read

    def _entry(self, kind: str, name: str) -> dict[str, Any]:
        try:
            document = self._documents.current(kind, name)
        except _UNUSABLE:
            return {}
        return {} if document is None else document.value

    def _keep(self, kind: str, name: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        # The set itself stands by now: that it may not be found for reuse is no reason to call its build a failure.
        with suppress(CommitConflictError, OutcomeUnknownError, StorageError, *_UNUSABLE):
            try:
                self._documents.create(kind, name, change({}))
            except AlreadyExistsError:
                self._documents.update(kind, name, change)


def _reuse(plan: LookupPlan, rest: Mapping[int, PlannedLookup], read: _Read) -> Reuse:
    return Reuse(
        rows=len(plan.rows.moments),
        lookups_reused=len(plan.planned) - len(rest),
        groups_computed=tuple(part.lookup.group for part in rest.values()),
        columns_of_others=sum(name in read.columns for number in rest for name in plan.planned[number].output_names),
        sources=tuple(read.sources),
        notes=tuple(read.notes),
    )


def _with_columns(kept: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    return {"columns": {**value.get("columns", {}), **kept}}


def _columns(planned: PlannedLookup) -> dict[str, str]:
    """Name a lookup's output columns by what they hold, which aliases and prefixes do not change."""
    # No feature's name has a space in it.
    columns = {f"feature {name}": output for name, output in planned.features.items()}
    others = {"event time": planned.event_time_name, "age": planned.age_name}
    return columns | {what: output for what, output in others.items() if output is not None}


def _without(planned: PlannedLookup, read: Collection[str]) -> PlannedLookup:
    """Leave out the columns that were read already."""
    return replace(
        planned,
        features={name: output for name, output in planned.features.items() if output not in read},
        event_time_name=None if planned.event_time_name in read else planned.event_time_name,
        age_name=None if planned.age_name in read else planned.age_name,
    )


def _taken_over(planned: PlannedLookup, older: Mapping[str, Any]) -> LookupCounts:
    """Take over how the rows of a lookup ended; what depends on the features that are asked for is counted anew."""
    return LookupCounts(
        group=planned.lookup.group,
        prefix=planned.lookup.prefix,
        commit=planned.history.commit,
        features=len(planned.features),
        before_feature_existed={name: older["matched"] for name in planned.features if planned.history.lacks(name)},
        **{name: older[name] for name in _COUNTED},
    )
