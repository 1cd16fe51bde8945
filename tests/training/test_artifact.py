import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from treering.errors import ArtifactError
from treering.training.artifact import CHECKSUMS, MODEL, open_artifact, pack, write_artifact

PAPERS = {"parameters": {"eta": 0.3}, "receipt": {"id": "abc"}, "recipe": None, "schema": {"features": ["wind"]}}


def packed(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    unzipped = io.BytesIO()
    with tarfile.open(fileobj=unzipped, mode="w") as archive:
        for name, content in members:
            header = tarfile.TarInfo(name) if isinstance(name, str) else name
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return gzip.compress(unzipped.getvalue())


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, target
    return header


def test_an_archive_gives_back_what_was_put_in() -> None:
    artifact = open_artifact(write_artifact(b"trees", PAPERS))
    assert (artifact.model, artifact.parameters, artifact.receipt, artifact.recipe) == (b"trees", {"eta": 0.3}, {"id": "abc"}, None)


def test_equal_content_is_equal_bytes() -> None:
    shuffled = dict(reversed(PAPERS.items()))
    assert write_artifact(b"trees", PAPERS) == write_artifact(b"trees", shuffled)


def test_members_name_no_user_and_no_time() -> None:
    with tarfile.open(fileobj=io.BytesIO(write_artifact(b"trees", PAPERS))) as archive:
        assert {(m.mode, m.mtime, m.uid, m.gid, m.uname, m.gname) for m in archive} == {(0o644, 0, 0, 0, "", "")}


def test_the_root_holds_the_model_and_nothing_else() -> None:
    with tarfile.open(fileobj=io.BytesIO(write_artifact(b"trees", PAPERS))) as archive:
        names = archive.getnames()
    assert [name for name in names if "/" not in name] == [MODEL]
    assert {name.partition("/")[0] for name in names} == {MODEL, "treering"}


def test_other_bytes_than_the_recorded_ones_are_refused() -> None:
    archive = write_artifact(b"trees", PAPERS)
    assert open_artifact(archive, hashlib.sha256(archive).hexdigest()).model == b"trees"
    with pytest.raises(ArtifactError, match="was recorded"):
        open_artifact(write_artifact(b"other trees", PAPERS), hashlib.sha256(archive).hexdigest())


@pytest.mark.parametrize(
    "name",
    ["../evil", "treering/../../evil", "/etc/evil", "C:evil", "a\\..\\evil", ".hidden", "treering//evil", "treering/./evil", "ev\nil", "a" * 201, "éclair"],
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ArtifactError, match="name that could lead out"):
        open_artifact(packed((name, b"")))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE]
)
def test_a_member_that_is_no_plain_file_is_refused(kind: bytes) -> None:
    with pytest.raises(ArtifactError):
        open_artifact(packed((special("treering", kind, "/etc/passwd"), b"")))


@pytest.mark.parametrize("second", [MODEL, MODEL.upper()])
def test_two_members_of_one_name_are_refused(second: str) -> None:
    with pytest.raises(ArtifactError, match="twice"):
        open_artifact(packed((MODEL, b"trees"), (second, b"other trees")))


def test_too_many_members_are_refused() -> None:
    with pytest.raises(ArtifactError, match="more than 1,000"):
        open_artifact(packed(*((f"member-{number}", b"") for number in range(1_001))))
    with pytest.raises(ArtifactError, match="1,001 files are too many"):
        pack({f"member-{number}": b"" for number in range(1_001)})


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(ArtifactError, match="unpacks to more than"):
        open_artifact(gzip.compress(bytes(64 * 1024**2)))


@pytest.mark.parametrize("kept", [0, 1, 20, 200, -9, -1])
def test_an_archive_that_is_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(ArtifactError):
        open_artifact(write_artifact(b"trees" * 1_000, PAPERS)[:kept])


def test_every_cut_of_the_tar_inside_is_noticed() -> None:
    unzipped = gzip.decompress(write_artifact(b"trees" * 300, PAPERS))
    end = len(unzipped.rstrip(b"\0"))
    for kept in range(0, end + 512, 256):
        with pytest.raises(ArtifactError):
            open_artifact(gzip.compress(unzipped[:kept]))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(ArtifactError, match="after its end"):
        open_artifact(write_artifact(b"trees", PAPERS) + b"more")


def test_no_flipped_bit_changes_what_is_read() -> None:
    archive = write_artifact(b"trees", PAPERS)
    whole, refused = replace(open_artifact(archive), sha256=""), 0
    for position in range(len(archive)):
        broken = bytearray(archive)
        broken[position] ^= 0x10
        try:
            # gzip's time and the padding of its last byte are under no checksum, and say nothing.
            assert replace(open_artifact(bytes(broken)), sha256="") == whole
        except ArtifactError:
            refused += 1
    assert refused > len(archive) - 12


def repacked(**changed: bytes | None) -> bytes:
    """The archive with members replaced, added or (None) left out, by the last part of their names."""
    with tarfile.open(fileobj=io.BytesIO(write_artifact(b"trees", PAPERS))) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    by_part = {name.rpartition("/")[2].partition(".")[0].replace("-", "_"): name for name in members}
    for part, content in changed.items():
        members[by_part.get(part, f"treering/{part}.json")] = content  # type: ignore[assignment]
    return packed(*((name, content) for name, content in members.items() if content is not None))


@pytest.mark.parametrize(
    "changed",
    [{"xgboost_model": b"evil trees"}, {"recipe": b"{}"}, {"added": b"{}"}, {"schema": None}, {"checksums": None}, {"xgboost_model": None}],
)
def test_a_member_that_was_changed_added_or_taken_is_noticed(changed: dict[str, bytes | None]) -> None:
    with pytest.raises(ArtifactError):
        open_artifact(repacked(**changed))


def test_a_paper_that_is_no_json_is_refused() -> None:
    members = {MODEL: b"trees", "treering/parameters.json": b"{"}
    checksums = json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in members.items()})
    with pytest.raises(ArtifactError, match="is no JSON"):
        open_artifact(packed(*members.items(), (CHECKSUMS, checksums.encode())))


@pytest.mark.parametrize("archive", [b"", b"not gzip", gzip.compress(b"", mtime=0), gzip.compress(b"not a tar", mtime=0), gzip.compress(b"x" * 2_000, mtime=0)])
def test_what_is_no_archive_is_refused(archive: bytes) -> None:
    with pytest.raises(ArtifactError):
        open_artifact(archive)


def test_files_of_a_script_are_given_back_by_name() -> None:
    files = {"weights/layer-1.bin": b"1", "_meta.txt": b"2", "model.json": b"{}"}
    artifact = open_artifact(write_artifact(files, PAPERS))
    assert (artifact.files, artifact.model, artifact.parameters) == (files, None, {"eta": 0.3})


def test_files_are_extracted_to_an_empty_folder_and_nowhere_else(tmp_path: Path) -> None:
    artifact = open_artifact(write_artifact({"weights/layer-1.bin": b"1", "model.json": b"{}"}, PAPERS))
    paths = artifact.extract(tmp_path / "new" / "folder")
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == {"new/folder/weights/layer-1.bin", "new/folder/model.json"}
    assert (tmp_path / "new/folder/weights/layer-1.bin").read_bytes() == b"1"
    with pytest.raises(ArtifactError, match="is not empty"):
        artifact.extract(tmp_path / "new" / "folder")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", ".hidden", "my model", "treering/receipt.json", "Treering/x", "a" * 201])
def test_a_file_that_nobody_could_unpack_is_not_packed(name: str) -> None:
    with pytest.raises(ArtifactError):
        write_artifact({name: b""}, PAPERS)


def test_an_archive_of_papers_alone_is_no_model() -> None:
    with pytest.raises(ArtifactError, match="lacks a model"):
        open_artifact(write_artifact({}, PAPERS))
