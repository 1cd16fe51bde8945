"""What a store's documents say of its feature groups: the truth about definitions, changed one version at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from treering.errors import AlreadyExistsError, FeatureGroupNotFoundError, InvalidNameError
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.names import check_name
from treering.schema.serialise import from_json, to_json
from treering.storage.documents import Documents

_KIND = "feature-groups"


@dataclass(frozen=True, slots=True)
class GroupState:
    """A feature group as its document has it.

    Attributes:
        definition: what is declared about it.
        folder: the key of the folder with its records; a name may be given again after a drop, a folder never.
        since: per feature that was added later, the commit after which.
        has_fitted_steps: whether rows may have gone through steps that had learned from values; the commits say through which.
            It is noted before the first such rows are committed, and stays.
    """

    definition: FeatureGroupDefinition
    folder: str
    since: Mapping[str, int] = field(default_factory=dict)
    has_fitted_steps: bool = False

    def to_json(self) -> dict[str, Any]:
        """Turn the state into a document's value."""
        definition = to_json(self.definition)
        return {"definition": definition, "folder": self.folder, "since": dict(self.since), "has_fitted_steps": self.has_fitted_steps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "GroupState":
        """Read a state from a document's value."""
        return cls(from_json(value["definition"]), value["folder"], value["since"], value.get("has_fitted_steps", False))


class GroupDocuments:
    """Reads and changes the states of a store's groups; a group that was dropped is none."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def create(self, state: GroupState) -> None:
        """Give a name to a group.

        Raises:
            AlreadyExistsError: if there is a group of that name, or one that differs only by case.
        """
        name = state.definition.name
        self.check_free(name)
        if self._documents.current(_KIND, name) is None:
            self._documents.create(_KIND, name, state.to_json())
        else:
            self._documents.update(_KIND, name, lambda value: _reborn(value, state, name))

    def check_free(self, name: str) -> None:
        """Refuse a name that is taken.

        Raises:
            AlreadyExistsError: if there is a group of that name, or one that differs only by case.
        """
        for taken in self._documents.names(_KIND):
            if taken.lower() == name.lower() and self.find(taken) is not None:
                raise AlreadyExistsError(
                    f"There is a feature group {taken!r} already. Get it with store.feature_groups[{taken!r}], or choose another name. "
                    "To define it anew, drop it first: its history ends then."
                )

    def find(self, name: object) -> GroupState | None:
        """Read a group's state; None if there is no such group."""
        try:
            document = self._documents.current(_KIND, check_name(name, "feature group"))
        except InvalidNameError:
            return None
        return None if document is None or document.value.get("dropped") else GroupState.from_json(document.value)

    def get(self, name: object) -> GroupState:
        """Read a group's state.

        Raises:
            FeatureGroupNotFoundError: with the nearest name.
        """
        state = self.find(name)
        if state is None:
            raise FeatureGroupNotFoundError.among("feature group", str(name), [state.definition.name for state in self.all()])
        return state

    def all(self) -> list[GroupState]:
        """Read the states of all groups, by name."""
        return [GroupState.from_json(document.value) for document in self._documents.all(_KIND) if not document.value.get("dropped")]

    def change(self, state: GroupState, change: Callable[[GroupState], GroupState]) -> GroupState:
        """Write a group's next state, made from the current one, whoever changed it since.

        Raises:
            FeatureGroupNotFoundError: if the group was dropped since.
        """
        document = self._documents.update(_KIND, state.definition.name, lambda value: change(_living(value, state)).to_json())
        return GroupState.from_json(document.value)

    def drop(self, state: GroupState) -> None:
        """Take the name from a group."""
        self._documents.update(_KIND, state.definition.name, lambda value: _living(value, state).to_json() | {"dropped": True})

    def check_living(self, state: GroupState) -> None:
        """Refuse a group that was dropped after its state was read: what is written to it would never be seen.

        Raises:
            FeatureGroupNotFoundError: then.
        """
        document = self._documents.current(_KIND, state.definition.name)
        _living({"dropped": True} if document is None else document.value, state)


def _living(value: Mapping[str, Any], state: GroupState) -> GroupState:
    if value.get("dropped") or value["folder"] != state.folder:
        name = state.definition.name
        raise FeatureGroupNotFoundError(f"The feature group {name!r} was dropped after you got it. Get it anew with store.feature_groups[{name!r}].")
    return GroupState.from_json(value)


def _reborn(value: Mapping[str, Any], state: GroupState, name: str) -> dict[str, Any]:
    if not value.get("dropped"):
        raise AlreadyExistsError(f"There is a feature group {name!r} already: somebody else created it just now.")
    return state.to_json()
