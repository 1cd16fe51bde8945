"""A recipe: steps in order, fitted on one frame and applied to others, kept as JSON and never as code."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError, StoreFormatError
from treering.recipes.clean import Clip, DropDuplicates, DropMissing, FillMissing, Filter
from treering.recipes.columns import Objects
from treering.recipes.compute import Compute
from treering.recipes.convert import Cast, ParseTimes
from treering.recipes.dates import DateParts
from treering.recipes.derive import Derived, DerivedAcrossRows
from treering.recipes.encode import Category, Frequency, LabelEncode
from treering.recipes.fitting import Batches, FittedOn, Pieces, Stream, Survey, checked_names, fit_steps
from treering.recipes.history import FillForward, Lag, Rolling
from treering.recipes.one_hot import OneHot
from treering.recipes.scale import MinMax, Robust, Standard
from treering.recipes.scikit_learn import Transformer, not_fitted
from treering.recipes.steps import Chunks, FittedStep, Step, learned_from_json, step_to_json
from treering.recipes.tidy import DropColumns, KeepColumns, Rename, Strip

if TYPE_CHECKING:
    import pandas as pd

RECIPE_VERSION = 1

KINDS: Mapping[str, type[Step[Any]]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            *(Derived, DerivedAcrossRows, Compute),
            *(Clip, DropDuplicates, DropMissing, FillMissing, Filter),
            *(Cast, DropColumns, KeepColumns, ParseTimes, Rename, Strip),
            *(FillForward, Lag, Rolling),
            *(Category, DateParts, Frequency, LabelEncode, MinMax, OneHot, Robust, Standard),
        )
    }
)


class Recipe(Transformer):
    """Steps in order, as one of scikit-learn's transformers: `fit` learns, returns the recipe, and sets attributes that end in `_`.

    It takes frames, never arrays; `clone`, pipelines, column transformers and cross-validation take it.

    Attributes:
        steps: as given.
        fitted_steps_: the steps with what they learned; once fitted.
        fitted_on_: how many rows it learned from, and of which time; once fitted.
        feature_names_in_: the columns of the frame of fit, as an array of text; once fitted.

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

    def __hash__(self) -> int:
        """Hash the kinds of steps alone, which fitting leaves as they are; scikit-learn's ColumnTransformer puts recipes into sets."""
        return hash(tuple(step.name for step in self.steps))

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` was called.

        >>> Recipe([MinMax()]).is_fitted
        False
        """
        return hasattr(self, "fitted_steps_")

    @property
    def before_ingestion_only(self) -> tuple[str, ...]:
        """The steps that drop rows or look at other rows, with their positions; a model, which answers each row by itself, takes none of them.

        >>> Recipe([MinMax(), DropMissing()]).before_ingestion_only
        ('step 2, DropMissing',)
        """
        return tuple(f"step {position}, {step.name}" for position, step in enumerate(self.steps, 1) if step.drops_rows or step.looks_across_rows)

    @property
    def learns(self) -> bool:
        """Whether any step learns from values, so that it matters which rows the recipe is fitted on.

        >>> Recipe([Filter("delay > 0")]).learns
        False
        """
        return any(step.is_fitted_step for step in self.steps)

    def fit(self, frame: "pd.DataFrame", y: object = None) -> "Recipe":
        """Learn from these rows alone, forgetting what was learned before.

        Args:
            frame: a pandas frame with the columns that `transform` will get; leave out the label.
            y: the label, as scikit-learn's pipelines pass it; it is not looked at.

        Returns:
            The recipe itself, fitted.

        Raises:
            NotFoundError: for a column that a step names and the frame lacks.
            RecipeError: for a column that a step cannot learn from; or for a label beside a step that is for before ingestion only.

        >>> import pandas as pd
        >>> Recipe([Standard()]).fit(pd.DataFrame({"delay": [1.0, 3.0]})).fitted_on_
        FittedOn(rows=2, times={})
        """
        if y is not None and self.before_ingestion_only:
            raise RecipeError(
                f"The recipe has {self.before_ingestion_only[0]}, which drops rows or looks at other rows, and a model is trained on it: there is a label. "
                "Put it into the recipe of the ingestion, and fit without a label."
            )
        names, rows = checked_names(frame), Chunks(frame)
        return self._learned(names, *fit_steps(self.steps, rows, Survey.of(rows), in_memory=True))

    def fit_batches(self, batches: Batches) -> "Recipe":
        """Learn from rows that need not fit into memory; what is learned is, bit for bit, what `fit` learns from all of them in one frame.

        The batches are gone through several times: more often, the more steps there are. One column at a time is kept
        where the whole of it is needed, as for a median.

        Args:
            batches: gives pandas frames of any length, with the same columns, anew each time that it is called.

        Returns:
            The recipe itself, fitted.

        Raises:
            RecipeError: for a step that looks across rows, batches whose columns differ, or other rows in a second reading.

        >>> import pandas as pd
        >>> frame = pd.DataFrame({"delay": [1.0, 3.0, 8.0]})
        >>> Recipe([Standard()]).fit_batches(lambda: [frame[:1], frame[1:]]) == Recipe([Standard()]).fit(frame)
        True
        """
        for position, step in enumerate(self.steps, 1):
            if step.looks_across_rows:
                raise RecipeError(f"Step {position}, {step.name}, looks at other rows of the frame, and batches show a few at a time. Use fit, with one frame.")
        stream = Stream.of(batches)
        return self._learned(tuple(stream.types), *fit_steps(self.steps, Pieces(stream.frames), stream, in_memory=False))

    def _learned(self, names: tuple[str, ...], fitted: tuple[FittedStep, ...], fitted_on: FittedOn) -> "Recipe":
        self.fitted_steps_, self.fitted_on_, self.feature_names_in_ = fitted, fitted_on, np.array(names, dtype=object)
        return self

    def fit_transform(self, frame: "pd.DataFrame", y: object = None) -> "pd.DataFrame":
        """Learn from these rows, and return them transformed: what `fit` and then `transform` give.

        >>> import pandas as pd
        >>> Recipe([MinMax()]).fit_transform(pd.DataFrame({"delay": [1, 3]}))["delay"].tolist()
        [0.0, 1.0]
        """
        return self.fit(frame, y).transform(frame)

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
        given = checked_names(frame)
        names = self.feature_names_in_.tolist()
        for name in names:
            if name not in given:
                raise NotFoundError.among("column", name, given, f"the frame given to the recipe ({self._user_of(name)})")
        extra = sorted(set(given) - set(names))
        if extra:
            raise RecipeError(f"The recipe was fitted without column {extra[0]!r}. Give it the columns of fit alone: frame[list(recipe.feature_names_in_)].")
        frame = frame[names]
        for fitted_step in self.fitted_steps_:
            frame = fitted_step.transform(frame)
        return self._output(frame)  # type: ignore[return-value]  # A Polars frame is given to those who asked for one.

    def _user_of(self, column: str) -> str:
        for position, fitted in enumerate(self.fitted_steps_, 1):
            if column in fitted.learned.columns:
                return f"step {position}, {fitted.step.name}, needs it"
        return "it was there at fit"

    def get_feature_names_out(self, input_features: "Sequence[str] | None" = None) -> Objects:
        """The columns that `transform` returns, in order, as scikit-learn gives them: an array of text.

        Args:
            input_features: as scikit-learn's pipelines pass it: the columns of fit, or None.

        >>> import pandas as pd
        >>> Recipe([OneHot()]).fit(pd.DataFrame({"origin": ["EWR", "JFK"]})).get_feature_names_out().tolist()
        ['origin_EWR', 'origin_JFK']

        Raises:
            NotFittedError: before `fit`.
            RecipeError: for other input features than those of fit.
        """
        self._require_fitted()
        names = tuple(self.feature_names_in_.tolist())
        if input_features is not None and tuple(input_features) != names:
            raise RecipeError(f"input_features is not equal to feature_names_in_: the recipe was fitted on {', '.join(names)}. Leave it out.")
        for fitted_step in self.fitted_steps_:
            names = fitted_step.feature_names_out(names)
        return np.array(names, dtype=object)

    @property
    def categories_out(self) -> tuple[str, ...]:
        """The columns of `transform` whose numbers name categories, and which no later step has learned from and changed.

        Raises:
            NotFittedError: before `fit`.
        """
        self._require_fitted()
        found: set[str] = set()
        for fitted in self.fitted_steps_:
            if fitted.step.is_fitted_step:
                found.difference_update(fitted.learned.columns)
            found.update(fitted.step.categories_out(fitted.learned))
        return tuple(name for name in self.get_feature_names_out() if name in found)

    def _require_fitted(self) -> None:
        if not self.is_fitted:
            raise not_fitted("This recipe has not learned anything yet. Call fit with the training rows first.")

    def to_json(self) -> dict[str, Any]:
        """Write the steps, and what they learned if they are fitted, as what `json.dumps` takes; floats are exact.

        >>> Recipe([MinMax("delay")]).to_json()["steps"]
        [{'is': 'MinMax', 'version': 1, 'parameters': {'columns': ['delay']}}]
        """
        if not self.is_fitted:
            return {"is": "Recipe", "version": RECIPE_VERSION, "steps": [step_to_json(step, None) for step in self.steps]}
        steps = [step_to_json(fitted.step, fitted.learned) for fitted in self.fitted_steps_]
        learned = {"feature_names_in": self.feature_names_in_.tolist(), "fitted_on": self.fitted_on_.to_json()}
        return {"is": "Recipe", "version": RECIPE_VERSION, **learned, "steps": steps}

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
                fitted = tuple(FittedStep(step, state) for step, state in zip(steps, learned, strict=True))
                recipe._learned(tuple(value["feature_names_in"]), fitted, FittedOn.from_json(value["fitted_on"]))
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
    kind = KINDS.get(value["is"])
    if kind is None:
        raise StoreFormatError(
            f"A recipe holds a step {value['is']!r}, which this version of treering does not know. Known are: {', '.join(KINDS)}. Install a newer one."
        )
    _check_version(f"{kind.__name__} step", value["version"], kind.version)
    try:
        return kind.from_parameters(value["parameters"], functions)
    except TypeError as error:
        raise StoreFormatError(f"A stored {kind.__name__} has parameters that this version of treering does not know ({error}). Install a newer one.") from None


def _check_version(what: str, found: object, known: int) -> None:
    if found != known:
        raise StoreFormatError(f"A stored {what} has version {found!r}; this version of treering reads {known}. Install a newer one.")


def _hint(step: object) -> str:
    if isinstance(step, type):
        return f"Make one: {step.__name__}(...)."
    return "Turn a function into one with tr.step(function)." if callable(step) else f"Steps are: {', '.join(KINDS)}."
