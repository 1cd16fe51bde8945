"""The way to scikit-learn, which is loaded when first needed, and what a recipe needs to be one of its transformers."""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self

from treering.errors import InvalidDefinitionError, MissingExtraError, NotFittedError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Output = Literal["default", "pandas", "polars"]
_OUTPUTS = ("default", "pandas", "polars")


def sklearn(module: str) -> ModuleType:
    """Import one of scikit-learn's modules, such as "preprocessing".

    >>> sklearn("preprocessing").MinMaxScaler()
    MinMaxScaler()

    Raises:
        MissingExtraError: with the command that installs scikit-learn.
    """
    try:
        return importlib.import_module(f"sklearn.{module}")
    except ModuleNotFoundError:
        raise MissingExtraError.of("Recipes", "scikit-learn", "train") from None


def not_fitted(message: str) -> NotFittedError:
    """Make the error that, where scikit-learn is loaded, its own `except NotFittedError` catches too.

    >>> isinstance(not_fitted("Call fit first."), sklearn("exceptions").NotFittedError)
    True
    """
    theirs = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", None)
    return (
        NotFittedError(message)
        if theirs is None
        else type(NotFittedError.__name__, (NotFittedError, theirs), {"__module__": NotFittedError.__module__})(message)
    )


class Transformer:
    """What scikit-learn asks of a transformer besides `fit` and `transform`, without its base classes: those would load it."""

    steps: Any

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  # scikit-learn's signature.
        """Return the parameter of the constructor; steps are values, with no parameters of their own to search.

        >>> from treering.recipes import MinMax, Recipe
        >>> Recipe([MinMax("delay")]).get_params()
        {'steps': [MinMax(columns=('delay',))]}
        """
        return {"steps": self.steps}

    def set_params(self, **parameters: Any) -> Self:
        """Put other steps in the place of these; what was learned stays until the next fit.

        Raises:
            InvalidDefinitionError: for another parameter than `steps`, or what is no list of steps.
        """
        for name in parameters:
            if name != "steps":
                raise InvalidDefinitionError(f"A recipe has no parameter {name!r}. It has one: steps.")
        if parameters:
            type(self).__init__(self, **parameters)
        return self

    def set_output(self, *, transform: Output | None = None) -> Self:
        """Choose what `transform` and `fit_transform` return.

        Args:
            transform: "pandas" or "default", which are the same, gives a pandas frame; "polars" a Polars frame, which has no index; None
                leaves things as they are. scikit-learn's global `set_config(transform_output=...)` is not looked at:
                pipelines and column transformers pass their own `set_output` on.

        Raises:
            InvalidDefinitionError: for anything else.

        >>> import pandas as pd
        >>> from treering.recipes import MinMax, Recipe
        >>> Recipe([MinMax()]).set_output(transform="polars").fit_transform(pd.DataFrame({"delay": [0, 4]}))["delay"].to_list()
        [0.0, 1.0]
        """
        if transform is not None:
            if transform not in _OUTPUTS:
                raise InvalidDefinitionError(f"A recipe gives {', '.join(map(repr, _OUTPUTS))}, not {transform!r}.")
            # Under this name scikit-learn's `clone` takes it over.
            self._sklearn_output_config = {"transform": transform}
        return self

    def _output(self, frame: "pd.DataFrame") -> "pd.DataFrame | pl.DataFrame":
        if getattr(self, "_sklearn_output_config", {}).get("transform") != "polars":
            return frame
        import pyarrow as pa

        from treering.sources.frames import polars_frame

        return polars_frame(pa.Table.from_pandas(frame, preserve_index=False))

    @property
    def n_features_in_(self) -> int:
        """How many columns the frame of fit had; no such attribute before."""
        return len(self.feature_names_in_)  # type: ignore[attr-defined]  # What is missing before fit is an AttributeError.

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what goes in (frames of anything, gaps included) and that no target is needed."""
        utils = sklearn("utils")
        return utils.Tags(
            estimator_type=None,
            target_tags=utils.TargetTags(required=False),
            transformer_tags=utils.TransformerTags(),
            input_tags=utils.InputTags(string=True, categorical=True, allow_nan=True),
        )
