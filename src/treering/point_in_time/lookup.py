"""What is looked up, checked against the groups and the labels before anything is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from treering.errors import ColumnCollisionError, FeatureNotFoundError, InvalidDefinitionError
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
    # A record must not be its own feature: where labels are the group's records, only what was known before them counts.
    in_force = _strictly_before(lookup) if rows.group == definition.name else lookup
    return PlannedLookup(
        lookup=in_force,
        history=history,
        on=tuple(on),
        features={name: lookup.output_name(name) for name in names},
        event_time_name=f"{lookup.prefix}{lookup.group}_event_time" if lookup.with_event_time else None,
        age_name=f"{lookup.prefix}{lookup.group}_age_seconds" if lookup.with_age else None,
    )


def _strictly_before(lookup: Lookup) -> Lookup:
    """Return the lookup with `strictly_before` in force."""
    values = {name: getattr(lookup, name) for name in ("on", "features", "prefix", "as_of", "as_of_time", "with_event_time", "with_age")}
    age = None if lookup.max_age is None else f"{lookup.max_age}us"
    return Lookup(lookup.group, max_age=age, strictly_before=True, **values)


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
    owners = {name.lower(): (name, "the labels") for name in label_columns}
    for one in planned:
        group = one.lookup.group
        for name in one.output_names:
            if name.lower() in owners:
                other, owner = owners[name.lower()]
                feature = next((feature for feature, output in one.features.items() if output == name), name)
                raise ColumnCollisionError(
                    f"Two output columns are called {name!r}: {other!r} of {owner}, and {feature!r} of group {group!r}. "
                    f"Part them with features={{{feature!r}: '{group}_{feature}'}} or prefix='{group}_'."
                )
            owners[name.lower()] = (name, f"group {group!r}")
