"""What was made from what, read from the store's documents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from treering.storage.documents import Documents

_READERS: Mapping[str, tuple[str, Callable[[dict[str, Any]], Iterable[str]]]] = {
    "views": ("view", lambda value: value["groups"]),
    "training-sets": ("training set", lambda value: value["content"]["provenance"]["groups"]),
}


def dependants_of_group(documents: Documents, group: str) -> list[str]:
    """Name the views and training sets that read a feature group, as "view 'late_arrivals'"."""
    return [
        f"{word} {document.name!r}" for kind, (word, groups_of) in _READERS.items() for document in documents.all(kind) if group in groups_of(document.value)
    ]
