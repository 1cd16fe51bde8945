"""Runs a user's script in SageMaker's script mode: its environment, its output, the model that it leaves."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treering.errors import TrainingError
from treering.training.resources import death_text, out_of_memory_kills, own_peak_memory
from treering.training.script import MetricReader, Script

_HOST = "algo-1"
_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"[\w.]+(: .*)?")
# What a script started may hold its output open after its end; so long we listen to it.
_LISTENED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where a script finds its input and leaves its output, laid out below one folder as SageMaker lays out /opt/ml."""

    root: Path

    @property
    def code(self) -> Path:
        """The script, which runs here."""
        return self.root / "code"

    @property
    def data(self) -> Path:
        """The channels."""
        return self.root / "input" / "data"

    @property
    def config(self) -> Path:
        """What SageMaker's own files say of the job."""
        return self.root / "input" / "config"

    @property
    def model(self) -> Path:
        """What stands here at the end becomes the model."""
        return self.root / "model"

    @property
    def output(self) -> Path:
        """The script's word on its failure, in the file `failure`; what else it leaves is in `data`."""
        return self.root / "output"

    def lay_out(self) -> None:
        """Make the folders that are not there yet."""
        for folder in (self.code, self.data, self.config, self.model, self.output / "data", self.root / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """One run of a script.

    Attributes:
        job: the job's name.
        places: laid out, with the script in its place.
        channels: the folder of each channel.
        imports: the folder that the script came from.
        treering: variables that name the store and the training set, and its settings.
    """

    job: str
    script: Script
    places: Places
    channels: Mapping[str, Path]
    imports: str
    treering: Mapping[str, str]

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Say what the script's environment is.

        The variables are those of SageMaker's training toolkit: SM_MODEL_DIR, SM_CHANNEL_<NAME>, SM_HPS, SM_HP_<NAME>, SM_TRAINING_ENV
        and the others; values that are no text are JSON.
        """
        told = {f"SM_{name.upper()}": value if isinstance(value, str) else json.dumps(value, sort_keys=True) for name, value in self._told().items()}
        path = os.pathsep.join([self.imports, *filter(None, [inherited.get("PYTHONPATH")])])
        own = {"PYTHONPATH": path, "TMPDIR": str(self.places.root / "tmp"), "TRAINING_JOB_NAME": self.job}
        return {**inherited, **self.script.environment, **self.treering, **own, **told}

    def _told(self) -> dict[str, Any]:
        training = self._training()
        said = {name: training[name] for name in _TOLD_ALONE}
        said |= {f"channel_{channel}": str(folder) for channel, folder in self.channels.items()}
        said |= {f"hp_{name}": value for name, value in self.script.hyperparameters.items()}
        args = self.script.arguments
        return said | {"channels": sorted(self.channels), "hps": training["hyperparameters"], "user_args": args, "training_env": training}

    def _training(self) -> dict[str, Any]:
        places = self.places
        return {
            "job_name": self.job,
            "model_dir": str(places.model),
            "output_dir": str(places.output),
            "output_data_dir": str(places.output / "data"),
            "input_dir": str(places.root / "input"),
            "input_config_dir": str(places.config),
            "module_dir": str(places.code),
            "module_name": self.script.file.removesuffix(".py"),
            "user_entry_point": self.script.file,
            "channel_input_dirs": {channel: str(folder) for channel, folder in self.channels.items()},
            "hyperparameters": dict(self.script.hyperparameters),
            "current_host": _HOST,
            "hosts": [_HOST],
            "master_hostname": _HOST,
            "is_master": True,
            "log_level": 20,
            "network_interface_name": "lo",
            "num_cpus": _processors(),
            "num_gpus": len([*Path("/dev").glob("nvidia[0-9]*")]),
            "resource_config": {"current_host": _HOST, "hosts": [_HOST]},
            "input_data_config": {channel: {"TrainingInputMode": "File"} for channel in self.channels},
        }

    def write_config(self) -> None:
        """Write the files that SageMaker leaves in SM_INPUT_CONFIG_DIR; the values of hyperparameters are text there."""
        training = self._training()
        files = {
            "hyperparameters": {name: str(value) for name, value in self.script.hyperparameters.items()},
            "inputdataconfig": training["input_data_config"],
            "resourceconfig": training["resource_config"],
        }
        for name, content in files.items():
            (self.places.config / f"{name}.json").write_text(json.dumps(content), "utf-8")

    def run(self) -> MetricReader:
        """Run the script to its end and pass on what it prints.

        Returns:
            The metrics that its output told.

        Raises:
            TrainingError: if it fails, with the last line of its traceback, or what it wrote into SM_OUTPUT_DIR/failure.
        """
        kills = out_of_memory_kills()
        process = subprocess.Popen(  # noqa: S603  # Running it is what the user asked for; arguments are a list, and no shell reads them.
            [sys.executable, str(self.places.code / self.script.file), *self.script.arguments],
            cwd=self.places.code,
            env=self.environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        listener = _Listener(process, MetricReader(self.script.metrics))
        reading = threading.Thread(target=listener.listen, daemon=True)
        reading.start()
        exit_code = process.wait()
        reading.join(_LISTENED_SECONDS)
        if exit_code < 0:
            raise TrainingError(death_text(self.script.file, -exit_code, own_peak_memory(), kills=out_of_memory_kills() - kills))
        if exit_code > 0:
            raise TrainingError(f"{self._failure() or listener.reason or 'It said nothing'} ({self.script.file} ended with exit code {exit_code})")
        return listener.metrics

    def _failure(self) -> str:
        try:
            return (self.places.output / "failure").read_text("utf-8", "replace").strip()
        except OSError:
            return ""

    def model_files(self) -> dict[str, bytes]:
        """Read what the script left as its model.

        Raises:
            TrainingError: if it left nothing, or what cannot be kept.
        """
        files = files_in(self.places.model)
        if not files:
            raise TrainingError(f"{self.script.file} ended well and left nothing in SM_MODEL_DIR. Save the model there: os.environ['SM_MODEL_DIR'].")
        return files


_TOLD_ALONE = (
    "model_dir",
    "output_dir",
    "output_data_dir",
    "input_dir",
    "input_config_dir",
    "module_dir",
    "module_name",
    "user_entry_point",
    "current_host",
    "hosts",
    "log_level",
    "network_interface_name",
    "num_cpus",
    "num_gpus",
    "resource_config",
    "input_data_config",
)


class _Listener:
    """Passes a script's output on, reads its metrics, and remembers the line that says why it failed."""

    def __init__(self, process: "subprocess.Popen[bytes]", metrics: MetricReader) -> None:
        self._process, self.metrics = process, metrics
        self._last, self._exception, self._in_traceback = "", "", False

    @property
    def reason(self) -> str:
        """The last line of the last traceback; without one, the last line that says anything."""
        return self._exception or self._last

    def listen(self) -> None:
        """Read to the end of the output."""
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            self._note(raw.decode("utf-8", "replace").rstrip("\r\n"))
            sys.stdout.buffer.write(raw)
            sys.stdout.buffer.flush()

    def _note(self, line: str) -> None:
        self.metrics.read(line)
        if line.strip():
            self._last = line.strip()
        if line == _TRACEBACK:
            self._in_traceback = True
        elif self._in_traceback and _EXCEPTION.fullmatch(line):
            self._in_traceback, self._exception = False, line


def files_in(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, by relative name.

    Raises:
        TrainingError: for a symbolic link, or what is no file.
    """
    files: dict[str, bytes] = {}
    for path in _walked(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            raise TrainingError(f"The script left {name!r}, which is no plain file. Copy the file itself there.")
        files[name] = path.read_bytes()
    return files


def _walked(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())


def _processors() -> int:
    # A process may be held to fewer than the machine has; macOS does not tell.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
