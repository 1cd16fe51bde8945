"""Settings: frozen, and read in one place: defaults < file < environment < arguments."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from treering.errors import SettingsError

ENVIRONMENT_PREFIX = "TREERING_"
_MIB = 1024 * 1024


def _quarter_of_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (ValueError, OSError):
        return 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be tuned about a store that is open; nothing here changes an answer.

    Attributes:
        s3_endpoint: URL of an S3-compatible server; None means AWS, or what AWS's own variables name.
        s3_region: region that requests are signed for; None means what AWS's own variables name.
        memory_budget_bytes: what ingestion and lookups try to stay under; 0 means a quarter of the machine's memory.
        sort_bytes: bytes that an ingestion sorts in memory at once before it spills to a temporary file.
        run_rows: rows at which an ingestion starts another sorted run.
        row_group_rows: rows of one Parquet row group of a sorted run.
        commit_attempts: how often a commit that other writers outran is tried again.
        temporary_folder: where sorting spills; None means the system's own.
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
        if self.memory_budget_bytes == 0:
            object.__setattr__(self, "memory_budget_bytes", _quarter_of_memory())
        for name in ("memory_budget_bytes", "sort_bytes", "run_rows", "row_group_rows", "commit_attempts"):
            if getattr(self, name) < 1:
                raise SettingsError(f"Setting {name!r} is {getattr(self, name)}; it has to be at least 1.")

    @classmethod
    def load(cls, file: str | Path | None = None, environment: Mapping[str, str] | None = None, **arguments: Any) -> "Settings":
        """Read settings from a TOML file, then from TREERING_* variables, then from arguments; the later one wins.

        Args:
            file: a TOML file with a setting a line; None reads no file.
            environment: the variables to read; None means the process's own.
            **arguments: settings by name; None leaves a setting as it is.

        Raises:
            SettingsError: for an unknown setting, or a value of the wrong type.
        """
        found: dict[str, Any] = {}
        if file is not None:
            found |= _known(tomllib.loads(Path(file).read_text("utf-8")), str(file))
        variables = os.environ if environment is None else environment
        prefixed = {k[len(ENVIRONMENT_PREFIX) :].lower(): v for k, v in variables.items() if k.startswith(ENVIRONMENT_PREFIX)}
        found |= {name: _parsed(name, text) for name, text in prefixed.items() if name in _TYPES}
        found |= _known({name: value for name, value in arguments.items() if value is not None}, "the arguments")
        return replace(cls(), **found)


_TYPES: dict[str, type] = {field.name: int if field.type is int or field.type == "int" else str for field in fields(Settings)}


def _known(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name, value in values.items():
        if name not in _TYPES:
            raise SettingsError(f"Unknown setting {name!r} in {where}. Settings are: {', '.join(_TYPES)}.")
        if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
            raise SettingsError(f"Setting {name!r} in {where} is {value!r}; it has to be of type {_TYPES[name].__name__}.")
    return dict(values)


def _parsed(name: str, text: str) -> Any:
    try:
        return _TYPES[name](text)
    except ValueError:
        raise SettingsError(f"{ENVIRONMENT_PREFIX}{name.upper()} is {text!r}; it has to be a whole number.") from None
