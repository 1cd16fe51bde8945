"""The training jobs of a store: start them, follow them, stop them, find what they left."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering.errors import ObjectNotFoundError, TrainingError, TreeringError
from treering.recipes.recipe import Recipe
from treering.settings import Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.training.artifact import Artifact, open_artifact
from treering.training.child import Child, functions_of
from treering.training.job import MAXIMUM_REASON, JobSpec, SecondaryStatus, Status, TrainedOn, Trainer, TrainingJob
from treering.training.logs import LogReader, read_log
from treering.training.matrix import check_trainable
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords, JobWatch
from treering.training.running import RunningJob, remove_model
from treering.training.script import Source
from treering.training.target import check_target
from treering.training.worker import Order
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    from treering.training.xgboost_trainer import Model

_FOLLOW_SECONDS = 1.0

Echo = Callable[[str], None]
"""Gets each line that a child prints, as it comes."""


def print_line(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # It is asked to.


class TrainingJobs:
    """The training jobs of a store.

    Args:
        objects: where training sets, logs and models are.
        documents: where jobs are written down.
        settings: the store's, passed on to the children.
        clock: tells the time in microseconds.
    """

    def __init__(self, objects: Objects, documents: Documents, settings: Settings, clock: Callable[[], int]) -> None:
        self._objects, self._settings = objects, settings
        self._records = JobRecords(documents, clock)

    def start(
        self,
        name: str,
        training_set: TrainingSet,
        trainer: Trainer,
        recipe: Recipe | None = None,
        *,
        drop_null_targets: bool = False,
        maximum_runtime_seconds: float | None = None,
    ) -> RunningJob:
        """Start a job and return while it runs; Python does not exit before it has ended.

        Args:
            name: 1 to 63 letters, digits and inner hyphens; each name is used once.
            training_set: what to learn from.
            trainer: `tr.XGBoost(...)`, or `tr.Script("train.py", ...)` for a script of your own.
            recipe: fitted in the child, on the rows of the train split alone; a fitted one is fitted anew.
            drop_null_targets: leave rows without a target out; otherwise they are an error.
            maximum_runtime_seconds: after so long the job is stopped: Stopped, MaxRuntimeExceeded.

        Raises:
            TrainingError: for a set or a recipe that cannot be trained with.
            AlreadyExistsError: for a name that was used before.
        """
        check_trainable(training_set, recipe, drop_null_targets=drop_null_targets)
        source = _checked(trainer, training_set)
        unfitted = None if recipe is None else Recipe(recipe.steps).to_json()
        spec = JobSpec(name, TrainedOn.of(training_set), trainer, unfitted, drop_null_targets, maximum_runtime_seconds)
        functions = functions_of(recipe)
        watch = self._records.begin(spec)
        folder = ""
        try:
            folder = tempfile.mkdtemp(prefix="treering-job-", dir=self._settings.temporary_folder)
            order = Order(self._objects.root, asdict(self._settings), functions, spec, folder, "" if source is None else str(source.path.parent))
            self._lay_out(order, source)
            return RunningJob(self._objects, self._records, watch, order, Child(order))
        except (OSError, TreeringError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            reason = f"The child process could not be started: {error}"
            self._records.end(name, SecondaryStatus.FAILED, failure_reason=reason[:MAXIMUM_REASON])
            raise TrainingError(f"Training job {name!r} failed. {reason}") from error

    def _lay_out(self, order: Order, source: Source | None) -> None:
        """Keep a script with its job, and put the same bytes where they run."""
        if source is not None:
            with self._objects.output(f"{order.spec.source_folder}/{source.path.name}") as sink:
                sink.write(source.content)
            code = Path(order.work_folder, "code")
            code.mkdir()
            (code / source.path.name).write_bytes(source.content)

    def run(
        self,
        name: str,
        training_set: TrainingSet,
        trainer: Trainer,
        recipe: Recipe | None = None,
        *,
        drop_null_targets: bool = False,
        maximum_runtime_seconds: float | None = None,
        echo: Echo = print_line,
    ) -> TrainingJob:
        """Run a job to its end and print what its child prints; an interrupt, or an error of `echo`, stops the job.

        Args:
            name, training_set, trainer, recipe, drop_null_targets, maximum_runtime_seconds: as for `start`.
            echo: called with each line that the child prints.

        Returns:
            The job, completed; or stopped, if somebody stopped it or it reached its limit.

        Raises:
            TrainingError: if the job fails, with its reason.
        """
        limit = maximum_runtime_seconds
        running = self.start(name, training_set, trainer, recipe, drop_null_targets=drop_null_targets, maximum_runtime_seconds=limit)
        try:
            job = running.wait(echo)
        finally:
            # An interrupt, or an echo whose reader has gone.
            if not running.has_ended:
                with suppress(TrainingError):  # It has just ended by itself.
                    running.stop()
        if job.status is Status.FAILED:
            raise TrainingError(f"Training job {name!r} failed: {job.failure_reason} Read its whole output with store.training_jobs.logs({name!r}).")
        return job

    def get(self, name: str) -> TrainingJob:
        """Find a job.

        Raises:
            NotFoundError: if there is none of that name.
        """
        return self._records.get(name)

    def abandon(self, name: str, reason: str = "") -> TrainingJob:
        """Give up a job whose starting process died before it could write the job's end down.

        Use it only when that process and its child are gone, for example after the machine was switched off: the job would
        be in progress for ever. A job that still runs here is stopped with `RunningJob.stop`.

        Args:
            name: the job's.
            reason: what you know of it; kept in the failure reason.

        Returns:
            The job, now failed; one that was being stopped has stopped.

        Raises:
            NotFoundError: if there is none of that name.
            TrainingError: if the job has ended.
        """
        known = f" ({reason})" if reason else ""
        why = f"given up: the process that started it is gone{known}"
        job = self._records.end(name, SecondaryStatus.FAILED, failure_reason=why[:MAXIMUM_REASON])
        remove_model(self._objects, job.spec)
        return job

    def stop(self, name: str) -> TrainingJob:
        """Ask a job to stop, whichever process runs it, and return at once; the process that runs it looks about once a second.

        Its child has ten seconds to end by itself before it is killed. A job whose process is gone is ended with `abandon`.

        Returns:
            The job, which is stopping.

        Raises:
            NotFoundError: if there is none of that name.
            TrainingError: if it has ended.
        """
        return self._records.stopping(name, "Asked to stop")

    def logs(self, name: str) -> str:
        """Read what a job's child printed, so far if it still runs.

        Raises:
            NotFoundError: if there is no such job.
        """
        return read_log(self._objects, self.get(name).spec.logs_folder)

    def follow(self, name: str, *, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
        """Give each line that a job's child printed and prints, until the job has ended, whichever process runs it.

        The lines of a running job come in pieces, one a second at first and one in ten seconds after hours. On S3 a look costs
        two GET requests a second.

        Args:
            name: the job's.
            pause: waits for so many seconds between two looks.

        Raises:
            NotFoundError: if there is no such job.
        """
        return self._follow(self._records.watch(name), pause)

    def _follow(self, watch: JobWatch, pause: Callable[[float], None]) -> Iterator[str]:
        log = LogReader(self._objects, watch.job.spec.logs_folder)
        # The log is whole when the end is written down, so we ask for the end first.
        while not watch.now().status.has_ended:
            yield from log.new_lines()
            pause(_FOLLOW_SECONDS)
        yield from log.new_lines()
        yield from log.last_line()

    def history(self, name: str) -> dict[str, dict[str, tuple[float, ...]]]:
        """Read how a job's metrics went: values by metric by split, one per round, or one per mention in a script's output.

        Returns:
            NaN stands where a metric had no value.

        Raises:
            NotFoundError: if there is no such job.
            TrainingError: if it has left no model.
        """
        job = self.get(name)
        try:
            history = json.loads(self._objects.read(job.spec.result_key))["history"]
        except ObjectNotFoundError:
            raise TrainingError(f"Training job {name!r} is {job.status} and has left no history of its metrics.") from None
        return {
            split: {metric: tuple(nan if value is None else value for value in values) for metric, values in found.items()} for split, found in history.items()
        }

    def artifact(self, name: str) -> Artifact:
        """Open the model archive that a job left and check every byte of it.

        Raises:
            TrainingError: if the job has no model.
            ArtifactError: if the archive is not the one that the job left.
        """
        job = self.get(name)
        if job.artifact is None:
            raise TrainingError(f"Training job {name!r} is {job.status} and has no model.")
        return open_artifact(self._objects.read(job.artifact.key), job.artifact.sha256)

    def model(self, name: str, functions: Mapping[str, Any] | None = None) -> "Model":
        """Load the model that a job left, every byte of which is checked first.

        Args:
            name: the job's.
            functions: your own functions by name, where the recipe has steps made by `tr.step`.

        Raises:
            TrainingError: if the job has no model.
            ArtifactError: if the archive is not the one that the job left, or holds a script's model that is not XGBoost's.
        """
        from treering.training.xgboost_trainer import load_model

        return load_model(self.artifact(name), functions)

    def __getitem__(self, name: str) -> TrainingJob:
        """Find a job.

        Raises:
            NotFoundError: if there is none of that name.
        """
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._records.names()

    def __repr__(self) -> str:
        jobs = self.list()
        rows = [_HEADINGS, *map(_row, jobs)] if jobs else []
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([f"{len(jobs)} training jobs", *(f"  {line}" for line in lines)])

    def list(self) -> list[TrainingJob]:
        """List every job, newest first."""
        return sorted(self._records.all(), key=lambda job: (-job.created_at, job.name))


_HEADINGS = ("name", "status", "secondary status", "training set", "seconds", "measured")


def _row(job: TrainingJob) -> tuple[str, ...]:
    used = job.spec.training_set
    seconds = "" if job.resources is None else f"{job.resources.wall_seconds:,.1f}"
    return (job.name, str(job.status), str(job.secondary_status), f"{used.name}:{used.version}", seconds, job.score)


def _checked(trainer: Trainer, training_set: TrainingSet) -> Source | None:
    """Refuse what a trainer cannot do with a set before anything starts; a script's source is what is to run."""
    if isinstance(trainer, XGBoost):
        check_target(trainer, training_set)
        return None
    if trainer.source is None:
        raise TrainingError(f"The script {trainer.file!r} comes from a job's document, and only a file that you name is run: tr.Script('{trainer.file}').")
    return trainer.source
