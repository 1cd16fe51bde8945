"""Runs a project: each thing that the file describes is made once, remembered with what it was made from, and reused until that changes."""

import itertools
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from treering.clock import system_clock
from treering.errors import AlreadyExistsError, NotFoundError, ProjectError, TrainingError
from treering.feature_groups.feature_group import FeatureGroup
from treering.feature_groups.transformed import Transformed
from treering.project.definition import GroupTable, Project, TrainingJobTable, TrainingSetTable
from treering.project.making import Functions, labels_of, lookups_of, recipe_of, source_of, split_of, trainer_of
from treering.project.memory import Memory, key_of
from treering.project.report import Done, Outcome, ProjectReport
from treering.recipes import KeepColumns, Recipe
from treering.schema.feature_group import STATIC, define
from treering.schema.serialise import to_json
from treering.schema.types import Schema
from treering.sources.source import open_source
from treering.storage.documents import Documents
from treering.storage.roots import open_objects
from treering.store import Store
from treering.training.job import Status


def store_of(project: Project, root: str | None = None) -> Store:
    """Open the store of a project, made if it is new.

    Args:
        project: names a store, unless one is given.
        root: goes before the project's own.

    Raises:
        ProjectError: if neither says where the store is.
    """
    if root is None and not project.store:
        raise ProjectError('The project names no store. Write store = "./store" below [project], or give one with --store.')
    return Store(root if root is not None else project.path(project.store))


def run_project(
    project: Project,
    store: Store,
    functions: Functions | None = None,
    *,
    on_done: Callable[[Done], None] | None = None,
    echo: Callable[[str], None] | None = None,
) -> ProjectReport:
    """Do what a project describes, and only what is not done yet.

    Args:
        project: the file.
        store: where to.
        functions: your own functions by name, for the steps that name one.
        on_done: called with each thing that was done or reused, as it is.
        echo: called with each line that a training job prints.

    Returns:
        What was new, what changed and what was reused.

    Raises:
        ProjectError: for a table that cannot be made into what it describes.
        TrainingError: if a training job fails.
    """
    started = time.perf_counter()
    run = _Run(project, store, functions or {}, on_done or (lambda _: None), echo or (lambda _: None))
    run.all()
    return ProjectReport(tuple(run.done), run.rows_processed, round(time.perf_counter() - started, 3))


class _Run:
    """One run of a project, from sources to models."""

    def __init__(self, project: Project, store: Store, functions: Functions, on_done: Callable[[Done], None], echo: Callable[[str], None]) -> None:
        self._project, self._store, self._on_done, self._echo = project, store, on_done, echo
        self._memory = Memory(Documents(open_objects(store.root, store.settings), system_clock), project.name)
        # Made before anything is written, so that a mistake in a later table leaves the store as it was.
        self._recipes = {name: recipe_of(name, table, functions) for name, table in project.recipes.items()}
        self._lookups = {name: lookups_of(name, table) for name, table in project.views.items()}
        self._splits = {name: split_of(name, table) for name, table in project.training_sets.items()}
        self._trainers = {name: trainer_of(project, name, table) for name, table in project.training_jobs.items()}
        for name, training_set in project.training_sets.items():
            labels_of(name, training_set, source_of(project, training_set.source))
        self._contents: dict[str, str] = {}
        self._labels: dict[tuple[str, str], pa.Table] = {}
        self._versions: dict[str, int] = {}
        self.done: list[Done] = []
        self.rows_processed = 0

    def all(self) -> None:
        """Go through the tables in the order in which they build on each other."""
        for name in self._project.recipes:
            self._keep_recipe(name)
        for name, group in self._project.groups.items():
            self._fill_group(name, group)
        for name in self._project.views:
            self._keep_view(name)
        for name, training_set in self._project.training_sets.items():
            self._build(name, training_set)
        for name, job in self._project.training_jobs.items():
            self._train(name, job)

    def _say(self, kind: str, name: str, outcome: Outcome, detail: str = "") -> None:
        one = Done(kind, name, outcome, detail)
        self.done.append(one)
        self._on_done(one)

    def _keep_recipe(self, name: str) -> None:
        before = self._store.recipes.versions(name) if name in self._store.recipes else []
        kept = self._store.recipes.save(name, self._recipes[name], description=self._project.recipes[name].description)
        outcome = Outcome.NEW if not before else Outcome.REUSED if len(before) == kept.version else Outcome.CHANGED
        self._say("recipe", name, outcome, f"version {kept.version}")

    def _fill_group(self, name: str, table: GroupTable) -> None:
        for source in table.sources:
            self._ingest(name, table, source)

    def _ingest(self, name: str, table: GroupTable, source: str) -> None:
        recipe = self._recipe_for(table)
        what = f"{name} <- {source}"
        made_from = {"content": self._content(source), "recipe": key_of(recipe and recipe.to_json())}
        key = key_of([made_from, asdict(replace(table, sources=()))])
        known = self._memory.recall(what, key)
        commits = self._store.feature_groups[name].commits() if known and name in self._store.feature_groups else []
        if known and any(commit.ingestion == known["ingestion"] for commit in commits):
            self._say("ingestion", what, Outcome.REUSED, f"{known['rows']:,} rows are in already; 0 rows reprocessed")
            return
        data = source_of(self._project, source)
        before = self._memory.last(what)
        # The same rows through another recipe were not corrected today: they are what the project now says that was known then.
        is_remade = before is not None and before["content"] == made_from["content"] and before["recipe"] != made_from["recipe"]
        report = self._group(name, table, data, recipe).ingest(data, recipe=recipe, rewrites_history=is_remade)
        self._memory.keep(what, key, {"ingestion": report.ingestion, "rows": report.rows, **made_from})
        if report.reused:
            self._say("ingestion", what, Outcome.REUSED, f"{report.rows:,} rows are in already; 0 rows reprocessed")
            return
        self.rows_processed += report.rows
        self._say("ingestion", what, Outcome.CHANGED if is_remade else Outcome.NEW, f"{report.rows:,} rows, commit {report.commit}")

    def _recipe_for(self, table: GroupTable) -> Recipe | None:
        steps = list(self._recipes[table.recipe].steps) if table.recipe else []
        steps += [KeepColumns(table.columns)] if table.columns else []
        return Recipe(steps) if steps else None

    def _group(self, name: str, table: GroupTable, data: Any, recipe: Recipe | None) -> FeatureGroup:
        """Find the group, or declare it with the columns that its first source has."""
        groups = self._store.feature_groups
        if name not in groups:
            try:
                return self._declared(name, table, data, recipe)
            except AlreadyExistsError:
                # Another run of the project declared it just now; a name that differs by case alone is an error still.
                if name not in groups:
                    raise
        _check_unchanged(name, table, groups[name])
        return groups[name]

    def _declared(self, name: str, table: GroupTable, data: Any, recipe: Recipe | None) -> FeatureGroup:
        rows = open_source(data, self._store.settings)
        schema = Schema.of((rows if recipe is None else Transformed(rows, recipe)).arrow_schema(), **table.types)
        described = Schema(tuple(replace(feature, description=table.descriptions.get(feature.name, "")) for feature in schema))
        group = self._store.feature_groups.create(
            name, schema=described, description=table.description, tags=table.tags, owner=table.owner, **_keys_and_clocks(table)
        )
        self._say("feature group", name, Outcome.NEW, f"by {', '.join(table.entity)}, {len(schema)} columns")
        return group

    def _content(self, source: str) -> str:
        """The digest of a source's content, and of how it is read."""
        if source not in self._contents:
            opened = open_source(source_of(self._project, source), self._store.settings)
            self._contents[source] = key_of([opened.content(), opened.manner])
        return self._contents[source]

    def _keep_view(self, name: str) -> None:
        table, lookups, views = self._project.views[name], self._lookups[name], self._store.views
        said: dict[str, Any] = {"description": table.description, "tags": table.tags, "owner": table.owner}
        if name not in views:
            view, outcome = views.create(name, lookups, **said), Outcome.NEW
        else:
            before, view = views[name], views.update(name, lookups, **said)
            outcome = Outcome.REUSED if view == before else Outcome.CHANGED
        self._say("view", name, outcome, f"looks up {', '.join(view.groups)}")

    def _build(self, name: str, table: TrainingSetTable) -> None:
        lookups = self._lookups[table.view]
        groups = {lookup.group: [commit.ingestion for commit in self._store.feature_groups[lookup.group].commits()] for lookup in lookups}
        recipe = self._recipes[table.recipe].to_json() if table.recipe else None
        key = key_of([self._content(table.source), recipe, asdict(table), [to_json(lookup) for lookup in lookups], groups])
        known = self._memory.recall(f"training set {name}", key)
        if known and self._is_there(name, known):
            self._versions[name] = known["version"]
            self._say("training set", f"{name}:{known['version']}", Outcome.REUSED, f"{known['rows']:,} rows; 0 rows reprocessed")
            return
        built = self._store.training_sets.build(
            name, self._store.views[table.view], labels_of(name, table, self._rows(table)), split=self._splits[name], description=table.description
        )
        self._versions[name] = built.version
        self._memory.keep(f"training set {name}", key, {"version": built.version, "id": built.id, "rows": built.rows})
        self.rows_processed += built.reuse.rows_processed if built.reuse else 0
        outcome = Outcome.REUSED if built.reuse and built.reuse.is_identical else Outcome.NEW
        self._say("training set", f"{name}:{built.version}", outcome, f"{built.rows:,} rows; {built.reuse}")

    def _is_there(self, name: str, known: Mapping[str, Any]) -> bool:
        """Whether a set that was built is still there: under its name and number there may be another by now."""
        try:
            return bool(self._store.training_sets.get(name, known["version"]).id == known["id"])
        except NotFoundError:
            return False

    def _rows(self, table: TrainingSetTable) -> Any:
        """The label rows, read and transformed once for all sets that name them so."""
        data = source_of(self._project, table.source)
        if not table.recipe:
            return data
        if (table.source, table.recipe) not in self._labels:
            rows = Transformed(open_source(data, self._store.settings), self._recipes[table.recipe])
            self._labels[table.source, table.recipe] = pa.concat_tables([batch.table for batch in rows.batches()])
        return self._labels[table.source, table.recipe]

    def _train(self, name: str, table: TrainingJobTable) -> None:
        training_set = self._store.training_sets.get(table.training_set, self._versions[table.training_set])
        trainer, recipe = self._trainers[name], self._recipes[table.recipe] if table.recipe else None
        key = key_of([training_set.id, recipe and recipe.to_json(), trainer.to_json(), table.drop_null_targets])
        jobs = self._store.training_jobs
        for job in _names_of_job(name, key):
            if job in jobs:
                earlier = jobs.get(job)
                if earlier.status is Status.COMPLETED:
                    self._say("training job", job, Outcome.REUSED, earlier.score)
                    return
                continue
            try:
                ended = jobs.run(job, training_set, trainer, recipe, drop_null_targets=table.drop_null_targets, echo=self._echo)
            except AlreadyExistsError:
                # Another run of the project began it just now.
                continue
            if ended.status is not Status.COMPLETED:
                raise TrainingError(f"Training job {job!r} is {ended.status} ({ended.transitions[-1].message}). Run the project again to train it.")
            self._say("training job", job, Outcome.NEW, ended.score)
            return


def _names_of_job(name: str, key: str) -> Iterator[str]:
    """Name a job by what it is made from; each name is used once, also by a job that failed."""
    job = f"{re.sub('[^a-zA-Z0-9]+', '-', name).strip('-')[:48] or 'job'}-{key[:8]}"
    yield job
    yield from (f"{job}-{attempt}" for attempt in itertools.count(2))


_CLOCKS = ("available_after", "available_at", "time_zone", "date_means")
_FIXED = ("entity", "record_identifier", "event_time", "availability", "time_zone", "date_means")


def _keys_and_clocks(table: GroupTable) -> dict[str, Any]:
    said = {option: value for option in _CLOCKS if (value := getattr(table, option))}
    return {"entity": table.entity, "event_time": table.event_time or STATIC, "record_identifier": table.record_identifier, **said}


def _check_unchanged(name: str, table: GroupTable, group: FeatureGroup) -> None:
    stored = group.definition
    declared = define(name, schema=stored.schema, **_keys_and_clocks(table))
    changed = [what for what in _FIXED if getattr(declared, what) != getattr(stored, what)]
    changed += [f"type of {column}" for column, type in table.types.items() if column in stored.schema and stored.schema[column].type != type]
    if changed:
        raise ProjectError(
            f"[groups.{name}] no longer says what the feature group in the store was made with ({', '.join(changed)}). Keys and clocks of a group never change: "
            f"give it another name in the file, or drop the one that there is: treering group drop {name} --confirm {name}."
        )
