"""The feature groups of a store: created, found, listed, dropped."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from treering.errors import NotConfirmedError
from treering.feature_groups.feature_group import FeatureGroup, open_table
from treering.feature_groups.group_documents import GroupDocuments, GroupState
from treering.lineage import dependants_of_group
from treering.schema.feature_group import DateMeaning, FeatureGroupDefinition, Static, TimeZone, define
from treering.schema.times import Duration
from treering.schema.types import Schema
from treering.storage.offline_table import OfflineTable
from treering.storage.shelf import Shelf


class FeatureGroups:
    """`store.feature_groups`: finds groups by name, makes and changes them. Going through it gives the groups themselves."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._groups = shelf, GroupDocuments(shelf.documents)

    def create(
        self,
        name: str,
        *,
        entity: str | Iterable[str],
        event_time: str | Static,
        schema: Schema,
        record_identifier: str | Iterable[str] = (),
        available_after: Duration | None = None,
        available_at: str | None = None,
        time_zone: str | TimeZone | None = None,
        date_means: DateMeaning | Duration | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        owner: str = "",
    ) -> FeatureGroup:
        """Create a feature group; one that is declared just so already is returned, so that a notebook can be run again.

        Args:
            name: 1 to 64 letters, digits, '-' and '_'.
            entity: the column, or columns, that labels look up by.
            event_time: the column with the time of the event, or `tr.STATIC`.
            schema: every column; `tr.Schema.of(frame)` infers it, and `tr.schema_of(path)` that of a file.
            record_identifier: the columns that tell records of one entity and moment apart; the entity's by default.
            available_after: how long after its event time a record becomes known, such as "1h".
            available_at: the column with the time at which a record became known.
            time_zone: the zone of times written without one, such as "UTC"; without it such times are an error.
            date_means: for event times that are dates: "start_of_day", "end_of_day", or a time after the day's start.
            description: up to 128 characters.
            tags: up to 50, by name.
            owner: who answers for the group.

        Raises:
            InvalidNameError: for a name that breaks the rule.
            InvalidDefinitionError: for parts that contradict each other.
            AlreadyExistsError: if there is another group of that name, or one that differs only by case.
        """
        definition = define(
            name,
            entity=entity,
            event_time=event_time,
            schema=schema,
            record_identifier=record_identifier,
            available_after=available_after,
            available_at=available_at,
            time_zone=time_zone,
            date_means=date_means,
            description=description,
            tags=tags,
            owner=owner,
        )
        return self.add(definition)

    def add(self, definition: FeatureGroupDefinition) -> FeatureGroup:
        """Create the feature group that a definition describes."""
        existing = self._groups.find(definition.name)
        if existing is not None and existing.definition == definition:
            return self._group(existing)
        self._groups.check_free(definition.name)
        # The table first: until the document names it, it does not exist for anybody.
        folder = f"feature-groups/{definition.name}-{secrets.token_hex(4)}"
        OfflineTable.create(self._shelf.objects, folder, definition.run_schema(), clock=self._shelf.clock)
        self._groups.create(GroupState(definition, folder))
        return self[definition.name]

    def __getitem__(self, name: str) -> FeatureGroup:
        """Find a group.

        Raises:
            FeatureGroupNotFoundError: with the nearest name.
        """
        return self._group(self._groups.get(name))

    def __contains__(self, name: object) -> bool:
        return self._groups.find(name) is not None

    def __iter__(self) -> Iterator[FeatureGroup]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> Sequence[str]:
        """List the names of all groups."""
        return [state.definition.name for state in self._groups.all()]

    def list(self) -> Sequence[FeatureGroup]:
        """List all groups, by name."""
        return [self._group(state) for state in self._groups.all()]

    def describe(self, name: str, *, description: str | None = None, tags: Mapping[str, str] | None = None, owner: str | None = None) -> FeatureGroup:
        """Change what is said about a group; None leaves a part as it is."""
        return self._redefine(name, _changes(description, tags, owner), None)

    def describe_feature(
        self, name: str, feature: str, *, description: str | None = None, tags: Mapping[str, str] | None = None, owner: str | None = None
    ) -> FeatureGroup:
        """Change what is said about a feature of a group; None leaves a part as it is."""
        return self._redefine(name, _changes(description, tags, owner), feature)

    def drop(self, name: str, *, confirm: str = "") -> None:
        """Take a group out of the store; its files stay in its folder.

        Args:
            name: the group's.
            confirm: the name again.

        Raises:
            NotConfirmedError: if `confirm` is not the name; it says what depends on the group.
        """
        state = self._groups.get(name)
        if confirm != name:
            dependants = dependants_of_group(self._shelf.documents, name)
            uses = f"Depending on it: {', '.join(dependants)}." if dependants else "Nothing depends on it."
            raise NotConfirmedError(f"Dropping {name!r} ends its history for every reader. {uses} To go on, say drop({name!r}, confirm={name!r}).")
        self._groups.drop(state)

    def relocate(self) -> None:
        """Make the place where the groups stand their own, after the store was moved or copied."""
        for state in self._groups.all():
            open_table(self._shelf, state).relocate()

    def _redefine(self, name: str, changes: dict[str, Any], feature: str | None) -> FeatureGroup:
        state = self._groups.change(self._groups.get(name), lambda state: replace(state, definition=_redefined(state.definition, changes, feature)))
        return self._group(state)

    def _group(self, state: GroupState) -> FeatureGroup:
        return FeatureGroup(self._shelf, self._groups, state)

    def __repr__(self) -> str:
        groups = self.list()
        width = max([len(group.definition.name) for group in groups], default=0)
        lines = [f"  {group.definition.name:<{width}}  {len(group.schema):>4} columns  {group.definition.description}".rstrip() for group in groups]
        return "\n".join([f"{len(groups)} feature groups", *lines])


def _redefined(definition: FeatureGroupDefinition, changes: dict[str, Any], feature: str | None) -> FeatureGroupDefinition:
    if feature is None:
        return replace(definition, **changes)
    described = replace(definition.schema[feature], **changes)
    return replace(definition, schema=Schema(tuple(described if one.name == feature else one for one in definition.schema)))


def _changes(description: str | None, tags: Mapping[str, str] | None, owner: str | None) -> dict[str, Any]:
    changes = {"description": description, "tags": None if tags is None else dict(tags), "owner": owner}
    return {name: value for name, value in changes.items() if value is not None}
