"""What a step is: frozen parameters, the state it learns from a frame, and the transform that both give."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from treering.errors import StoreFormatError

if TYPE_CHECKING:
    import pandas as pd

# scikit-learn's running means depend on where batches end, by up to 4e-12: fitting in pieces of a fixed length
# gives one state, whether the rows come as a frame or as a stream.
CHUNK_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Learned:
    """What a step found out at fit; steps that learn more add fields of their own.

    Attributes:
        columns: the columns that the step works on.

    >>> Learned(("speed",)).to_json()
    {'columns': ['speed']}
    """

    columns: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Write the state as what `json.dumps` takes; floats are exact.

        >>> Learned(("speed", "seats")).to_json()
        {'columns': ['speed', 'seats']}
        """
        return plain_fields(self)


LearnedT = TypeVar("LearnedT", bound=Learned)


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """A frame in pieces of 65,536 rows; can be gone through more than once, and gives an empty frame as one piece.

    >>> import pandas as pd
    >>> [len(chunk) for chunk in Chunks(pd.DataFrame({"row": range(70_000)}))]
    [65536, 4464]
    """

    frame: "pd.DataFrame"

    def __iter__(self) -> "Iterator[pd.DataFrame]":
        for start in range(0, max(len(self.frame), 1), CHUNK_ROWS):
            yield self.frame.iloc[start : start + CHUNK_ROWS]


class Step(ABC, Generic[LearnedT]):
    """One thing to do to a frame. A step is a value: it holds parameters, and never what it learned.

    Subclasses are frozen dataclasses whose fields are JSON values, and stand in the table of `recipe.py`.

    Attributes:
        version: of the JSON of the parameters and the learned state.
        learned_type: the class of what `fit` returns.
        drops_rows: whether fewer rows may come out than go in; those that stay keep their index.
        looks_across_rows: whether what becomes of a row depends on other rows of the same frame.

    >>> from treering.recipes import MinMax
    >>> step = MinMax("delay")
    >>> step.name, step.is_fitted_step, step.drops_rows
    ('MinMax', True, False)
    """

    __slots__ = ()
    version: ClassVar[int] = 1
    learned_type: ClassVar[type[Any]] = Learned
    drops_rows: ClassVar[bool] = False
    looks_across_rows: ClassVar[bool] = False

    def __deepcopy__(self, memo: object) -> Self:
        """Return the step itself: it never changes, and scikit-learn's `clone` copies what it is given."""
        return self

    @property
    def name(self) -> str:
        """The kind of step, as JSON and errors name it."""
        return type(self).__name__

    @property
    def is_fitted_step(self) -> bool:
        """Whether values of the frame, not only its columns, shape what `fit` returns."""
        return False

    @abstractmethod
    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Find the columns to work on; only the frame's columns and their types count."""

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> LearnedT:
        """Learn from rows that come in pieces, and can be gone through more than once; nothing but the columns, unless a step says otherwise."""
        learned: LearnedT = self.learned_type(columns)
        return learned

    @abstractmethod
    def transform(self, frame: "pd.DataFrame", learned: LearnedT) -> "pd.DataFrame":
        """Return the changed frame, with the index of the rows that stay; the given frame is left alone."""

    def feature_names_out(self, names: tuple[str, ...], learned: LearnedT) -> tuple[str, ...]:
        """The columns that come out where these go in; the same, unless a step says otherwise."""
        return names

    def categories_out(self, learned: LearnedT) -> tuple[str, ...]:
        """The columns it writes whose numbers name categories, and neither order nor measure; none, unless a step says otherwise."""
        return ()

    def parameters_json(self) -> dict[str, Any]:
        """Write the parameters as what `json.dumps` takes.

        >>> from treering.recipes import MinMax
        >>> MinMax("delay").parameters_json()
        {'columns': ['delay']}
        """
        return plain_fields(self)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any], functions: Mapping[str, Any]) -> Self:
        """Build the step from its parameters' JSON; `functions` are for steps that are a person's own code.

        >>> from treering.recipes import MinMax
        >>> MinMax.from_parameters({"columns": ["delay"]}, functions={})
        MinMax(columns=('delay',))
        """
        return cls(**_tuples(parameters))


@dataclass(frozen=True, slots=True)
class FittedStep:
    """A step together with what it learned: all that a transform needs.

    >>> import pandas as pd
    >>> from treering.recipes import MinMax
    >>> learned = MinMax().fit(("delay",), Chunks(pd.DataFrame({"delay": [0.0, 4.0]})))
    >>> FittedStep(MinMax(), learned).transform(pd.DataFrame({"delay": [1.0]}))
       delay
    0   0.25
    """

    step: Step[Any]
    learned: Learned

    def transform(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Return the changed frame."""
        return self.step.transform(frame, self.learned)

    def feature_names_out(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The columns that come out where these go in."""
        return self.step.feature_names_out(names, self.learned)


def step_to_json(step: Step[Any], learned: Learned | None) -> dict[str, Any]:
    """Write a step, with what it learned if it is fitted.

    >>> from treering.recipes import DropMissing
    >>> step_to_json(DropMissing("speed"), None)
    {'is': 'DropMissing', 'version': 1, 'parameters': {'columns': ['speed']}}
    """
    state = {} if learned is None else {"learned": learned.to_json()}
    return {"is": step.name, "version": step.version, "parameters": step.parameters_json()} | state


def step_text(value: Mapping[str, Any]) -> str:
    """Say in short what step a JSON holds: its kind, and the columns that it works on or the function that it calls.

    >>> step_text({"is": "MinMax", "parameters": {"columns": None}, "learned": {"columns": ["temp", "humid"]}})
    'MinMax(temp, humid)'
    >>> step_text({"is": "Derived", "parameters": {"function": "with_speed"}})
    'with_speed()'
    """
    parameters = value["parameters"]
    if "function" in parameters:
        return f"{parameters['function']}()"
    columns = value.get("learned", {}).get("columns") or parameters.get("columns") or ()
    return f"{value['is']}({', '.join([columns] if isinstance(columns, str) else columns)})"


def learned_from_json(step: Step[Any], state: Mapping[str, Any]) -> Learned:
    """Read back what a step learned.

    >>> from treering.recipes import DropMissing
    >>> learned_from_json(DropMissing("speed"), {"columns": ["speed"]})
    Learned(columns=('speed',))

    Raises:
        StoreFormatError: for fields that this version does not know.
    """
    try:
        learned: Learned = step.learned_type(**_tuples(state))
    except TypeError as error:
        raise StoreFormatError(
            f"The learned state of step {step.name} has fields that this version of treering does not know ({error}). Install a newer one."
        ) from None
    return learned


def plain_fields(value: Any) -> dict[str, Any]:
    """Write a dataclass's fields as what `json.dumps` takes.

    >>> plain_fields(Learned(("speed",)))
    {'columns': ['speed']}
    """
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return value
