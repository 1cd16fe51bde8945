"""The check that a step or a recipe looks backwards only: what comes later is taken away, and must not be missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from treering.errors import InvalidDefinitionError, RecipeError
from treering.recipes.columns import Objects, require, with_columns
from treering.recipes.recipe import Recipe
from treering.recipes.steps import Step
from treering.recipes.timeline import Times, times_of

if TYPE_CHECKING:
    import pandas as pd

_WHAT = "check_future_invariance"
# Numpy computes eight numbers at once and the rest one by one, which may differ in the last digit.
_TOLERANCE = 1e-9


def check_future_invariance(subject: Step[Any] | Recipe, frame: "pd.DataFrame", *, order_by: str, samples: int = 10, seed: int = 0) -> None:
    """Show that what a step, or a recipe, makes of a row does not depend on later rows, as far as this frame can tell.

    For some moments the later rows are cut off, and then scrambled; each time what comes out for the rows up to that
    moment has to be what the whole frame gives: the same rows, in the same order, with the same values (floats to nine
    digits). A recipe that is not fitted is fitted each time, so that a mean over all rows, which knows the future, fails too.

    Args:
        subject: a step such as `tr.step_across_rows(function)`, or a recipe.
        frame: rows to try it on; your own, with many entities and times.
        order_by: the column of datetimes or numbers that says when a row is.
        samples: how many moments to try.
        seed: of the choice of the moments and of the scrambling.

    >>> import pandas as pd
    >>> from treering.recipes import FillMissing
    >>> frame = pd.DataFrame({"hour": [1, 2, 3], "gust": [20.0, None, 60.0]})
    >>> check_future_invariance(FillMissing("gust"), frame, order_by="hour")
    Traceback (most recent call last):
    treering.errors.RecipeError: FillMissing looks ahead: column 'gust' of row 1 (hour 2) is 40.0, and 20.0 when the rows after hour 2 are cut off. ...

    Raises:
        RecipeError: naming the first column and row that later rows changed; and for rows without a time.
        InvalidDefinitionError: for fewer than two different times, which leave nothing to cut off.
    """
    require(_WHAT, (order_by,), frame)
    times, _ = times_of(_WHAT, frame, order_by)
    recipe = subject if isinstance(subject, Recipe) else Recipe([subject])
    # Rows are followed by their place: labels of the index may repeat.
    placed = frame.reset_index(drop=True)
    whole = _applied(recipe, placed)
    name = "The recipe" if isinstance(subject, Recipe) else getattr(subject, "function_name", subject.name)
    random = np.random.default_rng(seed)
    for moment in _moments(times, samples, random):
        is_later = times > moment
        for what, changed in _changed(placed, is_later, order_by, random):
            found = _difference(_up_to(whole, is_later), _up_to(_applied(recipe, changed), is_later))
            if found:
                row = f"row {frame.index[found.row]} ({order_by} {placed[order_by].iloc[found.row]})"
                raise RecipeError(
                    f"{name} looks ahead: {found.what}{row} {found.whole}, and {found.changed} when the rows after "
                    f"{order_by} {placed[order_by][times == moment].iloc[0]} are {what}. "
                    "Let each row depend on earlier rows alone: sort by time, and use shift, cumsum, expanding or rolling within groupby, never backwards."
                )


@dataclass(frozen=True, slots=True)
class _Difference:
    """A row that later rows change; the texts say of what, what it is with them, and what without."""

    row: int
    what: str
    whole: str
    changed: str


def _applied(recipe: Recipe, frame: "pd.DataFrame") -> "pd.DataFrame":
    if not recipe.is_fitted:
        return Recipe(recipe.steps).fit_transform(frame)
    # Not by `transform`: the time may be no column of the recipe, and its output may be a Polars frame, which has no index.
    require(_WHAT, recipe.feature_names_in_, frame)
    result = frame[list(recipe.feature_names_in_)]
    for fitted_step in recipe.fitted_steps_:
        result = fitted_step.transform(result)
    return result


def _moments(times: Times, samples: int, random: np.random.Generator) -> Times:
    if type(samples) is not int or samples < 1:
        raise InvalidDefinitionError(f"{_WHAT} has samples={samples!r}; give a whole number from 1 on.")
    moments: Times = np.unique(times)[:-1]
    if not len(moments):
        raise InvalidDefinitionError(f"{_WHAT} needs rows of two or more different times. Give a longer frame.")
    return moments[np.sort(random.permutation(len(moments))[:samples])]


def _changed(frame: "pd.DataFrame", is_later: Objects, order_by: str, random: np.random.Generator) -> "Iterator[tuple[str, pd.DataFrame]]":
    yield "cut off", frame[~is_later]
    rows = np.arange(len(frame))
    scrambled = {}
    for column in frame.columns.drop(order_by):
        taken = rows.copy()
        taken[is_later] = random.permutation(rows[is_later])
        scrambled[column] = frame[column].array.take(taken)
    yield "scrambled", with_columns(frame, scrambled)


def _up_to(result: "pd.DataFrame", is_later: Objects) -> "pd.DataFrame":
    return result.iloc[np.flatnonzero(~is_later[result.index.to_numpy()])]


def _difference(whole: "pd.DataFrame", changed: "pd.DataFrame") -> _Difference | None:
    """Find the first row that differs."""
    if list(whole.columns) != list(changed.columns):
        return _Difference(0, "what comes out for ", f"has the columns {list(whole.columns)}", f"{list(changed.columns)}")
    if list(whole.index) != list(changed.index):
        only_one = set(whole.index) ^ set(changed.index)
        row = int(min(only_one or whole.index))
        texts = ("is kept", "dropped") if row in whole.index else ("is dropped", "kept")
        return _Difference(row, "", *texts) if only_one else _Difference(row, "", "stands in one place", "in another")
    for column in whole.columns:
        places = np.flatnonzero(_differs(whole[column], changed[column]))
        if len(places):
            shown = [_shown(result[column].iloc[places[0]]) for result in (whole, changed)]
            return _Difference(int(whole.index[places[0]]), f"column {column!r} of ", f"is {shown[0]}", shown[1])
    return None


def _differs(whole: "pd.Series[Any]", changed: "pd.Series[Any]") -> Objects:
    if whole.equals(changed):
        return np.zeros(len(whole), dtype=bool)
    is_null = whole.isna().to_numpy(), changed.isna().to_numpy()
    pairs = zip(whole.to_numpy(dtype=object), changed.to_numpy(dtype=object), *is_null, strict=True)
    return np.array([one_null != other_null or not (one_null or _same(one, other)) for one, other, one_null, other_null in pairs], dtype=bool)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float | np.floating) or isinstance(other, float | np.floating):
        return bool(one == other or abs(one - other) <= _TOLERANCE * max(abs(one), abs(other)))
    return bool(np.array_equal(one, other))


def _shown(value: Any) -> str:
    import pandas as pd

    is_null = pd.api.types.is_scalar(value) and pd.isna(value)
    return "null" if is_null else f"{value!s:.60}"
