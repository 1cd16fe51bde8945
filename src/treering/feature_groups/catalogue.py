"""The feature groups of a store: created, found, listed, searched, dropped."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from treering.errors import AlreadyExistsError, FeatureGroupNotFoundError, NotConfirmedError
from treering.feature_groups.feature_group import FeatureGroup
from treering.lineage import dependants_of_group
from treering.schema.feature_group import DateMeaning, FeatureGroupDefinition, Static, TimeZone, define
from treering.schema.serialise import from_json, to_json
from treering.schema.times import Duration
from treering.schema.types import Feature, Schema
from treering.storage.documents import Document
from treering.storage.offline_table import OfflineTable
from treering.storage.shelf import Shelf

_KIND = "feature-groups"


class FeatureGroups:
    """`store.feature_groups`: a mapping from names to groups, with what makes and changes them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

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
        """Create a feature group.

        Args:
            name: 1 to 64 letters, digits, '-' and '_'.
            entity: the column, or columns, that labels look up by.
            event_time: the column with the time of the event, or `tr.STATIC`.
            schema: every column; `tr.Schema.of(frame)` infers it.
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
            AlreadyExistsError: if there is a group of that name, or one that differs only by case.
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
        shelf = self._shelf
        for taken in shelf.documents.names(_KIND):
            if taken.lower() == definition.name.lower() and self._living(taken) is not None:
                raise AlreadyExistsError(f"There is a feature group {taken!r} already. Get it with store.feature_groups[{taken!r}], or choose another name.")
        # The table first: until the document names it, it does not exist for anybody.
        folder = f"feature-groups/{definition.name}-{secrets.token_hex(4)}"
        OfflineTable.create(shelf.objects, folder, definition.run_schema(), clock=shelf.clock)
        value = {"definition": to_json(definition), "folder": folder, "since": {}}
        if shelf.documents.current(_KIND, definition.name) is None:
            shelf.documents.create(_KIND, definition.name, value)
        else:
            shelf.documents.update(_KIND, definition.name, lambda current: _reborn(current, value, definition.name))
        return self[definition.name]

    def __getitem__(self, name: str) -> FeatureGroup:
        """Find a group.

        Raises:
            FeatureGroupNotFoundError: with the nearest name.
        """
        document = self._living(name)
        if document is None:
            raise FeatureGroupNotFoundError.among("feature group", name, self.names())
        return self._group(document)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._living(name) is not None

    def __iter__(self) -> Iterator[FeatureGroup]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> Sequence[str]:
        """List the names of all groups."""
        return [document.name for document in self._shelf.documents.all(_KIND) if not document.value.get("dropped")]

    def list(self) -> Sequence[FeatureGroup]:
        """List all groups, by name."""
        return [self._group(document) for document in self._shelf.documents.all(_KIND) if not document.value.get("dropped")]

    def search(self, text: str = "", *, tags: Mapping[str, str] | None = None) -> Sequence[FeatureGroup]:
        """Find groups by text in a name, description, owner or feature, and by tags; case does not matter in text.

        Args:
            text: what to find; empty finds all.
            tags: what a group's tags have to hold.
        """
        wanted = (tags or {}).items()
        return [group for group in self.list() if text.lower() in _words(group.definition) and wanted <= group.definition.tags.items()]

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
        group = self[name]
        if confirm != name:
            dependants = dependants_of_group(self._shelf.documents, name)
            uses = f"Depending on it: {', '.join(dependants)}." if dependants else "Nothing depends on it."
            raise NotConfirmedError(f"Dropping {name!r} ends its history for every reader. {uses} To go on, say drop({name!r}, confirm={name!r}).")
        self._shelf.documents.update(_KIND, group.definition.name, lambda value: {**value, "dropped": True})

    def _redefine(self, name: str, changes: dict[str, Any], feature: str | None) -> FeatureGroup:
        group = self[name]
        definition = group.definition
        if feature is None:
            changed = replace(definition, **changes)
        else:
            described = replace(definition.schema[feature], **changes)
            features = tuple(described if one.name == feature else one for one in definition.schema)
            changed = replace(definition, schema=Schema(features))
        self._shelf.documents.update(_KIND, name, lambda value: {**value, "definition": to_json(changed)})
        return self[name]

    def _add_features(self, group: FeatureGroup, features: tuple[Feature, ...], commit: int) -> FeatureGroupDefinition:
        """Record more features of a group; what others added since is kept."""

        def added(value: dict[str, Any]) -> dict[str, Any]:
            definition = from_json(value["definition"]).adding(features)
            since = {**value["since"], **{feature.name: commit for feature in features}}
            return {**value, "definition": to_json(definition), "since": since}

        document = self._shelf.documents.update(_KIND, group.definition.name, added)
        definition: FeatureGroupDefinition = from_json(document.value["definition"])
        return definition

    def _living(self, name: str) -> Document | None:
        document = self._shelf.documents.current(_KIND, name)
        return None if document is None or document.value.get("dropped") else document

    def _group(self, document: Document) -> FeatureGroup:
        value = document.value
        return FeatureGroup(self._shelf, from_json(value["definition"]), value["folder"], value["since"], self._add_features)

    def __repr__(self) -> str:
        groups = self.list()
        width = max([len(group.definition.name) for group in groups], default=0)
        lines = [f"  {group.definition.name:<{width}}  {len(group.schema):>4} columns  {group.definition.description}".rstrip() for group in groups]
        return "\n".join([f"{len(groups)} feature groups", *lines])


def _reborn(current: dict[str, Any], value: dict[str, Any], name: str) -> dict[str, Any]:
    if not current.get("dropped"):
        raise AlreadyExistsError(f"There is a feature group {name!r} already: somebody else created it just now.")
    return value


def _changes(description: str | None, tags: Mapping[str, str] | None, owner: str | None) -> dict[str, Any]:
    changes = {"description": description, "tags": None if tags is None else dict(tags), "owner": owner}
    return {name: value for name, value in changes.items() if value is not None}


def _words(definition: FeatureGroupDefinition) -> str:
    words = [definition.name, definition.description, definition.owner, *definition.tags.values()]
    for feature in definition.schema:
        words += [feature.name, feature.description, feature.owner]
    return "\n".join(words).lower()
