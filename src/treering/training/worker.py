"""The life of the child process that trains one model: read the order from stdin, train, leave an archive, print as it goes."""

import hashlib
import json
import math
import os
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from treering.errors import TrainingError, TreeringError
from treering.recipes.recipe import Recipe
from treering.settings import ENVIRONMENT_PREFIX, Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.storage.roots import open_objects
from treering.training.announcements import Announce, Announcement, announcer
from treering.training.artifact import MODEL, pack, write_artifact
from treering.training.job import JobSpec, SecondaryStatus, TrainedOn
from treering.training.matrix import Rows
from treering.training.parameters import XGBoost
from treering.training.resources import own_peak_memory
from treering.training.script import Script
from treering.training_sets.catalogue import find
from treering.training_sets.training_set import TrainingSet


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is told by the process that started it.

    Attributes:
        root: of the store.
        settings: fields of `Settings`, by name.
        functions: the module of each function that the recipe runs, by qualified name. They are named by the calling
            process and never by what is stored.
        spec: the job.
        work_folder: the child's own; a script is there already.
        imports: the folder that the script came from; empty where there is none.
    """

    root: str
    settings: Mapping[str, Any]
    functions: Mapping[str, str]
    spec: JobSpec
    work_folder: str
    imports: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the order for the child's stdin."""
        told = {"root": self.root, "settings": dict(self.settings), "functions": dict(self.functions)}
        return told | {"spec": self.spec.to_json(), "work_folder": self.work_folder, "imports": self.imports}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Order":
        """Read what `to_json` wrote."""
        return cls(**{**value, "spec": JobSpec.from_json(value["spec"])})


@dataclass(frozen=True, slots=True)
class Made:
    """What training left.

    Attributes:
        files: the model's, by name.
        papers: for the model's archive.
        rounds: how many the model has; None where it does not consist of rounds.
        metrics: the last values by metric by split.
        history: all values by metric by split.
        output: files beside the model, by name.
    """

    files: Mapping[str, bytes]
    papers: Mapping[str, Any]
    rounds: int | None
    metrics: Mapping[str, Mapping[str, float | None]]
    history: Mapping[str, Mapping[str, tuple[float, ...]]]
    output: Mapping[str, bytes]


def work(order: Order, announce: Announce) -> None:
    """Train as ordered; at the end the archive and what was measured are in the store."""
    spec = order.spec
    objects = open_objects(order.root, Settings(**order.settings))
    wanted = spec.training_set
    announce(Announcement(SecondaryStatus.DOWNLOADING, f"Reading training set {wanted.name} version {wanted.version}"))
    training_set = _training_set(objects, wanted)
    recipe = None if spec.recipe is None else Recipe.from_json(spec.recipe, _functions(order.functions))
    rows = Rows.of(training_set, recipe, drop_null_targets=spec.drop_null_targets)
    _say(f"training {spec.trainer!r} on {training_set.name} version {training_set.version} with {len(rows.feature_names)} features")
    made = _TRAINERS[type(spec.trainer)](order, rows, announce)
    announce(Announcement(SecondaryStatus.UPLOADING, "Writing the model's archive"))
    _upload(objects, spec, made)


def _upload(objects: Objects, spec: JobSpec, made: Made) -> None:
    archive = write_artifact(made.files, made.papers)
    if made.output:
        _write(objects, spec.output_key, pack(made.output))
    _write(objects, spec.artifact_key, archive)
    result = {"sha256": hashlib.sha256(archive).hexdigest(), "bytes": len(archive), "rounds": made.rounds, "metrics": made.metrics}
    _write(objects, spec.result_key, json.dumps(result | {"history": _finite(made.history)}, allow_nan=False).encode())
    for split, values in made.metrics.items():
        _say(f"{split}: {', '.join(f'{metric} {value:.5g}' for metric, value in values.items() if value is not None)}")
    _say(f"done: {len(archive):,} bytes in model.tar.gz, sha256 {result['sha256']}")


def _write(objects: Objects, key: str, content: bytes) -> None:
    with objects.output(key) as sink:
        sink.write(content)


def _finite(history: Mapping[str, Mapping[str, tuple[float, ...]]]) -> dict[str, dict[str, list[float | None]]]:
    return {
        split: {metric: [value if math.isfinite(value) else None for value in values] for metric, values in metrics.items()}
        for split, metrics in history.items()
    }


def _boosted(order: Order, rows: Rows, announce: Announce) -> Made:
    # Importing XGBoost takes a second; an order that cannot be carried out should fail before.
    from treering.training.xgboost_trainer import papers_of, train

    trainer = order.spec.trainer
    assert isinstance(trainer, XGBoost)
    announce(Announcement(SecondaryStatus.TRAINING, f"Training XGBoost on {len(rows.feature_names)} features"))
    trained = train(trainer, rows, _say)
    return Made({MODEL: trained.model}, papers_of(trainer, rows), trained.rounds, trained.metrics, trained.history, {})


def _scripted(order: Order, rows: Rows, announce: Announce) -> Made:
    from treering.training.channels import write_channels
    from treering.training.script_worker import Places, ScriptRun, files_in

    script = order.spec.trainer
    assert isinstance(script, Script)
    places = Places(Path(order.work_folder))
    places.lay_out()
    channels = write_channels(rows, places.data, script.channel_format)
    run = ScriptRun(order.spec.name, script, places, channels, order.imports, _treering_variables(order))
    run.write_config()
    announce(Announcement(SecondaryStatus.TRAINING, f"Running {script.file}"))
    # A script may save its model when it is asked to end; what then stands there is kept, so we have to outlive it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    metrics = run.run()
    return Made(run.model_files(), _papers(script, rows), None, metrics.metrics, metrics.history, files_in(places.output / "data"))


_TRAINERS: Mapping[type, Callable[[Order, Rows, Announce], Made]] = {XGBoost: _boosted, Script: _scripted}


def _treering_variables(order: Order) -> dict[str, str]:
    """Name the store and the set for a script that opens them itself, with the settings that we were given."""
    trained_on = order.spec.training_set
    settings = {f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in order.settings.items() if value is not None}
    return settings | {"TREERING_STORE": order.root, "TREERING_TRAINING_SET": f"{trained_on.name}:{trained_on.version}"}


def _papers(script: Script, rows: Rows) -> dict[str, Any]:
    training_set, types, target = rows.training_set, rows.training_set.receipt.columns, str(rows.training_set.target)
    return {
        # Archives travel further than jobs, and what an environment holds may be nobody else's business.
        "parameters": {name: value for name, value in script.to_json().items() if name != "environment"},
        "receipt": training_set.receipt.content | {"id": training_set.id},
        "recipe": None if rows.recipe is None else rows.recipe.to_json(),
        "schema": {
            "inputs": [[name, types[name]] for name in training_set.features],
            "features": list(rows.feature_names),
            "target": [target, types[target]],
        },
    }


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


def _end_with_parent(descriptor: int, work_folder: str) -> None:
    """Wait until nobody holds the other end of the pipe, and then end ourselves and all that we started: nobody would write down what we made."""
    gone = select.poll()
    # Of no events at all: an error, which the end of its reader is to a pipe, is always told.
    gone.register(descriptor, 0)
    gone.poll()
    shutil.rmtree(work_folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(descriptor: int) -> int:
    """Carry out the order on stdin; the exit code is 0 if a model was left.

    Args:
        descriptor: of the pipe to the parent.
    """
    announce = announcer(descriptor)
    try:
        order = Order.from_json(json.load(sys.stdin))
        threading.Thread(target=_end_with_parent, args=(descriptor, order.work_folder), daemon=True).start()
        work(order, announce)
    except Exception as error:  # noqa: BLE001  # The edge: whatever went wrong is the job's reason for failing.
        # What treering says on purpose says where, too.
        is_expected = isinstance(error, TreeringError)
        if not is_expected:
            traceback.print_exc()
        first = str(error).strip().partition("\n")[0]
        reason = first if is_expected else f"{type(error).__name__}: {first}"
        _say(f"error: {reason}")
        announce(Announcement(failure=reason))
        return 1
    finally:
        announce(Announcement(peak_memory_bytes=own_peak_memory()))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
