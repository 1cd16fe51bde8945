"""The models of a store: what its training jobs left, and archives from elsewhere, loaded by name or address."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering.errors import NotFoundError, ObjectNotFoundError
from treering.schema.times import time_text
from treering.storage.objects import Objects
from treering.storage.roots import open_objects
from treering.storage.shelf import Shelf
from treering.training.artifact import Artifact, open_artifact
from treering.training.job import TrainingJob
from treering.training.runner import TrainingJobs
from treering.training_sets.catalogue import find

if TYPE_CHECKING:
    from treering.models.model import LookUp, StoredModel
    from treering.models.report import Report

_SECOND = 1_000_000


class Models:
    """`store.models`: a mapping from the names of training jobs to the models they made. Going through it gives the names.

    Args:
        shelf: the store's.
        jobs: the store's training jobs.
        look_up: answers lookups from the store's groups.
    """

    def __init__(self, shelf: Shelf, jobs: TrainingJobs, look_up: "LookUp") -> None:
        self._shelf, self._jobs, self._look_up = shelf, jobs, look_up

    def load(self, what: str | os.PathLike[str], functions: Mapping[str, Any] | None = None) -> "StoredModel":
        """Load a model, every byte of whose archive is checked first.

        Args:
            what: a training job's name, or where a `model.tar.gz` is: a path below the store's root, an absolute path,
                `file://...` or `s3://...`.
            functions: your own functions by name, where the recipe has steps made by `tr.step`.

        Raises:
            NotFoundError: if there is no such job or archive.
            TrainingError: if the job has no model.
            ArtifactError: if the archive was damaged or changed, or treering did not write it.
            MissingExtraError: if XGBoost is not installed.
        """
        from treering.models.model import StoredModel

        name = os.fspath(what)
        return StoredModel.of(name, self._artifact(name), self._look_up, functions)

    def _artifact(self, name: str) -> Artifact:
        if "/" not in name:
            return self._jobs.artifact(name)
        objects, key = self._place(name)
        try:
            return open_artifact(objects.read(key))
        except ObjectNotFoundError:
            raise NotFoundError(f"There is no model archive at {objects.uri(key)}. Give a training job's name, or the address of its model.tar.gz.") from None

    def _place(self, address: str) -> tuple[Objects, str]:
        folder, _, file = address.rpartition("/")
        if "://" in address:
            return open_objects(folder, self._shelf.settings), file
        if address.startswith(("/", "~")):
            return open_objects(Path(folder or "/").expanduser(), self._shelf.settings), file
        return self._shelf.objects, address

    def report(self, name: str, functions: Mapping[str, Any] | None = None) -> "Report":
        """Describe a model on one page: how good it is, what it relies on, what it was made from.

        The page is kept in the store as well, unless one may not write there.

        Args:
            name: the training job's.
            functions: as for `load`.

        Raises:
            NotFoundError: if there is no such job.
            TrainingError: if the job has no model.
            MissingExtraError: if jinja2, scikit-learn or XGBoost is not installed.
        """
        from treering.models.findings import gather
        from treering.models.report import keep, render

        job = self._jobs.get(name)
        training_set = find(self._shelf.documents, self._shelf.objects, job.spec.training_set.name, job.spec.training_set.version)
        findings = gather(job, self.load(name, functions), training_set, self._jobs.history(name))
        return keep(render(findings), self._shelf.objects)

    def __getitem__(self, name: str) -> "StoredModel":
        """Load the model of a training job.

        Raises:
            NotFoundError: if there is no such job.
            TrainingError: if the job has no model.
        """
        return self.load(name)

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.list())

    def names(self) -> Sequence[str]:
        """List the names of the jobs that have a model."""
        return [job.name for job in self.list()]

    def list(self) -> Sequence[TrainingJob]:
        """List the jobs that have a model, by name; no archive is opened."""
        return sorted((job for job in self._jobs.list() if job.artifact is not None), key=lambda job: job.name)

    def __repr__(self) -> str:
        jobs = self.list()
        lines = [_line(job) for job in jobs]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        table = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([f"{len(jobs)} model{'s' * (len(jobs) != 1)}", *(f"  {line}" for line in table)])


def _line(job: TrainingJob) -> tuple[str, ...]:
    trained_on = job.spec.training_set
    when = "" if job.ended_at is None else time_text(job.ended_at // _SECOND * _SECOND)
    return (job.name, job.spec.trainer.name, f"{trained_on.name} version {trained_on.version}", job.score, when)
