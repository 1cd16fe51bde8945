"""The way to scikit-learn: loaded when a step first needs it, and named by the error when it is not installed."""

import importlib
from types import ModuleType

from treering.errors import MissingExtraError


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
