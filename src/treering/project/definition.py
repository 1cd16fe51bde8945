"""What a project file says: frozen values, checked once, each mistake named with its table and the nearest key that there is."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from treering.errors import ProjectError, did_you_mean
from treering.schema.names import is_name

Json = Any
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """`[sources.NAME]`: where data is, and how it is written.

    Attributes:
        path: relative to the project file, absolute, or `s3://`; CSV or Parquet.
        null_values: words that stand for a missing value in a CSV file, beside the empty field.
        delimiter: between the fields of a CSV file.
    """

    path: str
    null_values: tuple[str, ...] = ()
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class RecipeTable:
    """`[recipes.NAME]`: steps in order.

    Attributes:
        steps: each `{step = "FillMissing", columns = ["gust"], with = 0.0}`, or `{function = "with_speed"}` of the file of functions.
    """

    steps: tuple[Mapping[str, Json], ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class GroupTable:
    """`[groups.NAME]`: a feature group, and the sources that fill it.

    Attributes:
        sources: ingested in this order, each once.
        recipe: that the rows go through first; empty for none.
        columns: those of the rows to keep, in order; empty keeps all.
        types: column types where the inferred ones are not meant.
        event_time: the column with the time of the event; one of it and `static` is said.
        static: whether records have no event time, and are known always.
        descriptions: of features, by name.
        entity, record_identifier, available_after, available_at, time_zone, date_means, description, tags, owner: as
            `feature_groups.create` takes them.
    """

    sources: tuple[str, ...]
    entity: tuple[str, ...]
    event_time: str = ""
    static: bool = False
    recipe: str = ""
    columns: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    record_identifier: tuple[str, ...] = ()
    available_after: str = ""
    available_at: str = ""
    time_zone: str = ""
    date_means: str = ""
    description: str = ""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class ViewTable:
    """`[views.NAME]`: named lookups.

    Attributes:
        lookups: each `{group = "weather", on = "origin", features = ["temp"], max_age = "6h"}`, as `tr.Lookup` takes them.
    """

    lookups: tuple[Mapping[str, Json], ...]
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class TrainingSetTable:
    """`[training_sets.NAME]`: labels, a view, and a split.

    Attributes:
        source: the label rows.
        recipe: that the label rows go through first; empty for none.
        split: `{by = "time", test = "2013-11-15"}`; by is "time", "fractions", "hash", "group" or "column", the rest as those take it.
        time, at, target, inputs, keys, weight, time_zone: as `tr.Labels` takes them.
    """

    view: str
    source: str
    time: str = ""
    at: str = ""
    recipe: str = ""
    target: str = ""
    inputs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    weight: str = ""
    time_zone: str = ""
    split: Mapping[str, Json] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True)
class TrainingJobTable:
    """`[training_jobs.NAME]`: a model to train.

    Attributes:
        recipe: fitted on the training rows alone; empty for none.
        xgboost: XGBoost's parameters.
        script: a training script of one's own, relative to the project file, instead of XGBoost.
        hyperparameters: of the script.
    """

    training_set: str
    recipe: str = ""
    drop_null_targets: bool = False
    xgboost: Mapping[str, Json] = field(default_factory=dict)
    script: str = ""
    hyperparameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _About:
    """`[project]`."""

    name: str = ""
    store: str = ""


_NAMES = "1 to 64 letters, digits, '-' and '_', with a letter or digit at both ends"


@dataclass(frozen=True, slots=True)
class Project:
    """A project file.

    Attributes:
        name: under which the store remembers what was done.
        store: relative to the file, absolute, or `s3://`; empty if it is said elsewhere.
        folder: of the file.
    """

    name: str
    store: str
    folder: Path
    sources: Mapping[str, SourceTable]
    recipes: Mapping[str, RecipeTable]
    groups: Mapping[str, GroupTable]
    views: Mapping[str, ViewTable]
    training_sets: Mapping[str, TrainingSetTable]
    training_jobs: Mapping[str, TrainingJobTable]

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise ProjectError(f"{self.name!r} cannot name a project. Write name = 'flights' below [project]: {_NAMES}.")
        for kind in ("recipes", "groups", "views", "training_sets"):
            for name in getattr(self, kind):
                if not is_name(name):
                    raise ProjectError(f"[{kind}.{name}] has a name that the store cannot keep. Take {_NAMES}.")
        for name, group in self.groups.items():
            if bool(group.event_time) == group.static:
                raise ProjectError(f"[groups.{name}] says either event_time = 'COLUMN', or static = true: records without an event time count as known always.")
        for kind, table, used, others in _references(self):
            if used not in others:
                raise ProjectError(f"{kind} {table} names {used!r}, which the file does not have. {did_you_mean(used, others)}")

    def path(self, written: str) -> str:
        """Say where a path of the file leads: relative ones begin at the file."""
        return written if "://" in written else str(self.folder / Path(written).expanduser())


def read_project(file: Path) -> Project:
    """Read a project file.

    Raises:
        ProjectError: for a file that is not there or no TOML, an unknown table or key, a value of the wrong kind, and a name
            that nothing in the file has.
    """
    value = _parsed(file)
    about: _About = _table("[project]", _About, value.pop("project", {}))
    unknown = [name for name in value if name not in TABLES]
    if unknown:
        raise ProjectError(f"{file} has a table [{unknown[0]}]. {did_you_mean(unknown[0], ('project', *TABLES))}")
    tables: dict[str, Any] = {name: _tables(name, kind, value.get(name, {})) for name, kind in TABLES.items()}
    return Project(about.name or file.stem, about.store, file.resolve().parent, **tables)


def read_recipe(file: Path) -> RecipeTable:
    """Read a file that holds the keys of one `[recipes.NAME]` table and nothing else.

    Raises:
        ProjectError: as for a project file.
    """
    table: RecipeTable = _table(str(file), RecipeTable, _parsed(file))
    return table


TABLES: Mapping[str, type] = {
    "sources": SourceTable,
    "recipes": RecipeTable,
    "groups": GroupTable,
    "views": ViewTable,
    "training_sets": TrainingSetTable,
    "training_jobs": TrainingJobTable,
}


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ProjectError(f"{file} cannot be read: {error.strerror}. Name a TOML file that exists, such as project.toml.") from error
    except ValueError as error:
        raise ProjectError(f"{file} is no TOML: {error}.") from error


def _tables(name: str, kind: type[T], value: Any) -> dict[str, T]:
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise ProjectError(f"[{name}] holds tables: write [{name}.NAME] and its keys below it.")
    return {table: _table(f"[{name}.{table}]", kind, keys) for table, keys in value.items()}


def _table(where: str, kind: type[Any], keys: Any) -> Any:
    if not isinstance(keys, dict):
        raise ProjectError(f"{where} has to be a table, and is {keys!r}: write {where} and its keys below it.")
    known = {one.name: one for one in fields(kind)}
    _check_keys(where, keys, known)
    missing = [one.name for one in known.values() if one.default is MISSING and one.default_factory is MISSING and one.name not in keys]
    if missing:
        raise ProjectError(f"{where} lacks {missing[0]!r}.")
    return kind(**{name: _value(where, name, known[name].type, value) for name, value in keys.items()})


def _check_keys(where: str, keys: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in keys:
        if name not in known:
            raise ProjectError(f"{where} has no key {name!r}. {did_you_mean(name, known)}")


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _truth(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _texts(value: Any) -> Any:
    items = (value,) if isinstance(value, str) else value
    return tuple(items) if isinstance(items, list | tuple) and all(isinstance(item, str) for item in items) else None


def _mapping(value: Any) -> Any:
    return value if isinstance(value, dict) else None


def _mapping_to_text(value: Any) -> Any:
    return value if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()) else None


def _mappings(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) and all(isinstance(item, dict) for item in value) else None


# One text stands for a list of one.
_READERS: Mapping[Any, tuple[Callable[[Any], Any], str]] = {
    str: (_text, "text in quotes"),
    bool: (_truth, "true or false"),
    tuple[str, ...]: (_texts, "a list of texts, such as ['origin', 'carrier']"),
    Mapping[str, str]: (_mapping_to_text, "a table of texts, such as {name = 'value'}"),
    Mapping[str, Json]: (_mapping, "a table, such as {name = 'value'}"),
    tuple[Mapping[str, Json], ...]: (_mappings, "a list of tables, such as [{name = 'value'}]"),
}


def _value(where: str, name: str, kind: Any, value: Any) -> Any:
    read, wanted = _READERS[kind]
    found = read(value)
    if found is None:
        raise ProjectError(f"{where}: {name!r} is {value!r}, and has to be {wanted}.")
    return found


def _references(project: Project) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """List each name that one table gives of another: kind and name of the table, the name given, and where it has to be."""
    found: list[tuple[str, str, str, Mapping[str, Any]]] = []
    for name, group in project.groups.items():
        found += [("Group", name, source, project.sources) for source in group.sources]
        found += [("Group", name, group.recipe, project.recipes)] if group.recipe else []
    for name, training_set in project.training_sets.items():
        found += [("Training set", name, training_set.view, project.views), ("Training set", name, training_set.source, project.sources)]
        found += [("Training set", name, training_set.recipe, project.recipes)] if training_set.recipe else []
    for name, job in project.training_jobs.items():
        found += [("Training job", name, job.training_set, project.training_sets)]
        found += [("Training job", name, job.recipe, project.recipes)] if job.recipe else []
    return found
