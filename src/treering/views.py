"""Views: named lookups, kept in the store, that many training sets are built from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from treering.errors import AlreadyExistsError, NotConfirmedError, NotFoundError
from treering.lineage import dependants_of_view
from treering.schema.names import is_name
from treering.schema.serialise import from_json, to_json
from treering.schema.times import time_text
from treering.schema.view import Lookup, View, lookups_of
from treering.storage.documents import Documents

_KIND = "views"


@dataclass(frozen=True, slots=True, repr=False)
class ViewVersion:
    """A view as it was at one time.

    Attributes:
        version: 1 when it was created, one more for each change.
        written_at: when it became so, in microseconds since the epoch, UTC.
    """

    version: int
    written_at: int
    view: View

    def __repr__(self) -> str:
        return f"version {self.version}, since {time_text(self.written_at)}: {self.view!r}"


class Views:
    """`store.views`: a mapping from names to views, with what makes and changes them. Going through it gives the names.

    Args:
        documents: the store's.
        check: looks at a lookup's group and features, and raises where one does not exist.
    """

    def __init__(self, documents: Documents, check: Callable[[Lookup], None]) -> None:
        self._documents, self._check = documents, check

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
        view = self._checked(View(name, lookups_of(lookups), description, tags or {}, owner))
        current = self._value(name)
        if current is None:
            self._documents.create(_KIND, name, _stored(view))
        elif current.get("dropped"):
            self._documents.update(_KIND, name, lambda value: _reborn(value, view))
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
        """Make a view's next version; what is None stays, and where nothing changes no version is made. Training sets that came from it keep the lookups that they were built with.

        Raises:
            NotFoundError: if there is no such view, or for a group or feature that does not exist.
            InvalidDefinitionError: for no lookups, or something that is no lookup.
        """
        given = {
            "lookups": None if lookups is None else lookups_of(lookups),
            "description": description,
            "tags": tags,
            "owner": owner,
        }
        changes: dict[str, Any] = {part: value for part, value in given.items() if value is not None}
        current = self[name]
        changed = self._checked(replace(current, **changes))
        if _same(changed, current):
            return current
        document = self._documents.update(_KIND, name, lambda value: _stored(replace(self._living(name, value), **changes)))
        return _read(document.value)

    def get(self, name: str, version: int | None = None) -> View:
        """Find a view; without a version, as it is now.

        Args:
            name: the view's.
            version: 1 when it was created, one more for each change.

        Raises:
            NotFoundError: with the nearest name, or the versions that there are.
        """
        if version is None:
            return self[name]
        versions = {one.version: one.view for one in self.versions(name)}
        if version not in versions:
            raise NotFoundError(f"View {name!r} has no version {version}; it has {', '.join(map(str, versions))}.")
        return versions[version]

    def versions(self, name: str) -> Sequence[ViewVersion]:
        """List every version of a view since its name was given, oldest first.

        Raises:
            NotFoundError: with the nearest name.
        """
        history = self._documents.history(_KIND, name) if is_name(name) else []
        self._living(name, history[-1].value if history else None)
        dropped = max((one.number for one in history if one.value.get("dropped")), default=0)
        return [ViewVersion(one.number, one.written_at, _read(one.value)) for one in history if one.number > dropped]

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
            sets = dependants_of_view(self._documents, name)
            uses = f"These came from it, and stay: {', '.join(sets)}." if sets else "No training set came from it."
            raise NotConfirmedError(
                f"Dropping view {name!r} takes it from everybody who uses the store. {uses} To go on, say drop({name!r}, confirm={name!r})."
            )
        self._documents.update(_KIND, name, lambda value: {**value, "dropped": True})

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
        return [_read(document.value) for document in self._documents.all(_KIND) if not document.value.get("dropped")]

    def __repr__(self) -> str:
        views = self.list()
        return "\n".join([f"{len(views)} views", *(f"  {view.name}: looks up {', '.join(view.groups)}" for view in views)])

    def _checked(self, view: View) -> View:
        for lookup in view.lookups:
            self._check(lookup)
        return view

    def _value(self, name: object) -> dict[str, Any] | None:
        document = self._documents.current(_KIND, str(name)) if is_name(name) else None
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
