"""Views: named lookups, kept in the store, that many training sets are built from."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from treering.errors import NotFoundError
from treering.schema.serialise import from_json, to_json
from treering.schema.view import Lookup, View
from treering.storage.shelf import Shelf

_KIND = "views"


class Views:
    """`store.views`: a mapping from names to views.

    Args:
        shelf: the store's.
        check: looks at a lookup's group and features, and raises where one does not exist.
    """

    def __init__(self, shelf: Shelf, check: Callable[[Lookup], None]) -> None:
        self._shelf, self._check = shelf, check

    def create(self, name: str, lookups: Iterable[Lookup], *, description: str = "", tags: Mapping[str, str] | None = None, owner: str = "") -> View:
        """Keep lookups under a name.

        Raises:
            AlreadyExistsError: if there is a view of that name.
            NotFoundError: for a group or feature that does not exist.
        """
        view = View(name, tuple(lookups), description, dict(tags or {}), owner)
        for lookup in view.lookups:
            self._check(lookup)
        self._shelf.documents.create(_KIND, name, {"view": to_json(view), "groups": list(view.groups)})
        return view

    def __getitem__(self, name: str) -> View:
        """Find a view.

        Raises:
            NotFoundError: with the nearest name.
        """
        document = self._shelf.documents.current(_KIND, name)
        if document is None:
            raise NotFoundError.among("view", name, self.names())
        view: View = from_json(document.value["view"])
        return view

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[View]:
        return iter(from_json(document.value["view"]) for document in self._shelf.documents.all(_KIND))

    def names(self) -> list[str]:
        """List the names of all views."""
        return self._shelf.documents.names(_KIND)
