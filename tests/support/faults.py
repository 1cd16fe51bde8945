"""Objects that fail on purpose, and objects that count what is asked of them."""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Any

from treering.errors import OutcomeUnknownError


class Fault(Enum):
    """What goes wrong with one conditional create: was it stored, and what is answered?"""

    STORED_BUT_UNANSWERED = (True, OutcomeUnknownError("the answer was lost"))
    STORED_BUT_DENIED = (True, None)
    LOST = (False, OutcomeUnknownError("the request was lost"))


class FaultyObjects:
    """Passes everything on, but the conditional creates whose numbers (from 1) are named go wrong."""

    def __init__(self, objects: Any, faults: Mapping[int, Fault]) -> None:
        self._objects = objects
        self._faults = faults
        self.creates = 0

    def create(self, key: str, data: bytes) -> bool:
        self.creates += 1
        if self.creates not in self._faults:
            return bool(self._objects.create(key, data))
        stored, answer = self._faults[self.creates].value
        if stored:
            assert self._objects.create(key, data)
        if answer:
            raise answer
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)


class CountingObjects:
    """Passes everything on, and counts calls and bytes by method."""

    def __init__(self, objects: Any) -> None:
        self._objects = objects
        self.calls: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._objects, name)
        if name not in {"read", "size", "create", "put", "list"}:
            return method

        def counted(*arguments: Any) -> Any:
            self.calls[name] += 1
            answer = method(*arguments)
            payload = answer if name == "read" else arguments[-1]
            self.bytes[name] += len(payload) if isinstance(payload, bytes) else 0
            return answer

        return counted
