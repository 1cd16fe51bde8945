"""Views: named lookups, kept in the store, that many training sets are built from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from treering.errors import AlreadyExistsError, NotConfirmedError, NotFoundError
from treering.lineage import dependants_of_view
from treering.schema.names import is_name
from treering.schema.serialise import from_json, to_json
from treering.schema.view import Lookup, View, lookups_of
from treering.storage.shelf import Shelf

_KIND = "views"


class Views:
    """`store.views`: a mapping from names to views, with what makes and changes them. Going through it gives the names.

    Args:
        shelf: the store's.
        check: looks at a lookup's group and features, and raises where one does not exist.
    """

    def __init__(self, shelf: Shelf, check: Callable[[Lookup], None]) -> None:
        self._shelf, self._check = shelf, check

    def create(self, name: str, lookups: Lookup | Iterable[Lookup], *, description: str = "", tags: Mapping[str, str] | None = None, owner: str = "") -> View:
        """Keep lookups under a name; one that holds exactly these already is returned as it is.

        Args:
            name: by SageMaker's rule.
            lookups: in the order of their output columns.
            description, tags, owner: for people.

        Raises:
            AlreadyExistsError: if there is another view of that name.
            InvalidDefinitionError: for no lookups, or something that is no lookup.
            NotFoundError: for a group or feature that does not exist.
        """
        view = self._checked(View(name, lookups_of(lookups), description, dict(tags or {}), owner))
        current = self._value(name)
        if current is None:
            self._shelf.documents.create(_KIND, name, _stored(view))
        elif current.get("dropped"):
            self._shelf.documents.update(_KIND, name, lambda value: _reborn(value, view))
        elif not _same(_read(current), view):
            raise _taken(name)
        return view

    def update(
        self,
        name: str,
        lookups: Lookup | Iterable[Lookup] | None = None,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        owner: str | None = None,
    ) -> View:
        """Change a view; what is None stays. Training sets that came from it keep the lookups that they were built with.

        Raises:
            NotFoundError: if there is no such view, or for a group or feature that does not exist.
            InvalidDefinitionError: for no lookups, or something that is no lookup.
        """
        given = {
            "lookups": None if lookups is None else lookups_of(lookups),
            "description": description,
            "tags": None if tags is None else dict(tags),
            "owner": owner,
        }
        changes: dict[str, Any] = {part: value for part, value in given.items() if value is not None}
        self._checked(replace(self[name], **changes))
        document = self._shelf.documents.update(_KIND, name, lambda value: _stored(replace(self._living(name, value), **changes)))
        return _read(document.value)

    def drop(self, name: str, *, confirm: str = "") -> None:
        """Take a view out of the store; training sets that came from it stay whole.

        Args:
            name: the view's.
            confirm: the name again.

        Raises:
            NotFoundError: with the nearest name.
            NotConfirmedError: if `confirm` is not the name; it says which training sets came from the view.
        """
        self[name]
        if confirm != name:
            sets = dependants_of_view(self._shelf.documents, name)
            uses = f"These came from it, and stay: {', '.join(sets)}." if sets else "No training set came from it."
            raise NotConfirmedError(
                f"Dropping view {name!r} takes it from everybody who uses the store. {uses} To go on, say drop({name!r}, confirm={name!r})."
            )
        self._shelf.documents.update(_KIND, name, lambda value: {**value, "dropped": True})

    def __getitem__(self, name: str) -> View:
        """Find a view.

        Raises:
            NotFoundError: with the nearest name.
        """
        return self._living(name, self._value(name))

    def __contains__(self, name: object) -> bool:
        value = self._value(name)
        return value is not None and not value.get("dropped")

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> Sequence[str]:
        """List the names of all views."""
        return [view.name for view in self.list()]

    def list(self) -> Sequence[View]:
        """List all views, by name."""
        return [_read(document.value) for document in self._shelf.documents.all(_KIND) if not document.value.get("dropped")]

    def __repr__(self) -> str:
        views = self.list()
        return "\n".join([f"{len(views)} views", *(f"  {view.name}: looks up {', '.join(view.groups)}" for view in views)])

    def _checked(self, view: View) -> View:
        for lookup in view.lookups:
            self._check(lookup)
        return view

    def _value(self, name: object) -> dict[str, Any] | None:
        document = self._shelf.documents.current(_KIND, str(name)) if is_name(name) else None
        return None if document is None else document.value

    def _living(self, name: str, value: dict[str, Any] | None) -> View:
        if value is None or value.get("dropped"):
            raise NotFoundError.among("view", str(name), self.names())
        return _read(value)


def _stored(view: View) -> dict[str, Any]:
    return {"view": to_json(view), "groups": list(view.groups)}


def _read(value: Mapping[str, Any]) -> View:
    view: View = from_json(value["view"])
    return view


def _same(one: View, other: View) -> bool:
    # Mappings are equal in any order, and features are asked for in one.
    return one == other and [tuple(lookup.features or ()) for lookup in one.lookups] == [tuple(lookup.features or ()) for lookup in other.lookups]


def _reborn(value: Mapping[str, Any], view: View) -> dict[str, Any]:
    if not value.get("dropped"):
        raise _taken(view.name)
    return _stored(view)


def _taken(name: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"There is a view {name!r} already, with other content. Change it with store.views.update({name!r}, ...), or choose another name."
    )
