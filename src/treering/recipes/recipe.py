"""A recipe: steps in order, fitted on one frame and applied to others, kept as JSON and never as code."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from treering.errors import InvalidDefinitionError, NotFittedError, NotFoundError, RecipeError, StoreFormatError
from treering.recipes.clean import DropMissing, FillMissing, Filter
from treering.recipes.columns import Objects
from treering.recipes.derive import Derived
from treering.recipes.encode import LabelEncode, OneHot
from treering.recipes.scale import MinMax, Standard
from treering.recipes.steps import FittedStep, Step, learned_from_json, step_to_json

if TYPE_CHECKING:
    import pandas as pd

RECIPE_VERSION = 1

_KINDS: Mapping[str, type[Step[Any]]] = MappingProxyType(
    {kind.__name__: kind for kind in (Derived, DropMissing, FillMissing, Filter, LabelEncode, MinMax, OneHot, Standard)}
)


class Recipe:
    """Steps in order, after scikit-learn's convention: `fit` learns, returns the recipe, and sets attributes that end in `_`.

    Attributes:
        steps: as given.
        fitted_steps_: the steps with what they learned; once fitted.
        feature_names_in_: the columns of the frame of fit; once fitted.

    >>> import pandas as pd
    >>> train = pd.DataFrame({"seats": [50.0, None, 150.0], "engine": ["jet", "prop", "jet"]})
    >>> recipe = Recipe([FillMissing("seats"), MinMax("seats"), OneHot("engine")]).fit(train)
    >>> recipe.transform(pd.DataFrame({"seats": [75.0], "engine": ["prop"]}))
       seats  engine_jet  engine_prop
    0   0.25           0            1
    """

    def __init__(self, steps: "Sequence[Step[Any]]") -> None:
        """Check and keep the steps; the very object is kept, because scikit-learn's `clone` compares by identity.

        Raises:
            InvalidDefinitionError: for no steps, or something that is no step.
        """
        if not isinstance(steps, Sequence) or not steps:
            raise InvalidDefinitionError("A recipe takes a list of one or more steps: Recipe([FillMissing(), MinMax()]).")
        for position, step in enumerate(steps, 1):
            if not isinstance(step, Step):
                raise InvalidDefinitionError(f"Step {position} of the recipe is {step!r}, which is no step. {_hint(step)}")
        self.steps = steps

    def __repr__(self) -> str:
        return f"Recipe({self.steps!r})"

    def __eq__(self, other: object) -> bool:
        """Whether both have the same steps and learned the same."""
        return self.to_json() == other.to_json() if isinstance(other, Recipe) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # Fitting changes what equality looks at.

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` was called.

        >>> Recipe([MinMax()]).is_fitted
        False
        """
        return hasattr(self, "fitted_steps_")

    @property
    def drops_rows(self) -> bool:
        """Whether fewer rows may come out than go in; training and prediction refuse such recipes.

        >>> Recipe([DropMissing(), MinMax()]).drops_rows
        True
        """
        return any(step.drops_rows for step in self.steps)

    @property
    def learns(self) -> bool:
        """Whether any step learns from values, so that it matters which rows the recipe is fitted on.

        >>> Recipe([Filter("delay > 0")]).learns
        False
        """
        return any(step.is_fitted_step for step in self.steps)

    def fit(self, frame: "pd.DataFrame") -> "Recipe":
        """Learn from these rows alone, forgetting what was learned before.

        Args:
            frame: a pandas frame with the columns that `transform` will get; leave out the label.

        Returns:
            The recipe itself, fitted.

        Raises:
            NotFoundError: for a column that a step names and the frame lacks.
            RecipeError: for a column that a step cannot learn from.

        >>> import pandas as pd
        >>> Recipe([Standard()]).fit(pd.DataFrame({"delay": [1.0, 3.0]})).is_fitted
        True
        """
        self.fit_transform(frame)
        return self

    def fit_transform(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Learn from these rows, and return them transformed.

        >>> import pandas as pd
        >>> Recipe([MinMax()]).fit_transform(pd.DataFrame({"delay": [1, 3]}))["delay"].tolist()
        [0.0, 1.0]
        """
        names = _checked_names(frame)
        fitted = []
        for step in self.steps:
            fitted_step = FittedStep.of(step, frame)
            frame = fitted_step.transform(frame)
            fitted.append(fitted_step)
        self.fitted_steps_ = tuple(fitted)
        self.feature_names_in_ = names
        return frame

    def transform(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Apply the fitted steps; rows that stay keep their index, and columns come in the order of fit.

        Args:
            frame: a pandas frame with the columns of fit, in any order, and no others. It is left as it is.

        Raises:
            NotFittedError: before `fit`.
            NotFoundError: for a column that is missing.
            RecipeError: for one that is too many, or values that a step refuses.

        >>> import pandas as pd
        >>> recipe = Recipe([MinMax("delay")]).fit(pd.DataFrame({"delay": [0, 4], "day": [1, 2]}))
        >>> recipe.transform(pd.DataFrame({"day": [3], "delay": [1]}))
           delay  day
        0   0.25    3
        """
        self._require_fitted()
        given = _checked_names(frame)
        for name in self.feature_names_in_:
            if name not in given:
                raise NotFoundError.among("column", name, given, f"the frame given to the recipe ({self._user_of(name)})")
        extra = [name for name in given if name not in self.feature_names_in_]
        if extra:
            raise RecipeError(f"The recipe was fitted without column {extra[0]!r}. Give it the columns of fit alone: frame[list(recipe.feature_names_in_)].")
        frame = frame[list(self.feature_names_in_)]
        for fitted_step in self.fitted_steps_:
            frame = fitted_step.transform(frame)
        return frame

    def _user_of(self, column: str) -> str:
        for position, fitted in enumerate(self.fitted_steps_, 1):
            if column in fitted.learned.columns:
                return f"step {position}, {fitted.step.name}, needs it"
        return "it was there at fit"

    def get_feature_names_out(self) -> Objects:
        """The columns that `transform` returns, in order, as scikit-learn gives them: an array of text.

        >>> import pandas as pd
        >>> Recipe([OneHot()]).fit(pd.DataFrame({"origin": ["EWR", "JFK"]})).get_feature_names_out().tolist()
        ['origin_EWR', 'origin_JFK']

        Raises:
            NotFittedError: before `fit`.
        """
        self._require_fitted()
        names = self.feature_names_in_
        for fitted_step in self.fitted_steps_:
            names = fitted_step.feature_names_out(names)
        return np.array(names, dtype=object)

    def _require_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError("This recipe has not learned anything yet. Call fit with the training rows first.")

    def to_json(self) -> dict[str, Any]:
        """Write the steps, and what they learned if they are fitted, as what `json.dumps` takes; floats are exact.

        >>> Recipe([MinMax("delay")]).to_json()["steps"]
        [{'is': 'MinMax', 'version': 1, 'parameters': {'columns': ['delay']}}]
        """
        if not self.is_fitted:
            return {"is": "Recipe", "version": RECIPE_VERSION, "steps": [step_to_json(step, None) for step in self.steps]}
        steps = [step_to_json(fitted.step, fitted.learned) for fitted in self.fitted_steps_]
        return {"is": "Recipe", "version": RECIPE_VERSION, "feature_names_in": list(self.feature_names_in_), "steps": steps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], functions: "Mapping[str, Any] | None" = None) -> "Recipe":
        """Build the recipe that was written; its transform gives the same values.

        Args:
            value: what `to_json` returned, or its JSON read back.
            functions: your own functions by name, for steps made by `tr.step`; each has to be the one that was saved.

        Raises:
            StoreFormatError: for a kind of step, a version or a field that this version does not know.
            RecipeError: for a function that is missing or has changed.

        >>> recipe = Recipe([MinMax("delay"), LabelEncode("origin")])
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
        """
        if not isinstance(value, Mapping) or value.get("is") != "Recipe":
            raise StoreFormatError("This is no stored recipe. Give what Recipe.to_json returned, as a dict: json.loads(text).")
        try:
            _check_version("recipe", value["version"], RECIPE_VERSION)
            steps = [_step_from_json(item, functions or {}) for item in value["steps"]]
            recipe = cls(steps)
            if "feature_names_in" in value:
                learned = [learned_from_json(step, item["learned"]) for step, item in zip(steps, value["steps"], strict=True)]
                recipe.fitted_steps_ = tuple(FittedStep(step, state) for step, state in zip(steps, learned, strict=True))
                recipe.feature_names_in_ = tuple(value["feature_names_in"])
        except KeyError as error:
            raise StoreFormatError(f"A stored recipe lacks {error}. Write it again with Recipe.to_json.") from None
        return recipe

    def digest(self) -> str:
        """Take the SHA-256 of the canonical JSON: equal for equal recipes, fitted or not.

        >>> Recipe([MinMax("delay")]).digest() == Recipe([MinMax(["delay"])]).digest()
        True
        """
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return f"sha256:{hashlib.sha256(canonical.encode('ascii')).hexdigest()}"


def _step_from_json(value: Mapping[str, Any], functions: Mapping[str, Any]) -> Step[Any]:
    kind = _KINDS.get(value["is"])
    if kind is None:
        raise StoreFormatError(
            f"A recipe holds a step {value['is']!r}, which this version of treering does not know. Known are: {', '.join(_KINDS)}. Install a newer one."
        )
    _check_version(f"{kind.__name__} step", value["version"], kind.version)
    try:
        return kind.from_parameters(value["parameters"], functions)
    except TypeError as error:
        raise StoreFormatError(f"A stored {kind.__name__} has parameters that this version of treering does not know ({error}). Install a newer one.") from None


def _check_version(what: str, found: object, known: int) -> None:
    if found != known:
        raise StoreFormatError(f"A stored {what} has version {found!r}; this version of treering reads {known}. Install a newer one.")


def _checked_names(frame: "pd.DataFrame") -> tuple[str, ...]:
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


def _hint(step: object) -> str:
    if isinstance(step, type):
        return f"Make one: {step.__name__}(...)."
    return "Turn a function into one with tr.step(function)." if callable(step) else f"Steps are: {', '.join(_KINDS)}."
