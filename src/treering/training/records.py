"""Training jobs as documents: every move is a new version, and a move that may not follow is refused."""

from collections.abc import Callable
from typing import Any

from treering.errors import AlreadyExistsError, NotFoundError
from treering.storage.documents import Documents
from treering.training.job import JobSpec, Status, TrainingJob

KIND = "training-jobs"


class JobRecords:
    """Reads and writes the documents of training jobs.

    Args:
        documents: of the store.
        clock: tells the time in microseconds.
    """

    def __init__(self, documents: Documents, clock: Callable[[], int]) -> None:
        self._documents, self._clock = documents, clock

    def begin(self, spec: JobSpec) -> None:
        """Write a new job down as in progress.

        Raises:
            AlreadyExistsError: for a name that was used before.
        """
        try:
            self._documents.create(KIND, spec.name, TrainingJob(spec, Status.IN_PROGRESS, created_at=self._clock()).to_json())
        except AlreadyExistsError:
            status = self.get(spec.name).status
            hint = "" if status.has_ended else f" If the process that started it is gone, training_jobs.abandon({spec.name!r}) writes it down as failed."
            raise AlreadyExistsError(f"There is a training job {spec.name!r} already ({status}); each name is used once. Choose another.{hint}") from None

    def get(self, name: str) -> TrainingJob:
        """Read a job.

        Raises:
            NotFoundError: if there is none of that name.
        """
        document = self._documents.current(KIND, name)
        if document is None:
            raise NotFoundError.among("training job", name, self._documents.names(KIND))
        return TrainingJob.from_json(document.value)

    def all(self) -> list[TrainingJob]:
        """Read every job, by name."""
        return [TrainingJob.from_json(document.value) for document in self._documents.all(KIND)]

    def stopping(self, name: str) -> TrainingJob:
        """Write down that a job was asked to stop.

        Raises:
            TrainingError: if it has ended, or was asked before.
        """
        return self._change(name, lambda job: job.moved(Status.STOPPING))

    def end(self, name: str, status: Status, **changes: Any) -> TrainingJob:
        """Write down how a job ended; one that was asked to stop has stopped, whatever its child still did."""
        ended_at = self._clock()

        def ended(job: TrainingJob) -> TrainingJob:
            if job.status is Status.STOPPING:
                return job.moved(Status.STOPPED, ended_at=ended_at)
            return job.moved(status, ended_at=ended_at, **changes)

        return self._change(name, ended)

    def _change(self, name: str, change: Callable[[TrainingJob], TrainingJob]) -> TrainingJob:
        written = self._documents.update(KIND, name, lambda value: change(TrainingJob.from_json(value)).to_json())
        return TrainingJob.from_json(written.value)
