"""Training jobs as documents: every move is a new version, and a move that may not follow is refused."""

from collections.abc import Callable
from typing import Any

from treering.errors import AlreadyExistsError, NotFoundError, TrainingError
from treering.storage.documents import Documents
from treering.training.job import JobSpec, SecondaryStatus, Status, TrainingJob

KIND = "training-jobs"


class JobRecords:
    """Reads and writes the documents of training jobs.

    Args:
        documents: of the store.
        clock: tells the time in microseconds.
    """

    def __init__(self, documents: Documents, clock: Callable[[], int]) -> None:
        self._documents, self._clock = documents, clock

    def begin(self, spec: JobSpec) -> "JobWatch":
        """Write a new job down as starting, and watch it.

        Raises:
            AlreadyExistsError: for a name that was used before.
        """
        job = TrainingJob.begun(spec, self._clock())
        try:
            document = self._documents.create(KIND, spec.name, job.to_json())
        except AlreadyExistsError:
            status = self.get(spec.name).status
            hint = "" if status.has_ended else f" If the process that started it is gone, training_jobs.abandon({spec.name!r}) writes it down as failed."
            raise AlreadyExistsError(f"There is a training job {spec.name!r} already ({status}); each name is used once. Choose another.{hint}") from None
        return JobWatch(self._documents, document.number, job)

    def get(self, name: str) -> TrainingJob:
        """Read a job.

        Raises:
            NotFoundError: if there is none of that name.
        """
        return self.watch(name).job

    def all(self) -> list[TrainingJob]:
        """Read every job, by name."""
        return [TrainingJob.from_json(document.value) for document in self._documents.all(KIND)]

    def names(self) -> list[str]:
        """List the names of all jobs, sorted."""
        return self._documents.names(KIND)

    def watch(self, name: str) -> "JobWatch":
        """Read a job that is to be read again and again.

        Raises:
            NotFoundError: if there is none of that name.
        """
        document = self._documents.current(KIND, name)
        if document is None:
            raise NotFoundError.among("training job", name, self.names())
        return JobWatch(self._documents, document.number, TrainingJob.from_json(document.value))

    def phase(self, name: str, phase: SecondaryStatus, message: str) -> TrainingJob:
        """Write down what a job does from now on.

        Raises:
            TrainingError: if that may not follow, as when it was asked to stop.
        """
        at = self._clock()
        return self._change(name, lambda job: job.moved(phase, at, message))

    def stopping(self, name: str, message: str) -> TrainingJob:
        """Write down that a job was asked to stop, unless it is written down already.

        Raises:
            TrainingError: if it has ended.
        """
        try:
            return self.phase(name, SecondaryStatus.STOPPING, message)
        except TrainingError:
            job = self.get(name)
            if job.status is not Status.STOPPING:
                raise
            return job

    def end(self, name: str, end: SecondaryStatus, **changes: Any) -> TrainingJob:
        """Write down how a job ended; one that was asked to stop has stopped, whatever its child still did."""
        at = self._clock()

        def ended(job: TrainingJob) -> TrainingJob:
            has_overrun = end is SecondaryStatus.MAX_RUNTIME_EXCEEDED
            if has_overrun and job.status is Status.IN_PROGRESS:
                # That it was to stop could not be written down then.
                job = job.moved(SecondaryStatus.STOPPING, at)
            if job.status is not Status.STOPPING:
                return job.moved(end, at, changes.get("failure_reason", ""), **changes)
            stopped = SecondaryStatus.MAX_RUNTIME_EXCEEDED if has_overrun else SecondaryStatus.STOPPED
            return job.moved(stopped, at, job.transitions[-1].message, **{**changes, "failure_reason": ""})

        return self._change(name, ended)

    def _change(self, name: str, change: Callable[[TrainingJob], TrainingJob]) -> TrainingJob:
        written = self._documents.update(KIND, name, lambda value: change(TrainingJob.from_json(value)).to_json())
        return TrainingJob.from_json(written.value)


class JobWatch:
    """A job whose newest state is asked for often, at the price of one read: the next document is known by its number.

    Attributes:
        job: as it was last read.
    """

    def __init__(self, documents: Documents, number: int, job: TrainingJob) -> None:
        self._documents, self._number, self.job = documents, number, job

    def now(self) -> TrainingJob:
        """Read on to the newest state."""
        while (document := self._documents.version(KIND, self.job.name, self._number + 1)) is not None:
            self._number, self.job = document.number, TrainingJob.from_json(document.value)
        return self.job
