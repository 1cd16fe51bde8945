"""How a recipe learns: step after step, from rows in pieces of one length, whether they come as a frame or as a stream."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.steps import CHUNK_ROWS, Chunks, FittedStep, Step
from treering.schema.times import microseconds_at

if TYPE_CHECKING:
    import pandas as pd

Batches = Callable[[], "Iterable[pd.DataFrame]"]
"""Gives the same rows anew each time that it is called, in frames of any length."""


@dataclass(frozen=True, slots=True)
class FittedOn:
    """The rows that a recipe learned from: those that reached its first step that learns from values.

    Attributes:
        rows: how many.
        times: the first and the last moment, in microseconds since 1970 UTC, of each column of times with a zone. A column
            that is not among those rows yet, or no longer, is measured where it comes out, or where it went in.

    >>> FittedOn(2, {"departed_at": (0, 3_600_000_000)}).to_json()
    {'rows': 2, 'times': {'departed_at': [0, 3600000000]}}
    """

    rows: int
    times: Mapping[str, tuple[int, int]]

    def to_json(self) -> dict[str, Any]:
        """Write it as what `json.dumps` takes; `from_json` reads it."""
        return {"rows": self.rows, "times": {column: list(span) for column, span in self.times.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "FittedOn":
        """Read what `to_json` wrote."""
        return cls(value["rows"], {column: (first, last) for column, (first, last) in value["times"].items()})


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Frames of any length, cut into pieces of 65,536 rows each time they are gone through; no rows are one empty piece.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"row": range(50_000)})
    >>> [len(piece) for piece in Pieces(lambda: [frame, frame])]
    [65536, 34464]
    """

    frames: Batches

    def __iter__(self) -> "Iterator[pd.DataFrame]":
        waiting: list[pd.DataFrame] = []
        empty, rows, is_first = None, 0, True
        for frame in self.frames():
            empty = frame.iloc[:0] if empty is None else empty
            waiting += [frame] if len(frame) else []
            rows += len(frame)
            if rows >= CHUNK_ROWS:
                joined, whole = _joined(waiting), rows - rows % CHUNK_ROWS
                yield from Chunks(joined.iloc[:whole])
                waiting, rows, is_first = [joined.iloc[whole:]], rows - whole, False
        if rows:
            yield _joined(waiting)
        elif is_first and empty is not None:
            yield empty


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The batches that a person gave, read once and found sound; every later reading has to give the same.

    Attributes:
        batches: as given.
        types: the type of each column, wide enough for all batches: one batch of whole numbers may stand before one with gaps.
        rows: how many there are.
        times: the first and the last moment of each column of times.
    """

    batches: Batches
    types: "Mapping[str, Any]"
    rows: int
    times: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, batches: Batches) -> "Stream":
        """Read all batches once.

        Raises:
            InvalidDefinitionError: for what is no function.
            RecipeError: for no batch at all, or batches whose columns differ.
        """
        if not callable(batches):
            raise InvalidDefinitionError(
                "fit_batches goes through the rows more than once, so it takes a function that gives them anew each time: "
                "fit_batches(lambda: pandas.read_csv(path, chunksize=65_536))."
            )
        empty, survey = None, Survey()
        for number, batch in enumerate(batches(), 1):
            names = checked_names(batch)
            if empty is not None and set(names) != set(empty.columns):
                other = next(iter(set(names) ^ set(empty.columns)))
                raise RecipeError(f"Column {other!r} is not in all batches: batch {number} and the first differ. Give every batch the same columns.")
            empty = batch.iloc[:0] if empty is None else _joined([empty, batch.iloc[:0]])
            survey.add(batch)
        if empty is None:
            raise RecipeError("There is nothing to fit on: the function gave no batch. A batch without rows, but with columns, is one.")
        return cls(batches, {str(name): dtype for name, dtype in empty.dtypes.items()}, survey.rows, survey.times)

    def frames(self) -> "Iterator[pd.DataFrame]":
        """Read the batches again, their columns in one order and of one type.

        Raises:
            RecipeError: if there are not as many rows as at first.
        """
        rows = 0
        for batch in self.batches():
            rows += len(batch)
            yield batch[list(self.types)].astype(dict(self.types))
        if rows != self.rows:
            raise RecipeError(
                f"The function gave {self.rows:,} rows when it was first called and {rows:,} when it was called again. "
                "It has to open its source anew each time: return a new iterator, not one that was made before."
            )


class Survey:
    """How many rows went by, and their first and last moments.

    >>> import pandas as pd
    >>> survey = Survey()
    >>> survey.add(pd.DataFrame({"at": pd.to_datetime(["1970-01-01T00:00:01Z", None])}))
    >>> survey.rows, survey.times
    (2, {'at': (1000000, 1000000)})
    """

    def __init__(self) -> None:
        self.rows = 0
        self.times: dict[str, tuple[int, int]] = {}

    @classmethod
    def of(cls, frames: "Iterable[pd.DataFrame]") -> "Survey":
        """Look at all frames."""
        survey = cls()
        for frame in frames:
            survey.add(frame)
        return survey

    def add(self, frame: "pd.DataFrame") -> None:
        """Look at some more rows."""
        self.rows += len(frame)
        for column in zoned_columns(frame):
            present = frame[column].dropna()
            if len(present):
                seen = [microseconds_at(present.min()), microseconds_at(present.max()), *self.times.get(column, ())]
                self.times[column] = (min(seen), max(seen))


def fit_steps(
    steps: Sequence[Step[Any]], rows: "Iterable[pd.DataFrame]", given: Survey | Stream, *, in_memory: bool
) -> tuple[tuple[FittedStep, ...], FittedOn]:
    """Fit each step on what the earlier ones leave of the rows, in pieces of 65,536 rows.

    The pieces, and so the learned state, depend on nothing but the rows and their order.

    Args:
        steps: in order.
        rows: in such pieces; can be gone through more than once.
        given: their number and moments.
        in_memory: whether what reaches a step may be kept; otherwise it is made anew, from the first step on, each time that the step looks at it.
    """
    fitted: list[FittedStep] = []
    learned_on: Survey | Stream | None = None
    for position, step in enumerate(steps):
        if step.is_fitted_step and learned_on is None:
            learned_on = given if position == 0 else Survey.of(rows)
        one = FittedStep(step, step.fit(step.choose(next(iter(rows))), rows))
        fitted.append(one)
        rows = _left_by(one, rows, keep=in_memory and any(later.is_fitted_step for later in steps[position + 1 :]))
    if learned_on is None:
        return tuple(fitted), FittedOn(given.rows, dict(given.times))
    times = {**given.times, **learned_on.times}
    if set(zoned_columns(next(iter(rows)))) - set(times):
        times = {**Survey.of(rows).times, **times}
    return tuple(fitted), FittedOn(learned_on.rows, times)


def _left_by(fitted: FittedStep, rows: "Iterable[pd.DataFrame]", *, keep: bool) -> "Iterable[pd.DataFrame]":
    if fitted.step.looks_across_rows:
        return Chunks(fitted.transform(_joined(list(rows))))
    left = Pieces(partial(map, fitted.transform, rows))
    return list(left) if keep else left


def checked_names(frame: "pd.DataFrame") -> tuple[str, ...]:
    """Return the names of a frame's columns, and refuse what no recipe takes.

    >>> import pandas as pd
    >>> checked_names(pd.DataFrame({"delay": [2.0]}))
    ('delay',)

    Raises:
        RecipeError: for what is no pandas frame, a name that is not text, or a name that stands twice.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise RecipeError(f"A recipe takes a pandas frame, not {type(frame).__name__}. Convert it first; Arrow and Polars have to_pandas().")
    names = tuple(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise RecipeError(f"A column of the frame is called {name!r}; a recipe takes columns whose names are text.")
    if len(set(names)) < len(names):
        raise RecipeError(f"The frame has column {next(name for name in names if names.count(name) > 1)!r} twice. Rename one of them.")
    return names


def zoned_columns(frame: "pd.DataFrame") -> list[str]:
    """Find the columns of times that have a zone: what is written without one is no moment.

    >>> import pandas as pd
    >>> zoned_columns(pd.DataFrame({"at": pd.to_datetime(["2013-01-01T00:00Z"]), "clock": pd.to_datetime(["2013-01-01"])}))
    ['at']
    """
    from pandas.api import types

    return [str(name) for name, dtype in frame.dtypes.items() if types.is_datetime64_any_dtype(dtype) and frame[name].dt.tz is not None]


def _joined(frames: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    return frames[0] if len(frames) == 1 else pd.concat(frames)
