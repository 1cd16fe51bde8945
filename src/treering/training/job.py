"""A training job: what was asked for, what became of it, and which status may follow which."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from treering.errors import InvalidNameError, TrainingError
from treering.training.parameters import XGBoost
from treering.training_sets.training_set import TrainingSet

# Amazon SageMaker API reference, CreateTrainingJob: TrainingJobName, 1 to 63 characters.
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
# DescribeTrainingJob: FailureReason.
MAXIMUM_REASON = 1024


class Status(StrEnum):
    """Where a job stands, in SageMaker's words."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def has_ended(self) -> bool:
        """Whether nothing follows."""
        return not MOVES[self]


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.IN_PROGRESS: frozenset({Status.STOPPING, Status.COMPLETED, Status.FAILED}),
    Status.STOPPING: frozenset({Status.STOPPED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.STOPPED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """The training set of a job.

    Attributes:
        id: SHA-256 of what the set was made from and what it holds.
    """

    name: str
    version: int
    id: str

    @classmethod
    def of(cls, training_set: TrainingSet) -> "TrainedOn":
        """Name a training set."""
        return cls(training_set.name, training_set.version, training_set.id)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a job is asked to do.

    Attributes:
        name: by SageMaker's rule for training jobs: 1 to 63 letters, digits and inner hyphens.
        recipe: the recipe's JSON, not yet fitted; None for none.
        drop_null_targets: whether rows without a target are left out.
    """

    name: str
    training_set: TrainedOn
    trainer: XGBoost
    recipe: Mapping[str, Any] | None = None
    drop_null_targets: bool = False

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise InvalidNameError(f"{self.name!r} cannot name a training job: a name has 1 to 63 letters, digits and hyphens, and no hyphen at an end.")

    @property
    def folder(self) -> str:
        """Where the job's files are, below the store's root."""
        return f"training-jobs/{self.name}"

    @property
    def artifact_key(self) -> str:
        """Where the model's archive is."""
        return f"{self.folder}/output/model.tar.gz"

    @property
    def result_key(self) -> str:
        """Where the child leaves what it measured."""
        return f"{self.folder}/result.json"

    @property
    def logs_key(self) -> str:
        """Where the child's output is kept."""
        return f"{self.folder}/logs.txt"

    def to_json(self) -> dict[str, Any]:
        """Write the spec for the job's document and for the child."""
        return {
            "name": self.name,
            "training_set": asdict(self.training_set),
            "trainer": self.trainer.to_json(),
            "recipe": None if self.recipe is None else dict(self.recipe),
            "drop_null_targets": self.drop_null_targets,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "JobSpec":
        """Read what `to_json` wrote."""
        trained_on, trainer = TrainedOn(**value["training_set"]), XGBoost.from_json(value["trainer"])
        return cls(value["name"], trained_on, trainer, value["recipe"], value["drop_null_targets"])


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """A model archive in the store.

    Attributes:
        key: below the store's root.
        sha256: of its bytes.
    """

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, repr=False)
class TrainingJob:
    """One job as its document has it.

    Attributes:
        spec: what was asked for.
        created_at, ended_at: microseconds since the epoch, UTC; `ended_at` is None until it has ended.
        failure_reason: why it failed; empty unless it did.
        metrics: values by metric by split, of the model that was kept; None where a metric has no value.
        rounds: how many rounds the model has.
        artifact: the model's archive; only a completed job has one.
    """

    spec: JobSpec
    status: Status
    created_at: int
    ended_at: int | None = None
    failure_reason: str = ""
    metrics: Mapping[str, Mapping[str, float | None]] | None = None
    rounds: int | None = None
    artifact: StoredArtifact | None = None

    @property
    def name(self) -> str:
        """The job's name."""
        return self.spec.name

    def moved(self, status: Status, **changes: Any) -> "TrainingJob":
        """Return the job with the status that follows.

        Raises:
            TrainingError: for a status that may not follow.
        """
        if status not in MOVES[self.status]:
            raise TrainingError(f"Training job {self.name!r} is {self.status}; it cannot become {status}.")
        return replace(self, status=status, **changes)

    def to_json(self) -> dict[str, Any]:
        """Write the job's document."""
        return {
            "spec": self.spec.to_json(),
            "status": str(self.status),
            "created_at": self.created_at,
            "ended_at": self.ended_at,
            "failure_reason": self.failure_reason,
            "metrics": self.metrics,
            "rounds": self.rounds,
            "artifact": None if self.artifact is None else asdict(self.artifact),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TrainingJob":
        """Read a job's document."""
        artifact = None if value["artifact"] is None else StoredArtifact(**value["artifact"])
        made = {"spec": JobSpec.from_json(value["spec"]), "status": Status(value["status"]), "artifact": artifact}
        return cls(**{**value, **made})

    def __repr__(self) -> str:
        used = self.spec.training_set
        lines = [f"TrainingJob {self.name!r}: {self.status}", f"  training set  {used.name} version {used.version}", f"  trainer       {self.spec.trainer!r}"]
        lines += [f"  {split:<12}  {_values(values)}" for split, values in (self.metrics or {}).items()]
        lines += [f"  artifact      {self.artifact.key}, sha256 {self.artifact.sha256}"] if self.artifact else []
        lines += [f"  failed        {self.failure_reason}"] if self.failure_reason else []
        return "\n".join(lines)


def _values(values: Mapping[str, float | None]) -> str:
    return "  ".join(f"{metric} {'-' if value is None else format(value, '.5f')}" for metric, value in values.items())
