"""Settings: frozen, and read in one place: defaults < file < environment < arguments."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from treering.errors import SettingsError, did_you_mean

ENVIRONMENT_PREFIX = "TREERING_"
NO_SETTINGS = frozenset({"TREERING_STORE", "TREERING_TRAINING_SET"})
"""Variables that name something to work on: the command line reads the first, a training script is given both."""
_MIB = 1024 * 1024
# Where Linux tells a container how much memory it may use: a number of bytes, or "max".
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


def usable_memory(limit_file: Path = _MEMORY_LIMIT) -> int:
    """Tell how many bytes of memory this process may use: the machine's, or less where a container is given less."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        machine = 4096 * _MIB
    try:
        return min(machine, int(limit_file.read_text("ascii")))
    except (ValueError, OSError):
        return machine


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be tuned about a store that is open; nothing here changes an answer.

    Attributes:
        s3_endpoint: URL of an S3-compatible server; None means AWS, or what AWS's own variables name.
        s3_region: region that requests are signed for; None means what AWS's own variables name.
        memory_budget_bytes: memory that one ingestion, or one reading of a group in order, plans with: a sort takes an
            eighth of it at once. It is also the limit of a SQL query. Lookups and training are not held to it. 0 means a
            quarter of the memory that the process may use.
        sort_bytes: the most bytes that a sort takes at once before it spills to a temporary file.
        run_rows: rows at which an ingestion starts another sorted run.
        row_group_rows: rows of one Parquet row group of a sorted run.
        commit_attempts: how often a commit that other writers outran is tried again.
        temporary_folder: where sorting spills, SQL keeps its tables, and uploads and logs wait; a folder that exists; None means the system's own.
    """

    s3_endpoint: str | None = None
    s3_region: str | None = None
    memory_budget_bytes: int = 0
    sort_bytes: int = 128 * _MIB
    run_rows: int = 8_000_000
    row_group_rows: int = 131_072
    commit_attempts: int = 64
    temporary_folder: str | None = None

    def __post_init__(self) -> None:
        for name, type in _TYPES.items():
            value = getattr(self, name)
            is_unset = value is None and type is str
            if not is_unset and (not isinstance(value, type) or isinstance(value, bool)):
                raise SettingsError(f"Setting {name!r} is {value!r}; it has to be of type {type.__name__}.")
        if self.memory_budget_bytes == 0:
            object.__setattr__(self, "memory_budget_bytes", max(usable_memory() // 4, 1))
        for name, type in _TYPES.items():
            if type is int and getattr(self, name) < 1:
                raise SettingsError(f"Setting {name!r} is {getattr(self, name)}; it has to be at least 1.")
        if self.temporary_folder is not None and not Path(self.temporary_folder).is_dir():
            raise SettingsError(f"Setting 'temporary_folder' is {self.temporary_folder!r}, which is no folder. Create it, or name another.")

    @classmethod
    def load(cls, file: str | Path | None = None, environment: Mapping[str, str] | None = None, **arguments: Any) -> "Settings":
        """Read settings from a TOML file, then from TREERING_* variables, then from arguments; the later one wins.

        Args:
            file: a TOML file with a setting a line; None reads no file.
            environment: the variables to read, of which an empty one counts as unset; None means the process's own.
            **arguments: settings by name; None leaves a setting as it is.

        Raises:
            SettingsError: for a file that cannot be read, an unknown setting, and a value that cannot be used.
        """
        found: dict[str, Any] = {}
        if file is not None:
            found |= _known(_in_file(Path(file)), str(file))
        found |= _in_environment(os.environ if environment is None else environment)
        found |= _known({name: value for name, value in arguments.items() if value is not None}, "the arguments")
        return cls(**found)

    @property
    def chunk_bytes(self) -> int:
        """How many bytes one sort may take at once."""
        return max(min(self.sort_bytes, self.memory_budget_bytes // 8), 1)


_TYPES: dict[str, type] = {field.name: int if field.type is int or field.type == "int" else str for field in fields(Settings)}


def _in_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}. Name one that exists, or none.") from error
    except ValueError as error:
        raise SettingsError(f"The settings file {file} is no TOML: {error}. Write a setting a line, such as run_rows = 1000000.") from error


def _known(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in values:
        if name not in _TYPES:
            raise SettingsError(f"Unknown setting {name!r} in {where}. {did_you_mean(name, _TYPES)}")
    return dict(values)


def _in_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    settings = {f"{ENVIRONMENT_PREFIX}{name.upper()}": name for name in _TYPES}
    found = {}
    for variable, text in variables.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or not text or variable in NO_SETTINGS:
            continue
        if variable not in settings:
            raise SettingsError(f"Unknown setting {variable} in the environment. {did_you_mean(variable, settings)}")
        try:
            found[settings[variable]] = _TYPES[settings[variable]](text)
        except ValueError:
            raise SettingsError(f"{variable} is {text!r}; it has to be a whole number.") from None
    return found
