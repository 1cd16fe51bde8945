"""The life of the child process that trains one model: read the order from stdin, train, leave an archive, print as it goes."""

import hashlib
import json
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any

from treering.errors import TrainingError
from treering.recipes.recipe import Recipe
from treering.settings import Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.storage.roots import open_objects
from treering.training.artifact import write_artifact
from treering.training.job import JobSpec, TrainedOn
from treering.training.matrix import Rows
from treering.training_sets.catalogue import find
from treering.training_sets.training_set import TrainingSet

ERROR_PREFIX = "error: "
"""Begins the line that says why a child gives up."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is told by the process that started it.

    Attributes:
        root: of the store.
        settings: fields of `Settings`, by name.
        functions: the module of each function that the recipe runs, by qualified name. They are named by the calling
            process and never by what is stored.
        spec: the job.
    """

    root: str
    settings: Mapping[str, Any]
    functions: Mapping[str, str]
    spec: JobSpec

    def to_json(self) -> dict[str, Any]:
        """Write the order for the child's stdin."""
        return {"root": self.root, "settings": dict(self.settings), "functions": dict(self.functions), "spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Order":
        """Read what `to_json` wrote."""
        return cls(value["root"], value["settings"], value["functions"], JobSpec.from_json(value["spec"]))


def work(order: Order) -> None:
    """Train as ordered; at the end the archive and what was measured are in the store."""
    spec = order.spec
    objects = open_objects(order.root, Settings(**order.settings))
    training_set = _training_set(objects, spec.training_set)
    recipe = None if spec.recipe is None else Recipe.from_json(spec.recipe, _functions(order.functions))
    rows = Rows.of(training_set, recipe, drop_null_targets=spec.drop_null_targets)
    _say(f"training {spec.trainer!r} on {training_set.name} version {training_set.version} with {len(rows.feature_names)} features")
    # Importing XGBoost takes a second; an order that cannot be carried out should fail before.
    from treering.training.xgboost_trainer import papers_of, train

    trained = train(spec.trainer, rows, _say)
    archive = write_artifact(trained.model, papers_of(spec.trainer, rows))
    with objects.output(spec.artifact_key) as sink:
        sink.write(archive)
    result = {"sha256": hashlib.sha256(archive).hexdigest(), "bytes": len(archive), "rounds": trained.rounds, "metrics": trained.metrics}
    with objects.output(spec.result_key) as sink:
        sink.write(json.dumps(result, allow_nan=False).encode())
    _say(f"done: {json.dumps(result)}")


def _training_set(objects: Objects, wanted: TrainedOn) -> TrainingSet:
    found = find(Documents(objects, _now), objects, wanted.name, wanted.version)
    if found.id != wanted.id:
        raise TrainingError(f"Training set {wanted.name} version {wanted.version} has id {found.id}, and the job was made for {wanted.id}. Start a new job.")
    return found


def _now() -> int:
    return time.time_ns() // 1_000


def _functions(modules: Mapping[str, str]) -> dict[str, Any]:
    return {name: attrgetter(name)(import_module(module)) for name, module in modules.items()}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Carry out the order on stdin; the exit code is 0 if a model was left."""
    try:
        work(Order.from_json(json.load(sys.stdin)))
    except Exception as error:  # noqa: BLE001  # The edge: whatever went wrong is the job's reason for failing.
        traceback.print_exc()
        first = str(error).strip().partition("\n")[0]
        _say(f"{ERROR_PREFIX}{type(error).__name__}: {first}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
