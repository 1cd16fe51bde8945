"""Which records of a group to read, and reading them: in order, in bounded memory, duplicates settled."""

from collections.abc import Iterator, Sequence
from typing import Any, Self, TypedDict

import numpy as np
import pyarrow as pa

from treering.errors import FeatureNotFoundError, UnknownArgumentError, did_you_mean
from treering.ingestion.identifiers import Identifiers, identifier_columns
from treering.point_in_time.history import History
from treering.schema.feature_group import COMMIT, EVENT_TIME, IS_DELETED, KNOWN_AT, SYSTEM_COLUMNS, FeatureGroupDefinition
from treering.schema.times import FIRST_TIME, LAST_TIME, Moment, microseconds_at
from treering.settings import Settings
from treering.storage.record_keys import KeyCodes
from treering.storage.sorted_spool import SortedSpool
from treering.storage.sorting import PRECEDENCE, Integers, integers, order_of, ranks


class Selection(TypedDict, total=False):
    """What to read of a feature group; everything may be left out.

    Keys:
        columns: which columns, in this order; system columns such as `write_time` may be named. Default: the group's.
        identifiers: entities to read: values, or values by column for a composite entity.
        between: a pair of event times: from the first, included, to the second, excluded; None leaves a side open.
        as_of: a commit number, or a time: read the group as it was then.
        include_duplicates: also records that others replaced, and deletions, with all system columns.
    """

    columns: Sequence[str]
    identifiers: Identifiers
    between: tuple[Moment | None, Moment | None]
    as_of: int | Moment
    include_duplicates: bool


class Reader:
    """Reads a selection of a history."""

    def __init__(self, history: History, selection: Selection, settings: Settings) -> None:
        check_selection(selection)
        self._history, self._settings = history, settings
        self._definition = history.definition
        self._duplicates = selection.get("include_duplicates", False)
        self.columns = _columns(self._definition, selection.get("columns"), all_columns=self._duplicates)
        self._keys = _keys(self._definition, selection.get("identifiers"))
        start, end = selection.get("between", (None, None))
        self._start = FIRST_TIME if start is None else microseconds_at(start, "start of the range")
        self._end = LAST_TIME + 1 if end is None else microseconds_at(end, "end of the range")
        self._latest_only = False

    def latest(self) -> Self:
        """Keep only the last record of every identifier."""
        self._latest_only = True
        return self

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of what is read."""
        stored = self._definition.run_schema()
        return pa.schema([stored.field(name) for name in self.columns])

    def tables(self) -> Iterator[pa.Table]:
        """Read, ordered by entity and event time, whole entities at a time."""
        entity = self._definition.entity
        with SortedSpool(entity, chunk_bytes=self._settings.chunk_bytes, folder=self._settings.temporary_folder) as spool:
            for table in self._selected():
                spool.add(table)
            for chunk in spool.chunks():
                yield self._settled(chunk).select(self.columns).cast(self.schema)

    def table(self) -> pa.Table:
        """Read all of it."""
        return pa.concat_tables([self.schema.empty_table(), *self.tables()])

    def _selected(self) -> Iterator[pa.Table]:
        needed = list(dict.fromkeys([*self._definition.record_identifier, KNOWN_AT, *PRECEDENCE, IS_DELETED, *self.columns]))
        extremes = None if self._keys is None else self._keys.extremes()
        for run in self._history.runs:
            groups: Sequence[int] = range(len(run.group_starts) - 1)
            if self._keys is not None:
                groups = [] if extremes is None else run.groups_between(self._definition.entity[0], *extremes)
            for group in groups:
                table = run.read(needed, [group])
                wanted = self._wanted(table)
                if wanted.any():
                    yield table if wanted.all() else table.filter(pa.array(wanted))

    def _wanted(self, table: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
        event_time = integers(table[EVENT_TIME])
        wanted = (event_time >= self._start) & (event_time < self._end)
        if not self._history.is_newest:
            wanted &= integers(table[COMMIT]) <= self._history.commit
        if self._keys is not None:
            wanted &= self._keys.codes_of([table[name] for name in self._definition.entity]) >= 0
        return wanted

    def _settled(self, chunk: pa.Table) -> pa.Table:
        """Order a chunk by entity, event time and precedence, and keep the records that count."""
        definition = self._definition
        entity = [ranks(chunk[name]) for name in definition.entity]
        others = [ranks(chunk[name]) for name in definition.record_identifier if name not in definition.entity]
        clocks = [integers(chunk[name]) for name in PRECEDENCE]
        if self._duplicates:
            return chunk.take(pa.array(order_of([*entity, *clocks])))
        order = order_of([*entity, *others, *clocks])
        last = _last_of_each([*entity, *others] if self._latest_only else [*entity, *others, clocks[0]], order)
        kept = chunk.take(pa.array(last))
        kept = kept.filter(pa.array(integers(kept[IS_DELETED]) == 0))
        by_time = order_of([ranks(kept[name]) for name in definition.entity] + [integers(kept[EVENT_TIME])])
        return kept.take(pa.array(by_time))


def _last_of_each(keys: Sequence[Integers], order: Integers) -> Integers:
    """Positions, in order, of the last row of each run of equal keys."""
    if len(order) == 0:
        return order
    differs = np.zeros(len(order) - 1, dtype=bool)
    for key in keys:
        differs |= np.diff(key[order]) != 0
    return np.asarray(order[np.concatenate([differs, [True]])])


def _columns(definition: FeatureGroupDefinition, columns: Sequence[str] | None, *, all_columns: bool) -> list[str]:
    known = [*definition.schema.names, *SYSTEM_COLUMNS]
    if columns is None:
        return known if all_columns else list(definition.schema.names)
    for name in columns:
        if name not in known:
            raise FeatureNotFoundError.among("column", name, known, f"group {definition.name!r}")
    return list(columns)


def _keys(definition: FeatureGroupDefinition, identifiers: Identifiers | None) -> KeyCodes | None:
    return None if identifiers is None else KeyCodes.of(identifier_columns(identifiers, definition.entity, definition))


def check_selection(selection: Selection) -> None:
    """Refuse arguments that would be passed over in silence.

    Raises:
        UnknownArgumentError: for an argument that does not exist, or of a shape that would mean something else.
    """
    known = Selection.__annotations__
    for name in selection:
        if name not in known:
            raise UnknownArgumentError(f"Reading takes no argument {name!r}. {did_you_mean(name, known)}")
    if isinstance(selection.get("columns"), str):
        raise UnknownArgumentError(f"columns is a list of names: columns=[{selection['columns']!r}].")
    between = selection.get("between", (None, None))
    if isinstance(between, str) or len(between) != 2:
        raise UnknownArgumentError(f"between is a pair of times, such as ('2013-01-01T00:00Z', None), and not {between!r}.")
