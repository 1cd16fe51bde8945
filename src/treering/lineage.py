"""What was made from what, read from the store's documents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from treering.storage.documents import Documents

_READERS: Mapping[str, tuple[str, Callable[[dict[str, Any]], Iterable[str]]]] = {
    "views": ("view", lambda value: () if value.get("dropped") else value["groups"]),
    "training-sets": ("training set", lambda value: value["content"]["provenance"]["groups"]),
}


def dependants_of_group(documents: Documents, group: str) -> list[str]:
    """Name the views and training sets that read a feature group, as "view 'late_arrivals'"."""
    return [
        f"{word} {document.name!r}" for kind, (word, groups_of) in _READERS.items() for document in documents.all(kind) if group in groups_of(document.value)
    ]


def dependants_of_view(documents: Documents, view: str) -> list[str]:
    """Name the versions of training sets that came from a view, as "training set 'late' version 2"."""
    versions = [document for name in documents.names("training-sets") for document in documents.history("training-sets", name)]
    return [f"training set {one.name!r} version {one.number}" for one in versions if (one.value["content"]["view"] or {}).get("name") == view]
