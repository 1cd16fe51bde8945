"""Steps that are a person's own pandas code: recorded by source digest, never imported by name from data."""

import hashlib
import inspect
import json
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import require
from treering.recipes.steps import Learned, Step

if TYPE_CHECKING:
    import pandas as pd

Function = Callable[..., "pd.DataFrame"]


@dataclass(frozen=True, slots=True)
class Derivation(Learned):
    """The columns that went into a function at fit (`columns`), and those that came out."""

    columns_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Derived(Step[Derivation]):
    """A step that applies a person's own function; made by `step`.

    Attributes:
        function: takes a frame, and the parameters by name; returns a frame with the same rows.
        parameters: JSON values.
        function_name: its qualified name.
        source_digest: `sha256:...` of its dedented source.

    >>> def with_speed(frame):
    ...     return frame.assign(speed=frame["distance"] / frame["air_time"])
    >>> step(with_speed).function_name
    'with_speed'
    """

    function: Function = field(compare=False, repr=False)
    parameters: Mapping[str, Any]
    function_name: str
    source_digest: str
    learned_type = Derivation

    def __call__(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Apply the function to a copy of the frame, as a decorated function is still a function."""
        return self.function(frame.copy(), **json.loads(json.dumps(self.parameters)))

    def choose(self, frame: "pd.DataFrame") -> tuple[str, ...]:
        """Take every column: what a function reads cannot be told."""
        return tuple(frame.columns)

    def fit(self, columns: tuple[str, ...], chunks: "Iterable[pd.DataFrame]") -> Derivation:
        """Learn nothing but the names of the columns that come out."""
        return Derivation(columns, tuple(self._applied(next(iter(chunks))).columns))

    def transform(self, frame: "pd.DataFrame", learned: Derivation) -> "pd.DataFrame":
        """Apply the function, and refuse a result with other rows or columns than were promised."""
        require(self._shown, learned.columns, frame)
        result = self._applied(frame)
        if tuple(result.columns) != learned.columns_out:
            raise RecipeError(
                f"Step {self._shown} returned the columns {list(result.columns)}; at fit it returned {list(learned.columns_out)}. Return the same every time."
            )
        return result

    def _applied(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        import pandas as pd

        result = self(frame)
        if not isinstance(result, pd.DataFrame):
            raise RecipeError(f"Step {self._shown} returned {type(result).__name__}. Return the changed frame.")
        if not result.index.equals(frame.index):
            raise RecipeError(
                f"Step {self._shown} returned {len(result)} rows for {len(frame)}, or another index. "
                "Return every row, in order, with its index; rows are dropped by Filter and DropMissing."
            )
        return result

    @property
    def _shown(self) -> str:
        return f"{self.name} {self.function_name!r}"

    def feature_names_out(self, names: tuple[str, ...], learned: Derivation) -> tuple[str, ...]:
        """The columns that came out at fit."""
        return learned.columns_out

    def parameters_json(self) -> dict[str, Any]:
        """Write the function's name, its source digest and its parameters; never its code."""
        return {"function": self.function_name, "source_digest": self.source_digest, "parameters": dict(self.parameters)}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any], functions: Mapping[str, Any]) -> Self:
        """Build the step from its JSON and the function, which has to be the one that was saved.

        Raises:
            RecipeError: for a function that was not given, or whose source differs.
        """
        name = parameters["function"]
        if name not in functions:
            raise RecipeError(
                f"This recipe runs your function {name!r}, which is not stored with it. Pass it beside the recipe's name or JSON: functions={{{name!r}: ...}}."
            )
        given = functions[name]
        made = given if isinstance(given, Derived) else step(given)
        if made.source_digest != parameters["source_digest"]:
            raise RecipeError(
                f"The source of function {name!r} is not the one that was saved (now {made.source_digest[:19]}..., "
                f"saved {parameters['source_digest'][:19]}...). Give the saved version, or fit the recipe again."
            )
        return cls(made.function, _json_values(name, parameters["parameters"]), name, made.source_digest)


@dataclass(frozen=True, slots=True)
class DerivedAcrossRows(Derived):
    """A step that applies a person's own function to a whole frame at once, before ingestion only; made by `step_across_rows`.

    >>> def with_previous(frame):
    ...     return frame.assign(previous=frame.sort_values("time").groupby("plane")["delay"].shift())
    >>> step_across_rows(with_previous).looks_across_rows
    True
    """

    looks_across_rows = True


def step(function: Function, /, **parameters: Any) -> Derived:
    """Make a step of your own function; also a decorator.

    The function has to be pure, and to treat rows independently of each other: what it makes of a row depends on that row
    and the parameters alone. It sees each frame by itself, training rows a batch at a time, so a mean or a rank that it
    takes is that batch's own, and changes with the size of the batch. `step_across_rows` is for functions that group, shift or rank.

    Args:
        function: takes a pandas frame (a copy) and the parameters; returns one with the same rows in the same order.
        **parameters: JSON values that are passed on by name and recorded.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> def with_hours(frame, per_hour):
    ...     return frame.assign(hours=frame["minutes"] / per_hour)
    >>> Recipe([step(with_hours, per_hour=60)]).fit_transform(pd.DataFrame({"minutes": [90.0]}))
       minutes  hours
    0     90.0    1.5

    Raises:
        InvalidDefinitionError: for a lambda, a function that captures variables, one whose source cannot be read, or
            parameters that JSON cannot hold.
    """
    return Derived(*_recorded(function, parameters))


def step_across_rows(function: Function, /, **parameters: Any) -> DerivedAcrossRows:
    """Make a step of your own function that looks at other rows too, as groupby, shift and rank do; also a decorator.

    The function has to be pure, and should make each row of it and of earlier rows alone: `check_future_invariance` tries
    that out on rows of yours. It sees all rows at once, which is possible before ingestion only: a recipe that has such a
    step is refused at training and prediction, where rows come in batches, or one by one.

    Args:
        function: takes a pandas frame (a copy) and the parameters; returns one with the same rows in the same order.
        **parameters: JSON values that are passed on by name and recorded.

    >>> import pandas as pd
    >>> from treering.recipes import Recipe
    >>> def with_legs(frame):
    ...     return frame.assign(legs=frame.sort_values("landed").groupby("plane").cumcount() + 1)
    >>> Recipe([step_across_rows(with_legs)]).fit_transform(pd.DataFrame({"plane": ["N1", "N1"], "landed": [9, 7]}))["legs"].tolist()
    [2, 1]

    Raises:
        InvalidDefinitionError: as `step`.
    """
    return DerivedAcrossRows(*_recorded(function, parameters))


def _recorded(function: Function, parameters: Mapping[str, Any]) -> tuple[Function, dict[str, Any], str, str]:
    name = getattr(function, "__qualname__", repr(function))
    digest = source_digest(function)
    return function, _json_values(name, parameters), name, digest


def source_digest(function: Function) -> str:
    """Take the SHA-256 of a function's dedented source, decorators and all.

    >>> def unchanged(frame):
    ...     return frame
    >>> source_digest(unchanged)[:7]
    'sha256:'

    Raises:
        InvalidDefinitionError: for what has no source of its own.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise InvalidDefinitionError(f"{name} cannot be a step: only a function that is written with `def`, in a file, has a source to record. Define one.")
    if function.__closure__:
        captured = ", ".join(function.__code__.co_freevars)
        raise InvalidDefinitionError(f"Function {name!r} captures {captured}, which its source does not show. Pass it: tr.step(function, name=value).")
    try:
        # From Python 3.13 on, "<string>" is what `python -c` runs, whoever else calls his code so.
        source = "" if function.__code__.co_filename == "<string>" else textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        source = ""
    if not source:
        raise InvalidDefinitionError(f"The source of function {name!r} cannot be read. Define it in a file, and import it from there.")
    return f"sha256:{hashlib.sha256(source.encode('utf-8', 'backslashreplace')).hexdigest()}"


def _json_values(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidDefinitionError(
            f"A parameter of function {name!r} cannot be written as JSON ({error}). Give finite numbers, text, booleans, lists or dicts."
        ) from None
    return values
