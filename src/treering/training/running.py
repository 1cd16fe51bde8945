"""A job that runs here: its child is listened to, its log is written, a wish to stop is noticed, and its end is written down."""

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from treering.errors import ArtifactError, TrainingError, TreeringError
from treering.storage.objects import Objects
from treering.training.artifact import open_artifact
from treering.training.child import Child, reason_of
from treering.training.job import MAXIMUM_REASON, JobSpec, SecondaryStatus, Status, StoredArtifact, TrainingJob
from treering.training.logs import LogWriter
from treering.training.records import JobRecords, JobWatch
from treering.training.resources import ResourceUse, out_of_memory_kills
from treering.training.worker import Order

PATIENCE_SECONDS = 10.0
# A look at the job's document is one GET on S3, a piece of the log one PUT: two requests a second at most.
_LOOK_SECONDS = 1.0


def remove_model(objects: Objects, spec: JobSpec) -> None:
    """Remove the archives of a job without a model. The job's document alone makes an archive a model, so nothing depends on this."""
    with suppress(TreeringError, OSError):
        objects.delete([spec.artifact_key, spec.output_key])


class RunningJob:
    """A job whose child this process started.

    Args:
        objects: of the store.
        records: where the job is written down.
        watch: on the job, for what other processes write down.
        order: what the child was told; its work folder is removed in the end.
        child: just started.
    """

    def __init__(self, objects: Objects, records: JobRecords, watch: JobWatch, order: Order, child: Child) -> None:
        self._objects, self._records, self._watch, self._child = objects, records, watch, child
        self._spec, self._work_folder = order.spec, order.work_folder
        self._log = LogWriter(objects, self._spec.logs_folder)
        self._printed: SimpleQueue[str | None] = SimpleQueue()
        self._said, self._last_line, self._kills_before = "", "", out_of_memory_kills()
        self._is_stopped_here, self._has_overrun, self._is_over = False, False, threading.Event()
        # Threads of their own: one that waits for the storage must not hold up another.
        beside = (self._listen, self._keep_log, self._heed_others, self._hold_to_limit)
        threads = ThreadPoolExecutor(len(beside) + 1, thread_name_prefix=f"treering-{self.name}")
        self._ended = threads.submit(self._follow, [threads.submit(work) for work in beside])
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

    def wait(self, echo: Callable[[str], None] | None = None) -> TrainingJob:
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

    def stop(self, *, patience_seconds: float = PATIENCE_SECONDS) -> TrainingJob:
        """Ask the child to end, kill it if it does not, and wait for it.

        Args:
            patience_seconds: how long it may take to end by itself.

        Raises:
            TrainingError: if the job has ended already.
        """
        self._is_stopped_here = True
        try:
            self._records.stopping(self.name, "Stopped by the process that runs it")
        finally:
            # Whatever could not be written down: a child that goes on would keep Python from exiting.
            self._child.stop(patience_seconds)
        return self._ended.result()

    def _listen(self) -> None:
        for announcement in self._child.announcements():
            self._said = announcement.failure or self._said
            if announcement.phase is not None:
                # One that cannot be written down, or is too late, is no reason to end a job.
                with suppress(TreeringError, OSError):
                    self._records.phase(self.name, announcement.phase, announcement.message)

    def _keep_log(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            self._log.keep(self._child.seconds)

    def _heed_others(self) -> None:
        """End the child when another process writes down that the job is to stop, or gives it up."""
        while not self._is_over.wait(_LOOK_SECONDS):
            self._child.look_at_memory()
            # A storage that does not answer is asked again.
            with suppress(TreeringError, OSError):
                if self._watch.now().status is not Status.IN_PROGRESS and not self._is_stopped_here:
                    self._child.stop(PATIENCE_SECONDS)

    def _hold_to_limit(self) -> None:
        """End the child when its time is over, whether or not the storage answers."""
        limit = self._spec.maximum_runtime_seconds
        if limit is None or self._is_over.wait(min(limit, threading.TIMEOUT_MAX)):
            return
        self._has_overrun = True
        self._child.ask_to_end()
        with suppress(TreeringError, OSError):
            self._records.stopping(self.name, f"It reached its limit of {limit:g} seconds")
        self._child.stop(PATIENCE_SECONDS)

    def _follow(self, beside: list[Future[None]]) -> TrainingJob:
        """Read what the child prints to its end; then write down how it ended."""
        try:
            for raw in self._child.output():
                self._log.add(raw)
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self._last_line = line.strip() or self._last_line
                self._printed.put(line)
            exit_code, used = self._child.wait()
            self._is_over.set()
            for thread in beside:
                thread.result()
            lost = self._log.close()
            if lost:
                self._printed.put(lost.strip())
            return self._written_down(exit_code, used, lost)
        finally:
            self._is_over.set()
            shutil.rmtree(self._work_folder, ignore_errors=True)
            self._printed.put(None)

    def _written_down(self, exit_code: int, used: ResourceUse, lost: str) -> TrainingJob:
        try:
            job = self._end(exit_code, used, lost)
        except TrainingError:
            # Somebody gave it up meanwhile.
            remove_model(self._objects, self._spec)
            raise
        if job.artifact is None:
            remove_model(self._objects, self._spec)
        return job

    def _end(self, exit_code: int, used: ResourceUse, lost: str) -> TrainingJob:
        if exit_code != 0:
            kills = out_of_memory_kills() - self._kills_before
            return self._failed(reason_of(exit_code, used, self._said, self._last_line, kills=kills) + lost, used)
        try:
            left = self._left()
        except (TreeringError, OSError, ValueError, KeyError, TypeError) as error:
            return self._failed(f"The child process ended well, but left no sound model: {type(error).__name__}: {error}{lost}", used)
        end = SecondaryStatus.MAX_RUNTIME_EXCEEDED if self._has_overrun else SecondaryStatus.COMPLETED
        return self._records.end(self.name, end, **left, resources=used)

    def _failed(self, reason: str, used: ResourceUse) -> TrainingJob:
        end = SecondaryStatus.MAX_RUNTIME_EXCEEDED if self._has_overrun else SecondaryStatus.FAILED
        return self._records.end(self.name, end, failure_reason=reason[:MAXIMUM_REASON], resources=used)

    def _left(self) -> dict[str, Any]:
        """Read what the child left, and check the archive against what the child says of it."""
        result = json.loads(self._objects.read(self._spec.result_key))
        archive = self._objects.read(self._spec.artifact_key)
        artifact = open_artifact(archive, result["sha256"])
        if artifact.receipt["id"] != self._spec.training_set.id:
            raise ArtifactError(f"Its archive is of training set {artifact.receipt['id']}, and the job was for {self._spec.training_set.id}.")
        stored = StoredArtifact(self._spec.artifact_key, len(archive), artifact.sha256)
        return {"artifact": stored, "metrics": result["metrics"], "rounds": result["rounds"]}
