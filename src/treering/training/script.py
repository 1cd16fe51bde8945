"""A training script of the user's own: which file, its hyperparameters, how its channels are written, what its output says of its metrics."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from treering.errors import InvalidDefinitionError, NotFoundError, did_you_mean

Value = str | int | float | bool

FORMATS = ("parquet", "csv")
# Names that become environment variables and command-line arguments, and a file's name.
_HYPERPARAMETER = re.compile(r"\w[\w.-]{0,255}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_]\w{0,511}", re.ASCII)
_FILE = re.compile(r"\w[\w.-]{0,99}\.py", re.ASCII)
_METRIC = re.compile(r"[\w.-]+:[\w.@-]+", re.ASCII)
_RESERVED = ("SM_", "TREERING_", "PYTHON", "LD_")


@dataclass(frozen=True, slots=True)
class Source:
    """A script's file as it was when it was named.

    Attributes:
        content: its bytes, which are the ones that run.
        path: where it lay; it imports its neighbours from there.
    """

    content: bytes = field(repr=False)
    path: Path


@dataclass(frozen=True, slots=True, repr=False)
class Script:
    """How to train with a script of one's own, in SageMaker's script mode.

    Attributes:
        file: the script's file name.
        sha256: of its bytes.
        hyperparameters: reach it as command-line arguments and in SM_HPS and SM_HP_<NAME>.
        channel_format: "parquet" or "csv" (with a header): how each split is written for it.
        metrics: a regular expression by metric; the first group of its last match in the output is the value.
        environment: further variables. They are kept in the job: no place for secrets.
        source: the file; None where a job's document names the script, which is nothing that could be run.
    """

    name: ClassVar[str] = "Script"

    file: str
    sha256: str
    hyperparameters: Mapping[str, Value]
    channel_format: str
    metrics: Mapping[str, str]
    environment: Mapping[str, str]
    source: Source | None = field(compare=False)

    def __init__(
        self,
        path: str | Path,
        *,
        hyperparameters: Mapping[str, Value] | None = None,
        channel_format: str = "parquet",
        metrics: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        r"""Read the script and check what it is told.

        The script runs in a process of its own, in a folder of its own, and may do whatever you may do. It finds the rows of
        each split in the folders SM_CHANNEL_TRAIN, SM_CHANNEL_VALIDATION and SM_CHANNEL_TEST: the features, as the recipe
        makes them, the target, and the weight, in label order. They lie in the store's `temporary_folder` meanwhile. What it leaves in SM_MODEL_DIR becomes the model's archive.
        TREERING_STORE and TREERING_TRAINING_SET name the store and the set, for `treering.Store(...)`.

        Args:
            path: of a Python file.
            hyperparameters: text, numbers and booleans; `{"max-depth": 4}` is given as `--max-depth 4`, `{"c": 4}` as `-c 4`.
            channel_format: "parquet" or "csv".
            metrics: such as `{"validation:auc": r"validation auc: ([\d.]+)"}`; a metric's name begins with a split and a colon.
            environment: further variables, kept in the job.

        Raises:
            NotFoundError: if there is no such file, with the nearest name.
            InvalidDefinitionError: for names and values that cannot be handed over.
        """
        source = _read(Path(path))
        self._set(
            file=_checked_file(Path(path).name),
            sha256=hashlib.sha256(source.content).hexdigest(),
            hyperparameters={_hyperparameter(name): _value(name, value) for name, value in (hyperparameters or {}).items()},
            channel_format=_channel_format(channel_format),
            metrics={name: _expression(name, text) for name, text in (metrics or {}).items()},
            environment={_variable(name): _text(name, value) for name, value in (environment or {}).items()},
            source=source,
        )

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, MappingProxyType(value) if isinstance(value, dict) else value)

    @property
    def arguments(self) -> list[str]:
        """The command-line arguments that say the hyperparameters."""
        return arguments_of(self.hyperparameters)

    def to_json(self) -> dict[str, Any]:
        """Write the trainer for a job's document; the script itself is named by its digest."""
        mappings = {name: dict(getattr(self, name)) for name in ("hyperparameters", "metrics", "environment")}
        return {"is": self.name, "file": self.file, "sha256": self.sha256, "channel_format": self.channel_format, **mappings}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Script":
        """Read a trainer that a job's document holds; it has no source, and cannot be started."""
        script = object.__new__(cls)
        script._set(**{name: content for name, content in value.items() if name != "is"}, source=None)
        return script

    def __repr__(self) -> str:
        told = {"hyperparameters": dict(self.hyperparameters), "channel_format": self.channel_format, "metrics": dict(self.metrics)}
        shown = "".join(f", {name}={value!r}" for name, value in told.items() if value not in ({}, "parquet"))
        return f"Script({self.file!r}{shown})"


def arguments_of(hyperparameters: Mapping[str, Value]) -> list[str]:
    """Write hyperparameters as SageMaker's training toolkit does: by name, a dash before a letter, two before a word.

    >>> arguments_of({"max-depth": 6, "e": 0.1})
    ['-e', '0.1', '--max-depth', '6']

    Args:
        hyperparameters: values by name.
    """
    return [word for name, value in sorted(hyperparameters.items()) for word in (f"--{name}" if len(name) > 1 else f"-{name}", str(value))]


class MetricReader:
    """Finds metrics in a script's output, line by line.

    Args:
        metrics: a regular expression by metric, which is named `split:metric`.
    """

    def __init__(self, metrics: Mapping[str, str]) -> None:
        self._expressions = {name: re.compile(text) for name, text in metrics.items()}
        self._found: dict[str, list[float]] = {}

    def read(self, line: str) -> None:
        """Note each metric that a line tells; what is no number is passed over."""
        for name, expression in self._expressions.items():
            for match in expression.finditer(line):
                try:
                    self._found.setdefault(name, []).append(float(match[1]))
                except (ValueError, TypeError):
                    continue

    @property
    def metrics(self) -> dict[str, dict[str, float | None]]:
        """The last value of each metric, by split; None where it is not finite."""
        return {split: {metric: values[-1] if math.isfinite(values[-1]) else None for metric, values in found.items()} for split, found in self.history.items()}

    @property
    def history(self) -> dict[str, dict[str, tuple[float, ...]]]:
        """Every value of each metric, by split."""
        history: dict[str, dict[str, tuple[float, ...]]] = {}
        for name, values in self._found.items():
            split, _, metric = name.partition(":")
            if values:
                history.setdefault(split, {})[metric] = tuple(values)
        return history


def _read(path: Path) -> Source:
    if not path.is_file():
        raise NotFoundError(f"There is no script {str(path)!r}. {did_you_mean(path.name, _scripts_in(path.parent))}")
    return Source(path.read_bytes(), path.absolute())


def _scripts_in(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.glob("*.py"))


def _checked_file(file: str) -> str:
    if _FILE.fullmatch(file) is None:
        raise InvalidDefinitionError(f"{file!r} cannot be run as a training script: it takes a Python file, named with letters, digits, '.', '_' and '-'.")
    return file


def _hyperparameter(name: str) -> str:
    if not isinstance(name, str) or _HYPERPARAMETER.fullmatch(name) is None:
        raise InvalidDefinitionError(f"{name!r} cannot name a hyperparameter: use letters, digits, '.', '_' and '-', and no '-' at the beginning.")
    return name


def _value(name: str, value: object) -> Value:
    # NumPy's numbers say what they are through `item`.
    value = getattr(value, "item", lambda: value)()
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, str) and "\0" in value):
        raise InvalidDefinitionError(f"Hyperparameter {name!r} is {value!r}; it has to be text, a finite number or a boolean.")
    return value


def _channel_format(channel_format: str) -> str:
    if channel_format not in FORMATS:
        raise InvalidDefinitionError(f"Channels cannot be written as {channel_format!r}. {did_you_mean(str(channel_format), FORMATS)}")
    return channel_format


def _expression(name: str, text: str) -> str:
    if _METRIC.fullmatch(name) is None:
        raise InvalidDefinitionError(f"{name!r} cannot name a metric. Begin with a split and a colon, such as 'validation:auc'.")
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise InvalidDefinitionError(f"The metric {name!r} has {text!r}, which is no regular expression: {error}.") from error
    if not groups:
        raise InvalidDefinitionError(f"The metric {name!r} has {text!r}, which lacks a group for the value. Put one in brackets, such as 'auc: ([0-9.]+)'.")
    return text


def _variable(name: str) -> str:
    if _VARIABLE.fullmatch(name) is None or name.startswith(_RESERVED):
        raise InvalidDefinitionError(
            f"The environment variable {name!r} cannot be given: {', '.join(_RESERVED)} are reserved, other names take letters, digits and '_'."
        )
    return name


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise InvalidDefinitionError(f"The environment variable {name!r} is {value!r}; it has to be text.")
    return value
