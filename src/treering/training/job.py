"""A training job: what was asked for, what became of it, and which status may follow which."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from treering.errors import InvalidDefinitionError, InvalidNameError, TrainingError
from treering.training.parameters import XGBoost
from treering.training.resources import ResourceUse
from treering.training.script import Script
from treering.training_sets.training_set import TrainingSet

# Amazon SageMaker API reference, CreateTrainingJob: TrainingJobName, 1 to 63 characters.
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
# DescribeTrainingJob: FailureReason.
MAXIMUM_REASON = 1024
_SECOND = 1_000_000

Trainer = XGBoost | Script
"""How a job trains."""

_TRAINERS = {XGBoost.name: XGBoost.from_json, Script.name: Script.from_json}


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
        return self not in (Status.IN_PROGRESS, Status.STOPPING)


class SecondaryStatus(StrEnum):
    """What a job does, or how it ended, in SageMaker's words (DescribeTrainingJob: SecondaryStatus)."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"

    @property
    def primary(self) -> Status:
        """The status that it is part of."""
        return _PRIMARY[self]


_PRIMARY: Mapping[SecondaryStatus, Status] = {
    SecondaryStatus.STARTING: Status.IN_PROGRESS,
    SecondaryStatus.DOWNLOADING: Status.IN_PROGRESS,
    SecondaryStatus.TRAINING: Status.IN_PROGRESS,
    SecondaryStatus.UPLOADING: Status.IN_PROGRESS,
    SecondaryStatus.STOPPING: Status.STOPPING,
    SecondaryStatus.COMPLETED: Status.COMPLETED,
    SecondaryStatus.FAILED: Status.FAILED,
    SecondaryStatus.STOPPED: Status.STOPPED,
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: Status.STOPPED,
}

_AT_ANY_TIME = frozenset({SecondaryStatus.STOPPING, SecondaryStatus.COMPLETED, SecondaryStatus.FAILED})
# A phase may be passed over: one that could not be written down is no reason to fail.
MOVES: Mapping[SecondaryStatus, frozenset[SecondaryStatus]] = {
    SecondaryStatus.STARTING: _AT_ANY_TIME | {SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING, SecondaryStatus.UPLOADING},
    SecondaryStatus.DOWNLOADING: _AT_ANY_TIME | {SecondaryStatus.TRAINING, SecondaryStatus.UPLOADING},
    SecondaryStatus.TRAINING: _AT_ANY_TIME | {SecondaryStatus.UPLOADING},
    SecondaryStatus.UPLOADING: _AT_ANY_TIME,
    SecondaryStatus.STOPPING: frozenset({SecondaryStatus.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED}),
    SecondaryStatus.COMPLETED: frozenset(),
    SecondaryStatus.FAILED: frozenset(),
    SecondaryStatus.STOPPED: frozenset(),
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A secondary status and how long it held.

    Attributes:
        started_at, ended_at: microseconds since the epoch, UTC; `ended_at` is None while it holds.
        message: for people.
    """

    status: SecondaryStatus
    started_at: int
    ended_at: int | None = None
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the transition for the job's document."""
        return asdict(self) | {"status": str(self.status)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Transition":
        """Read what `to_json` wrote."""
        return cls(**{**value, "status": SecondaryStatus(value["status"])})


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
        maximum_runtime_seconds: after how long the job is stopped; None for never.
    """

    name: str
    training_set: TrainedOn
    trainer: Trainer
    recipe: Mapping[str, Any] | None = None
    drop_null_targets: bool = False
    maximum_runtime_seconds: float | None = None

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise InvalidNameError(f"{self.name!r} cannot name a training job: a name has 1 to 63 letters, digits and hyphens, and no hyphen at an end.")
        limit = self.maximum_runtime_seconds
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf):
            raise InvalidDefinitionError(f"maximum_runtime_seconds is {limit!r}; give a number of seconds above 0, or None for no limit.")

    @property
    def folder(self) -> str:
        """Where the job's files are, below the store's root."""
        return f"training-jobs/{self.name}"

    @property
    def artifact_key(self) -> str:
        """Where the model's archive is; it is the job's model only if the job's document says so."""
        return f"{self.folder}/output/model.tar.gz"

    @property
    def output_key(self) -> str:
        """Where an archive of what else a script left is."""
        return f"{self.folder}/output/output.tar.gz"

    @property
    def result_key(self) -> str:
        """Where the child leaves what it measured."""
        return f"{self.folder}/result.json"

    @property
    def source_folder(self) -> str:
        """Where the script that ran is kept."""
        return f"{self.folder}/source"

    @property
    def logs_folder(self) -> str:
        """Where the pieces of the child's output are."""
        return f"{self.folder}/logs"

    def to_json(self) -> dict[str, Any]:
        """Write the spec for the job's document and for the child."""
        return {
            "name": self.name,
            "training_set": asdict(self.training_set),
            "trainer": self.trainer.to_json(),
            "recipe": None if self.recipe is None else dict(self.recipe),
            "drop_null_targets": self.drop_null_targets,
            "maximum_runtime_seconds": self.maximum_runtime_seconds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "JobSpec":
        """Read what `to_json` wrote."""
        trainer = value["trainer"]
        made = {"training_set": TrainedOn(**value["training_set"]), "trainer": _TRAINERS[trainer["is"]](trainer)}
        return cls(**{**value, **made})


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
        transitions: the secondary statuses it went through, oldest first; the last one holds.
        failure_reason: why it failed; empty unless it did.
        metrics: values by metric by split, of the model that was kept; None where a metric has no value.
        rounds: how many rounds the model has; None where rounds are not what it is made of.
        artifact: the model's archive. A job that failed has none; one that was stopped has one if its child still left a whole model.
        resources: what the child used; None until it has ended.
    """

    spec: JobSpec
    transitions: tuple[Transition, ...]
    failure_reason: str = ""
    metrics: Mapping[str, Mapping[str, float | None]] | None = None
    rounds: int | None = None
    artifact: StoredArtifact | None = None
    resources: ResourceUse | None = None

    @classmethod
    def begun(cls, spec: JobSpec, at: int) -> "TrainingJob":
        """Make a job that starts."""
        return cls(spec, (Transition(SecondaryStatus.STARTING, at, message="Starting the child process"),))

    @property
    def name(self) -> str:
        """The job's name."""
        return self.spec.name

    @property
    def secondary_status(self) -> SecondaryStatus:
        """What the job does now, or how it ended."""
        return self.transitions[-1].status

    @property
    def status(self) -> Status:
        """Where the job stands."""
        return self.secondary_status.primary

    @property
    def created_at(self) -> int:
        """When it began, in microseconds since the epoch, UTC."""
        return self.transitions[0].started_at

    @property
    def ended_at(self) -> int | None:
        """When it ended, in microseconds since the epoch, UTC; None until it has."""
        return self.transitions[-1].ended_at

    @property
    def score(self) -> str:
        """The metrics of the split that says most of how the model will do, in a few words; empty without metrics."""
        measured = self.metrics or {}
        split = next((name for name in ("test", "validation", "train") if name in measured), "")
        return ", ".join(f"{split} {metric} {value:.4g}" for metric, value in measured.get(split, {}).items() if value is not None)

    def moved(self, to: SecondaryStatus, at: int, message: str = "", **changes: Any) -> "TrainingJob":
        """Return the job with the secondary status that follows.

        Raises:
            TrainingError: for one that may not follow.
        """
        if to not in MOVES[self.secondary_status]:
            raise TrainingError(f"Training job {self.name!r} is {self.secondary_status}; it cannot become {to}.")
        held, reached = replace(self.transitions[-1], ended_at=at), Transition(to, at, None if MOVES[to] else at, message)
        return replace(self, transitions=(*self.transitions[:-1], held, reached), **changes)

    def to_json(self) -> dict[str, Any]:
        """Write the job's document; what follows from the transitions stands there too, for other readers."""
        return {
            "spec": self.spec.to_json(),
            "status": str(self.status),
            "secondary_status": str(self.secondary_status),
            "created_at": self.created_at,
            "ended_at": self.ended_at,
            "transitions": [transition.to_json() for transition in self.transitions],
            "failure_reason": self.failure_reason,
            "metrics": self.metrics,
            "rounds": self.rounds,
            "artifact": None if self.artifact is None else asdict(self.artifact),
            "resources": None if self.resources is None else asdict(self.resources),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TrainingJob":
        """Read a job's document."""
        return cls(
            spec=JobSpec.from_json(value["spec"]),
            transitions=tuple(Transition.from_json(one) for one in value["transitions"]),
            failure_reason=value["failure_reason"],
            metrics=value["metrics"],
            rounds=value["rounds"],
            artifact=None if value["artifact"] is None else StoredArtifact(**value["artifact"]),
            resources=None if value["resources"] is None else ResourceUse(**value["resources"]),
        )

    def __repr__(self) -> str:
        used = self.spec.training_set
        lines = [f"TrainingJob {self.name!r}: {self.status}", f"  training set  {used.name} version {used.version}", f"  trainer       {self.spec.trainer!r}"]
        lines += [f"  {split:<12}  {_values(values)}" for split, values in (self.metrics or {}).items()]
        lines += [f"  phases        {self._phases()}"]
        lines += [f"  used          {self.resources}"] if self.resources else []
        lines += [f"  artifact      {self.artifact.key}, sha256 {self.artifact.sha256}"] if self.artifact else []
        lines += [f"  failed        {self.failure_reason}"] if self.failure_reason else []
        lines += [f"  ended as      {self.secondary_status}: {self.transitions[-1].message}"] if self.status is Status.STOPPED else []
        return "\n".join(lines)

    def _phases(self) -> str:
        """How long each phase took; the end takes no time, and is left out."""
        phases = [one for one in self.transitions if MOVES[one.status]]
        return ", ".join(str(one.status) if one.ended_at is None else f"{one.status} {(one.ended_at - one.started_at) / _SECOND:,.1f} s" for one in phases)


def _values(values: Mapping[str, float | None]) -> str:
    return "  ".join(f"{metric} {'-' if value is None else format(value, '.5f')}" for metric, value in values.items())
