"""The model archive: SageMaker's `model.tar.gz` with a receipt inside, written to the same bytes and read with suspicion.

The root of an XGBoost model's archive holds `xgboost-model` and nothing else, because SageMaker's XGBoost server loads every
file at the root as a model; a script's holds what the script left. What the model was made from stands in the folder `treering/`.
No name, clock, thread count or metric goes inside: the same training set, recipe and parameters give the same bytes.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from treering.errors import ArtifactError

MODEL = "xgboost-model"
FOLDER = "treering"
CHECKSUMS = f"{FOLDER}/checksums.json"
_PAPERS = ("parameters", "receipt", "recipe", "schema")

MAXIMUM_MEMBERS = 1_000
MAXIMUM_BYTES = 4 * 1024**3
MAXIMUM_RATIO = 200
# Archives smaller than this are read whatever their ratio: a small model of few distinct values packs very well.
_UNSUSPICIOUS_BYTES = 16 * 1024**2
_CHUNK = 1024 * 1024

# Plain relative names: no leading or doubled slash, no part that begins with a dot, no backslash, colon or control character.
_SAFE_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model archive whose every byte matched its checksums.

    Attributes:
        files: what the trainer left, by name: `xgboost-model`, or whatever a script wrote.
        parameters: the trainer, as it was told.
        receipt: of the training set.
        recipe: the fitted recipe; None where there was none.
        schema: names and types of the model's features, the columns it needs, the target.
        sha256: of the archive.
    """

    files: Mapping[str, bytes]
    parameters: dict[str, Any]
    receipt: dict[str, Any]
    recipe: dict[str, Any] | None
    schema: dict[str, Any]
    sha256: str

    @property
    def model(self) -> bytes | None:
        """The booster, as XGBoost's UBJSON; None where a script left another kind of model."""
        return self.files.get(MODEL)

    def extract(self, folder: str | Path) -> list[Path]:
        """Write the trainer's files to a folder, and nothing outside of it.

        Args:
            folder: a new or an empty one.

        Returns:
            The files' paths.

        Raises:
            ArtifactError: if something is in the folder already.
        """
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise ArtifactError(f"{root} is not empty. Name a new folder: nothing there is written over.")
        paths = {root / name: content for name, content in self.files.items()}
        for path, content in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return list(paths)


def write_artifact(model: bytes | Mapping[str, bytes], papers: Mapping[str, Any]) -> bytes:
    """Pack a model and its papers to bytes that depend on nothing else.

    Args:
        model: the booster, as XGBoost's UBJSON; or files by name.
        papers: what JSON takes, under "parameters", "receipt", "recipe" and "schema".

    Raises:
        ArtifactError: for a file's name that nobody could safely unpack.
    """
    files = {MODEL: model} if isinstance(model, bytes) else dict(model)
    for name in files:
        if name.partition("/")[0].lower() == FOLDER:
            raise ArtifactError(f"A model's file cannot be called {name!r}: the folder {FOLDER!r} is for its papers. Rename it.")
    members = files | {f"{FOLDER}/{name}.json": _json(papers[name]) for name in _PAPERS}
    members[CHECKSUMS] = _json({name: hashlib.sha256(content).hexdigest() for name, content in members.items()})
    return pack(members)


def pack(members: Mapping[str, bytes]) -> bytes:
    """Pack files to a `tar.gz` whose bytes depend on nothing else.

    Args:
        members: contents by relative name.

    Raises:
        ArtifactError: for a name that nobody could safely unpack, and for too many files.
    """
    for name in members:
        if not _is_safe(name):
            raise ArtifactError(f"{name[:_LONGEST_NAME]!r} cannot go into an archive: use letters, digits, '.', '_' and '-', and no dot at the beginning.")
    if len(members) > MAXIMUM_MEMBERS:
        raise ArtifactError(f"{len(members):,} files are too many for one archive, which holds {MAXIMUM_MEMBERS:,}. Put them together into fewer.")
    packed = io.BytesIO()
    # GzipFile would write the clock and a file name into its header.
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(members):
            archive.addfile(_header(name, len(members[name])), io.BytesIO(members[name]))
    return packed.getvalue()


def _is_safe(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and _SAFE_NAME.fullmatch(name) is not None


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o644, 0
    header.uid = header.gid = 0
    header.uname = header.gname = ""
    return header


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode()


def open_artifact(archive: bytes, expected_sha256: str | None = None) -> Artifact:
    """Read a model archive; nothing in it is loaded before all of it is checked, and nothing is written to disk.

    Args:
        archive: the bytes of a `model.tar.gz`.
        expected_sha256: what a job's document says of them.

    Raises:
        ArtifactError: for bytes that are not the ones expected, are cut short, or do not match their checksums, and
            for a member that is no plain file with a plain relative name.
    """
    sha256 = hashlib.sha256(archive).hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256:
        raise ArtifactError(f"The model archive has SHA-256 {sha256}, and {expected_sha256} was recorded for it. Restore the file, or train again.")
    members = _members(_unzipped(archive))
    _verify(members)
    papers = {name: _parsed(members, f"{FOLDER}/{name}.json") for name in _PAPERS}
    files = {name: content for name, content in members.items() if not name.startswith(f"{FOLDER}/")}
    return Artifact(files=files, sha256=sha256, **papers)


def _unzipped(archive: bytes) -> bytes:
    allowed = min(MAXIMUM_BYTES, max(_UNSUSPICIOUS_BYTES, len(archive) * MAXIMUM_RATIO))
    # wbits 31: one gzip member, header and trailer checked.
    stream = zlib.decompressobj(wbits=31)
    unzipped, rest = bytearray(), archive
    try:
        while rest and not stream.eof:
            unzipped += stream.decompress(rest, _CHUNK)
            rest = stream.unconsumed_tail
            if len(unzipped) > allowed:
                raise ArtifactError(f"The model archive unpacks to more than {allowed:,} bytes from {len(archive):,}, which no model does. It was not opened.")
    except zlib.error as error:
        raise ArtifactError(f"The model archive is no gzip file, or a damaged one ({error}).") from error
    if not stream.eof or stream.unused_data:
        raise ArtifactError(f"The model archive {'has bytes after its end' if stream.eof else 'is cut short'}. Copy it again from where it was made.")
    return bytes(unzipped)


def _members(unzipped: bytes) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    folded: set[str] = set()
    end = 0
    for header in _headers(unzipped):
        _check_member(header, folded)
        folded.add(header.name.lower())
        end = header.offset_data + header.size
        members[header.name] = unzipped[header.offset_data : end]
    # tarfile takes a cut for the end, so we look for the two empty blocks that close every archive.
    if len(unzipped) < end + 2 * tarfile.BLOCKSIZE or any(unzipped[end:]):
        raise ArtifactError("The model archive's tar is cut short, or damaged. Copy it again from where it was made.")
    return members


def _headers(unzipped: bytes) -> list[tarfile.TarInfo]:
    try:
        with tarfile.open(fileobj=io.BytesIO(unzipped), mode="r:") as archive:
            return list(islice(archive, MAXIMUM_MEMBERS + 1))
    except (tarfile.TarError, ValueError) as error:
        raise ArtifactError(f"The model archive holds no readable tar ({error}).") from error


def _check_member(member: tarfile.TarInfo, earlier: Set[str]) -> None:
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse() or member.size < 0:
        raise ArtifactError(f"The model archive's member {member.name!r} is not a plain file. It was not opened.")
    if not _is_safe(member.name):
        raise ArtifactError(f"The model archive's member {member.name[:_LONGEST_NAME]!r} has a name that could lead out of a folder. It was not opened.")
    if member.name.lower() in earlier:
        raise ArtifactError(f"The model archive holds {member.name!r} twice. It was not opened.")
    if len(earlier) == MAXIMUM_MEMBERS:
        raise ArtifactError(f"The model archive holds more than {MAXIMUM_MEMBERS:,} members. It was not opened.")


def _verify(members: Mapping[str, bytes]) -> None:
    if CHECKSUMS not in members or all(name.startswith(f"{FOLDER}/") for name in members):
        raise ArtifactError(f"The model archive lacks a model or {CHECKSUMS}: it was not written by treering.")
    recorded = _parsed(members, CHECKSUMS)
    found = {name: hashlib.sha256(content).hexdigest() for name, content in members.items() if name != CHECKSUMS}
    if recorded != found:
        differing = sorted(name for name in {*recorded, *found} if recorded.get(name) != found.get(name))
        raise ArtifactError(f"The model archive's checksums do not fit {', '.join(differing)}. Copy it again from where it was made.")


def _parsed(members: Mapping[str, bytes], name: str) -> Any:
    if name not in members:
        raise ArtifactError(f"The model archive lacks {name}: it was not written by treering, or by a newer one.")
    try:
        return json.loads(members[name])
    except ValueError as error:
        raise ArtifactError(f"The model archive's {name} is no JSON ({error}).") from error
