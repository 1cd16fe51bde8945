"""Training jobs: each runs in a child process of its own, is watched to its end, and is written down as it moves."""

import json
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from treering.errors import ArtifactError, NotFoundError, ObjectNotFoundError, TrainingError, TreeringError
from treering.recipes.recipe import Recipe
from treering.settings import Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.training.artifact import Artifact, open_artifact
from treering.training.child import Child, functions_of, last_words, reason_of
from treering.training.job import MAXIMUM_REASON, JobSpec, Status, StoredArtifact, TrainedOn, TrainingJob
from treering.training.matrix import check_trainable
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords
from treering.training.worker import Order
from treering.training_sets.training_set import TrainingSet

if TYPE_CHECKING:
    from treering.training.xgboost_trainer import Model

_CHUNK = 1024 * 1024
_PATIENCE_SECONDS = 10.0

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

    def start(self, name: str, training_set: TrainingSet, trainer: XGBoost, recipe: Recipe | None = None, *, drop_null_targets: bool = False) -> "RunningJob":
        """Start a job and return while it runs; Python does not exit before it has ended.

        Args:
            name: 1 to 63 letters, digits and inner hyphens; each name is used once.
            training_set: what to learn from.
            trainer: the algorithm's parameters.
            recipe: fitted in the child, on the rows of the train split alone; a fitted one is fitted anew.
            drop_null_targets: leave rows without a target out; otherwise they are an error.

        Raises:
            TrainingError: for a set or a recipe that cannot be trained with.
            AlreadyExistsError: for a name that was used before.
        """
        check_trainable(training_set, recipe, drop_null_targets=drop_null_targets)
        spec = JobSpec(name, TrainedOn.of(training_set), trainer, None if recipe is None else Recipe(recipe.steps).to_json(), drop_null_targets)
        order = Order(self._objects.root, asdict(self._settings), functions_of(recipe), spec)
        self._records.begin(spec)
        try:
            child = Child(order)
        except OSError as error:
            reason = f"The child process could not be started: {error}"
            self._records.end(name, Status.FAILED, failure_reason=reason)
            raise TrainingError(f"Training job {name!r} failed. {reason}") from error
        return RunningJob(self._objects, self._records, spec, child, log_folder=self._settings.temporary_folder)

    def run(
        self,
        name: str,
        training_set: TrainingSet,
        trainer: XGBoost,
        recipe: Recipe | None = None,
        *,
        drop_null_targets: bool = False,
        echo: Echo = print_line,
    ) -> TrainingJob:
        """Run a job to its end and print what its child prints; an interrupt, or an error of `echo`, stops the job.

        Args:
            name, training_set, trainer, recipe, drop_null_targets: as for `start`.
            echo: called with each line that the child prints.

        Raises:
            TrainingError: if the job fails, with its reason.
        """
        running = self.start(name, training_set, trainer, recipe, drop_null_targets=drop_null_targets)
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
        return self._records.end(name, Status.FAILED, failure_reason=f"given up: the process that started it is gone{known}"[:MAXIMUM_REASON])

    def logs(self, name: str) -> str:
        """Read what a job's child printed; it is kept when the job has ended.

        Raises:
            NotFoundError: if there is no such job, or it has not ended.
        """
        job = self.get(name)
        try:
            return self._objects.read(job.spec.logs_key).decode("utf-8", "replace")
        except ObjectNotFoundError:
            raise NotFoundError(f"Training job {name!r} is {job.status} and has left no logs yet. They are kept when it ends.") from None

    def artifact(self, name: str) -> Artifact:
        """Open the model archive of a completed job and check every byte of it.

        Raises:
            TrainingError: if the job has no model.
            ArtifactError: if the archive is not the one that the job left.
        """
        job = self.get(name)
        if job.artifact is None:
            raise TrainingError(f"Training job {name!r} is {job.status} and has no model.")
        return open_artifact(self._objects.read(job.artifact.key), job.artifact.sha256)

    def model(self, name: str, functions: Mapping[str, Any] | None = None) -> "Model":
        """Load the model of a completed job, every byte of which is checked first.

        Args:
            name: the job's.
            functions: your own functions by name, where the recipe has steps made by `tr.step`.

        Raises:
            TrainingError: if the job has no model.
            ArtifactError: if the archive is not the one that the job left.
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
        return any(job.spec.name == name for job in self._records.all())

    def __repr__(self) -> str:
        jobs = self._records.all()
        return "\n".join([f"{len(jobs)} training jobs", *(f"  {job.spec.name}  {job.status}" for job in jobs)])

    def list(self) -> list[TrainingJob]:
        """List every job, by name."""
        return self._records.all()


class RunningJob:
    """A job whose child this process started; a thread reads what it prints and writes down how it ends."""

    def __init__(self, objects: Objects, records: JobRecords, spec: JobSpec, child: Child, *, log_folder: str | None) -> None:
        self._objects, self._records = objects, records
        self._spec, self._child, self._log_folder = spec, child, log_folder
        self._printed: SimpleQueue[str | None] = SimpleQueue()
        threads = ThreadPoolExecutor(1, thread_name_prefix=f"treering-{spec.name}")
        self._ended = threads.submit(self._watch)
        threads.shutdown(wait=False)

    @property
    def name(self) -> str:
        """The job's name."""
        return self._spec.name

    @property
    def pid(self) -> int:
        """The child's process id, which is its process group's too."""
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        """Whether the child has ended and nothing more will be written down."""
        return self._ended.done()

    @property
    def job(self) -> TrainingJob:
        """The job as it is written down now."""
        return self._records.get(self.name)

    def wait(self, echo: Echo | None = None) -> TrainingJob:
        """Wait for the job's end and return it, however it ended.

        Args:
            echo: called with each line that the child printed and prints.

        Raises:
            TreeringError: if its end could not be written down.
        """
        while (line := self._printed.get()) is not None:
            if echo is not None:
                echo(line)
        # For whoever waits after us.
        self._printed.put(None)
        return self._ended.result()

    def stop(self, *, patience_seconds: float = _PATIENCE_SECONDS) -> TrainingJob:
        """Ask the child to end, kill it if it does not, and wait for it.

        Args:
            patience_seconds: how long it may take to end by itself.

        Raises:
            TrainingError: if the job has ended already.
        """
        try:
            self._records.stopping(self.name)
        finally:
            # Whatever could not be written down: a child that goes on would keep Python from exiting.
            self._child.stop(patience_seconds)
        return self._ended.result()

    def _watch(self) -> TrainingJob:
        try:
            return self._written_down(*self._followed())
        finally:
            self._printed.put(None)

    def _followed(self) -> tuple[int, str, str]:
        """Read what the child prints to its end; returns the exit code, the last words, and why its output was lost, if it was."""
        words = ""
        try:
            with tempfile.SpooledTemporaryFile(max_size=_CHUNK, dir=self._log_folder) as log:
                for line in self._child.lines(log):
                    words = last_words(words, line)
                    self._printed.put(line)
                return self._child.wait(), words, self._keep(log)
        except OSError as error:
            # A full disk, say. Nobody reads what the child prints any more, so it would wait for ever.
            self._child.stop(0)
            return self._child.wait(), words, f" Its output could not be kept: {error}"

    def _keep(self, log: IO[bytes]) -> str:
        log.seek(0)
        try:
            with self._objects.output(self._spec.logs_key) as sink:
                while chunk := log.read(_CHUNK):
                    sink.write(chunk)
        except (TreeringError, OSError) as error:
            lost = f" Its output could not be kept: {error}"
            self._printed.put(lost.strip())
            return lost
        return ""

    def _written_down(self, exit_code: int, words: str, lost: str) -> TrainingJob:
        if exit_code != 0:
            return self._failed(reason_of(exit_code, words) + lost)
        try:
            left = self._left()
        except (TreeringError, OSError, ValueError, KeyError, TypeError) as error:
            return self._failed(f"The child process ended well, but left no sound model: {type(error).__name__}: {error}{lost}")
        return self._records.end(self.name, Status.COMPLETED, **left)

    def _failed(self, reason: str) -> TrainingJob:
        return self._records.end(self.name, Status.FAILED, failure_reason=reason[:MAXIMUM_REASON])

    def _left(self) -> dict[str, Any]:
        """Read what the child left, and check the archive against what the child says of it."""
        result = json.loads(self._objects.read(self._spec.result_key))
        archive = self._objects.read(self._spec.artifact_key)
        artifact = open_artifact(archive, result["sha256"])
        if artifact.receipt["id"] != self._spec.training_set.id:
            raise ArtifactError(f"Its archive is of training set {artifact.receipt['id']}, and the job was for {self._spec.training_set.id}.")
        stored = StoredArtifact(self._spec.artifact_key, len(archive), artifact.sha256)
        return {"artifact": stored, "metrics": result["metrics"], "rounds": result["rounds"]}
