"""What the parts of one open store share."""

from collections.abc import Callable
from dataclasses import dataclass

from treering.settings import Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects


@dataclass(frozen=True, slots=True)
class Shelf:
    """The parts of an open store that everything else is built on.

    Attributes:
        objects: its objects.
        documents: its documents.
        settings: how it was opened.
        clock: tells the time in microseconds since 1970 UTC.
    """

    objects: Objects
    documents: Documents
    settings: Settings
    clock: Callable[[], int]
