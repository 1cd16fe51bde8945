"""What is looked up, checked against the groups and the labels before anything is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from treering.errors import ColumnCollisionError, FeatureNotFoundError, InvalidDefinitionError, LabelsError
from treering.point_in_time.history import History
from treering.point_in_time.labels import LabelRows
from treering.schema.times import duration_text
from treering.schema.view import Lookup


@dataclass(frozen=True, slots=True)
class PlannedLookup:
    """One lookup whose names are resolved.

    Attributes:
        lookup: with the `strictly_before` that is in force.
        history: the group's records.
        on: the label columns with the key, in the entity's order.
        features: output name by feature name.
        event_time_name, age_name: output names of the record's event time and age; None where they are not asked for.
    """

    lookup: Lookup
    history: History
    on: tuple[str, ...]
    features: dict[str, str]
    event_time_name: str | None
    age_name: str | None

    @property
    def output_names(self) -> tuple[str, ...]:
        """The columns that the lookup adds, in order."""
        return (*self.features.values(), *(name for name in (self.event_time_name, self.age_name) if name is not None))


def plan(rows: LabelRows, lookups: Sequence[Lookup], history_of: Callable[[Lookup], History]) -> tuple[PlannedLookup, ...]:
    """Resolve lookups: every group's commit first, then every name.

    Raises:
        InvalidDefinitionError: for a lookup that could never match, or whose key has the wrong number of columns.
        FeatureNotFoundError: for a feature or a label column that does not exist.
        ColumnCollisionError: for output columns that share a name.
    """
    if not lookups:
        raise InvalidDefinitionError("There is nothing to look up: give at least one tr.Lookup.")
    histories = [history_of(lookup) for lookup in lookups]
    planned = tuple(_planned(rows, lookup, history) for lookup, history in zip(lookups, histories, strict=True))
    _check_collisions(rows.table.column_names, planned)
    return planned


def _planned(rows: LabelRows, lookup: Lookup, history: History) -> PlannedLookup:
    definition = history.definition
    on = lookup.on or definition.entity
    if len(on) != len(definition.entity):
        raise InvalidDefinitionError(
            f"{definition.name!r} is looked up by {len(definition.entity)} columns ({', '.join(definition.entity)}), and on={list(on)} names {len(on)}."
        )
    for name in on:
        if name not in rows.table.column_names:
            raise FeatureNotFoundError.among("column", name, rows.table.column_names, f"the labels, to look up {definition.name!r} on")
    _check_age(lookup, history)
    names = list(lookup.features) if lookup.features is not None else list(definition.feature_names)
    for name in names:
        if name not in definition.schema:
            raise FeatureNotFoundError.among("feature", name, definition.schema.names, f"group {definition.name!r}")
    in_force = lookup.seen_strictly_before() if _looks_itself_up(rows, history) else lookup
    return PlannedLookup(
        lookup=in_force,
        history=history,
        on=tuple(on),
        features={name: lookup.output_name(name) for name in names},
        event_time_name=f"{lookup.prefix}{lookup.group}_event_time" if lookup.with_event_time else None,
        age_name=f"{lookup.prefix}{lookup.group}_age_seconds" if lookup.with_age else None,
    )


def _looks_itself_up(rows: LabelRows, history: History) -> bool:
    """Whether the labels are the group's own records, of which none may be its own feature.

    Raises:
        LabelsError: where looking strictly before the labels' time would not prevent that.
    """
    if rows.history is None or rows.history.address != history.address:
        return False
    definition = history.definition
    if rows.labels.time != definition.event_time:
        raise LabelsError(
            f"Labels from {definition.name!r} that look {definition.name!r} up have to use its event time, time={definition.event_time!r}: at any other "
            "time a record would see itself. To look them up at another time, take the rows to a frame first, and look up strictly_before."
        )
    return True


def _check_age(lookup: Lookup, history: History) -> None:
    definition = history.definition
    if lookup.max_age is None:
        return
    if definition.is_static:
        raise InvalidDefinitionError(f"{definition.name!r} is static: its records have no age. Drop max_age from its lookup.")
    if 0 < definition.lag >= lookup.max_age:
        raise InvalidDefinitionError(
            f"The lookup of {definition.name!r} can never match: its records become known {duration_text(definition.lag)} after the event, "
            f"and max_age is {duration_text(lookup.max_age)}. Give a longer max_age."
        )


def _check_collisions(label_columns: Sequence[str], planned: Sequence[PlannedLookup]) -> None:
    owners = {name.lower(): f"{name!r} of the labels" for name in label_columns}
    for one in planned:
        group = one.lookup.group
        sources = {output: feature for feature, output in one.features.items()}
        for name in one.output_names:
            mine = f"{sources.get(name, name)!r} of group {group!r}"
            if name.lower() in owners:
                alias = f"features={{{sources[name]!r}: '{group}_{sources[name]}'}} or " if name in sources else ""
                raise ColumnCollisionError(
                    f"Two output columns are called {name!r}: {owners[name.lower()]}, and {mine}. Part them with {alias}prefix='{group}_' on one lookup."
                )
            owners[name.lower()] = mine
