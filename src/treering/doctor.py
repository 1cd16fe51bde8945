"""What could keep a store from working, looked at one thing after another: versions, credentials, endpoint, conditional create, clock."""

import json
import platform
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any

from treering.clock import system_clock
from treering.errors import ObjectNotFoundError, OutcomeUnknownError, ReadOnlyStoreError, StorageError
from treering.schema.times import MICROSECONDS_PER_SECOND, duration_text
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.roots import open_objects

_MARKER = "treering.json"
# S3 tells times in whole seconds, and signatures stop working at 15 minutes.
_TOLERATED_SKEW_SECONDS = 5
# Each package of an extra with the others that may stand for it.
_EXTRAS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {"train": (("xgboost-cpu", "xgboost"), ("scikit-learn",), ("jinja2",)), "sql": (("duckdb",),), "polars": (("polars",),)}
)
_BASE = ("pyarrow", "pandas", "numpy", "pyiceberg", "obstore", "botocore")


class Verdict(StrEnum):
    """How one thing was found to be."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: in a word or two.
        verdict: whether it is as it should be.
        found: what was seen.
        advice: what to do; empty where nothing has to be done.
    """

    what: str
    verdict: Verdict
    found: str
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        """Turn the finding into what `json.dumps` takes."""
        return asdict(self)


def examine(root: str, settings: Settings | None = None, clock: Callable[[], int] = system_clock) -> list[Finding]:
    """Look at everything that a store at this place needs; the only thing written is a small object, which is removed again; a folder that was not there stays, empty.

    Args:
        root: a folder, or `s3://bucket/prefix`; there need not be a store yet.
        settings: how a bucket is reached; None reads TREERING_* variables.
        clock: tells the time in microseconds since 1970 UTC.
    """
    return [*_versions(), *_place(root, settings or Settings.load(), clock)]


def _versions() -> Iterator[Finding]:
    yield Finding("treering", Verdict.GOOD, f"{version('treering')} on Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    yield Finding("libraries", Verdict.GOOD, ", ".join(f"{name} {version(name)}" for name in _BASE))
    for extra, packages in _EXTRAS.items():
        installed = [next((f"{name} {found}" for name in names if (found := _installed(name))), None) for names in packages]
        missing = [names[0] for names, found in zip(packages, installed, strict=True) if found is None]
        if missing:
            yield Finding(f"extra {extra!r}", Verdict.NOTE, f"not installed: {', '.join(missing)}", f"If you need it: pip install 'treering[{extra}]'")
        else:
            yield Finding(f"extra {extra!r}", Verdict.GOOD, ", ".join(filter(None, installed)))


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _place(root: str, settings: Settings, clock: Callable[[], int]) -> Iterator[Finding]:
    try:
        objects = open_objects(root, settings)
        yield Finding("address", Verdict.GOOD, objects.access())
        store = _store(objects)
    except StorageError as error:
        yield Finding("storage", Verdict.BAD, str(error), "Mend this first; the rest could not be looked at.")
        return
    yield store
    yield from _writing(objects, clock)


def _store(objects: Objects) -> Finding:
    try:
        marker = json.loads(objects.read(_MARKER))
        return Finding("store", Verdict.GOOD, f"format {marker['format']}, created {marker['created_at']}")
    except ObjectNotFoundError:
        return Finding("store", Verdict.NOTE, f"there is none at {objects.root} yet", "`treering init` makes one.")
    except (ValueError, KeyError, TypeError):
        return Finding("store", Verdict.BAD, f"{objects.uri(_MARKER)} is not the JSON that treering wrote", "Restore it from a backup.")


def _writing(objects: Objects, clock: Callable[[], int]) -> Iterator[Finding]:
    """Write a small object twice: the second time has to be refused, and the storage's clock tells when the first was."""
    key = f"doctor-{secrets.token_hex(8)}"
    try:
        first, second = objects.create(key, b"first"), objects.create(key, b"second")
        if first and not second:
            yield Finding("conditional create", Verdict.GOOD, "what stands is never written over")
        else:
            found = "an object that stood there was written over" if second else "an object that nobody else writes could not be created"
            yield Finding("conditional create", Verdict.BAD, found, "Commits are not safe here. Use a folder, or an S3 service with conditional writes.")
        yield _clock(objects.written_at(key), clock())
    except ReadOnlyStoreError as error:
        yield Finding("writing", Verdict.NOTE, str(error), "Reading works without it: tr.Store(root, read_only=True).")
    except (StorageError, OutcomeUnknownError) as error:
        yield Finding("writing", Verdict.BAD, str(error), "Check the disk, or the bucket and its permissions.")
    finally:
        # What cannot be written cannot be removed either, and was said above.
        with suppress(ReadOnlyStoreError, StorageError, OutcomeUnknownError):
            objects.delete([key])


def _clock(theirs: int | None, ours: int) -> Finding:
    skew = 0 if theirs is None else theirs - ours
    if abs(skew) <= _TOLERATED_SKEW_SECONDS * MICROSECONDS_PER_SECOND:
        return Finding("clock", Verdict.GOOD, "agrees with the storage's")
    side = "behind" if skew > 0 else "ahead of"
    found = f"this machine's clock is {duration_text(round(abs(skew) / MICROSECONDS_PER_SECOND) * MICROSECONDS_PER_SECOND)} {side} the storage's"
    return Finding("clock", Verdict.BAD, found, "Set it by NTP: records would be known at wrong times, and S3 refuses requests that are 15 minutes off.")
