"""The tables of a project file, made into what they describe: recipes, lookups, splits, labels, trainers."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from treering import recipes
from treering.errors import ProjectError, TreeringError, did_you_mean
from treering.point_in_time.labels import Labels
from treering.project.definition import Project, RecipeTable, SourceTable, TrainingJobTable, TrainingSetTable, ViewTable
from treering.recipes import Recipe, Step
from treering.schema.view import Lookup
from treering.sources.csv import Csv
from treering.training.parameters import XGBoost
from treering.training.script import Script
from treering.training_sets.keyed_splits import ColumnSplit, GroupSplit, HashSplit
from treering.training_sets.splits import Split, TimeSplit

Functions = Mapping[str, Callable[..., Any]]

_STEPS: Mapping[str, type[Step[Any]]] = MappingProxyType(
    {name: kind for name in recipes.__all__ if inspect.isclass(kind := getattr(recipes, name)) and issubclass(kind, Step) and not inspect.isabstract(kind)}
)
_SPLITS: Mapping[str, Callable[..., Split]] = MappingProxyType(
    {"time": TimeSplit, "fractions": TimeSplit.fractions, "hash": HashSplit, "group": GroupSplit, "column": ColumnSplit}
)


def source_of(project: Project, name: str) -> str | Csv:
    """Name the data of a source, and how it is written."""
    table: SourceTable = project.sources[name]
    path = project.path(table.path)
    if not table.null_values and table.delimiter == ",":
        return path
    return Csv(path, null_values=("", *table.null_values), delimiter=table.delimiter)


def recipe_of(name: str, table: RecipeTable, functions: Functions) -> Recipe:
    """Make a recipe.

    Args:
        name: the table's.
        table: its steps.
        functions: those that the person who runs the project offers, by name.

    Raises:
        ProjectError: for a step or a function that there is not, or parameters that it does not take.
    """
    return Recipe([_step(f"[recipes.{name}] step {number}", dict(written), functions) for number, written in enumerate(table.steps, 1)])


def _step(where: str, written: dict[str, Any], functions: Functions) -> Step[Any]:
    if "function" in written:
        return _function_step(where, written, functions)
    kind = written.pop("step", None)
    if kind not in _STEPS:
        raise ProjectError(f"{where} is {kind!r}. {did_you_mean(str(kind), _STEPS)} A function of your own is {{function = 'name'}}.")
    # `with` is a word of Python, which TOML does not mind.
    parameters = {"with_" if parameter == "with" else parameter: _frozen(value) for parameter, value in written.items()}
    step: Step[Any] = _made(f"{where} ({kind})", _STEPS[kind], parameters)
    return step


def _function_step(where: str, written: dict[str, Any], functions: Functions) -> Step[Any]:
    name = written.pop("function")
    if name not in functions:
        offered = did_you_mean(name, functions) if functions else "No functions were given: name their Python file with --functions features.py."
        raise ProjectError(f"{where} names the function {name!r}. {offered}")
    make = recipes.step_across_rows if written.pop("looks_across_rows", False) else recipes.step
    step: Step[Any] = _made(f"{where} ({name})", lambda **parameters: make(functions[name], **parameters), written)
    return step


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _made(where: str, make: Callable[..., Any], parameters: Mapping[str, Any]) -> Any:
    """Call a constructor, and say where the parameters stand that it does not take."""
    try:
        inspect.signature(make).bind(**parameters)
    except TypeError as error:
        names = ", ".join(inspect.signature(make).parameters)
        raise ProjectError(f"{where}: {error}. It takes: {names}.") from None
    try:
        return make(**parameters)
    except TreeringError as error:
        raise ProjectError(f"{where}: {error}") from error


def lookups_of(name: str, table: ViewTable) -> tuple[Lookup, ...]:
    """Make the lookups of a view."""
    return tuple(_made(f"[views.{name}] lookup {number}", Lookup, written) for number, written in enumerate(table.lookups, 1))


def labels_of(name: str, table: TrainingSetTable, rows: Any) -> Labels:
    """Name the label rows' time, target and other roles."""
    said = {role: value for role in ("time", "at", "target", "weight", "time_zone") if (value := getattr(table, role))}
    labels: Labels = _made(f"[training_sets.{name}]", Labels, {"source": rows, "inputs": table.inputs, "keys": table.keys, **said})
    return labels


def split_of(name: str, table: TrainingSetTable) -> Split | None:
    """Make the split of a training set; None trains on all rows."""
    if not table.split:
        return None
    written = dict(table.split)
    kind = written.pop("by", None)
    if kind not in _SPLITS:
        raise ProjectError(f"[training_sets.{name}] split by {kind!r}. {did_you_mean(str(kind), _SPLITS)}")
    # A group split has a `by` of its own, which is the column here.
    parameters = {("by" if kind == "group" and key == "column" else key): _frozen(value) for key, value in written.items()}
    split: Split = _made(f"[training_sets.{name}] split", _SPLITS[kind], parameters)
    return split


def trainer_of(project: Project, name: str, table: TrainingJobTable) -> XGBoost | Script:
    """Make what trains."""
    trainer: XGBoost | Script
    if table.script:
        trainer = _made(f"[training_jobs.{name}] script", Script, {"path": Path(project.path(table.script)), "hyperparameters": dict(table.hyperparameters)})
    else:
        trainer = _made(f"[training_jobs.{name}.xgboost]", XGBoost, table.xgboost)
    return trainer
