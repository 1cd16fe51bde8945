import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.objects_contract import ObjectsContract
from treering.errors import InvalidNameError, ReadOnlyStoreError, StorageError
from treering.settings import Settings
from treering.storage.local_objects import Disk, LocalObjects
from treering.storage.roots import open_objects


class RecordingDisk(Disk):
    """Notes what was flushed, and what has changed and was not flushed yet."""

    def __init__(self) -> None:
        self.unflushed_files: set[str] = set()
        self.unflushed_folders: set[Path] = set()
        self.steps: list[str] = []

    def create(self, path: Path):
        self.steps.append("create")
        self.unflushed_files.add(str(path))
        return super().create(path)

    def fsync(self, file):
        self.steps.append("fsync")
        super().fsync(file)
        self.unflushed_files.discard(file.name if isinstance(file.name, str) else str(file.name))

    def link(self, source: Path, target: Path):
        self.steps.append("link")
        assert str(source) not in self.unflushed_files, "a name was given to bytes that a power cut can take"
        super().link(source, target)
        self.unflushed_folders.add(target.parent)

    def rename(self, source: Path, target: Path):
        self.steps.append("rename")
        assert str(source) not in self.unflushed_files, "a name was given to bytes that a power cut can take"
        super().rename(source, target)
        self.unflushed_folders.add(target.parent)

    def make_folder(self, path: Path):
        self.steps.append("make_folder")
        super().make_folder(path)
        self.unflushed_folders.add(path.parent)

    def fsync_folder(self, path: Path):
        self.steps.append("fsync_folder")
        super().fsync_folder(path)
        self.unflushed_folders.discard(path)


class TestLocalObjects(ObjectsContract):
    @pytest.fixture
    def objects(self, tmp_path: Path) -> LocalObjects:
        return LocalObjects(str(tmp_path / "store"))


def write(objects: LocalObjects, how: str) -> None:
    if how == "output":
        with objects.output("new/folder/x") as file:
            file.write(b"content")
    else:
        getattr(objects, how)("new/folder/x", b"content")


@pytest.mark.parametrize("how", ["create", "put", "output"])
def test_a_write_is_flushed_file_and_folders_before_it_returns(tmp_path: Path, how: str):
    disk = RecordingDisk()
    write(LocalObjects(str(tmp_path / "a" / "store"), disk), how)
    assert disk.unflushed_folders == disk.unflushed_files == set()
    assert disk.steps.count("make_folder") == 4
    assert disk.steps[-1] == "fsync_folder"


def test_a_folder_that_another_process_made_is_flushed_too(tmp_path: Path):
    write(LocalObjects(str(tmp_path)), "create")
    disk = RecordingDisk()
    LocalObjects(str(tmp_path), disk).create("new/folder/y", b"")
    assert disk.steps.count("fsync_folder") == 3


class FailingDisk(Disk):
    """Refuses one kind of step, as a full disk or a permission would."""

    def __init__(self, step: str, error: int) -> None:
        self.refused, self.error = step, error

    def __getattribute__(self, name: str):
        if name == object.__getattribute__(self, "__dict__").get("refused"):
            raise OSError(self.error, os.strerror(self.error))
        return object.__getattribute__(self, name)


STEPS = {"create": "link", "put": "rename", "output": "link"}


@pytest.mark.parametrize(("how", "step"), [(how, step) for how in STEPS for step in ("make_folder", "create", "fsync", STEPS[how], "fsync_folder")])
def test_a_full_disk_is_reported_and_leaves_no_half_object(tmp_path: Path, how: str, step: str):
    with pytest.raises(StorageError, match="No space left"):
        write(LocalObjects(str(tmp_path), FailingDisk(step, 28)), how)
    objects = LocalObjects(str(tmp_path))
    assert all(objects.read(key) == b"content" for key in objects.list(""))
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if name.endswith(".staging")]


@pytest.mark.parametrize("error", [13, 30])
def test_a_refused_write_names_what_was_refused(tmp_path: Path, error: int):
    objects = LocalObjects(str(tmp_path), FailingDisk("create", error))
    with pytest.raises(ReadOnlyStoreError, match=r"'a/key' in .* cannot be written"):
        objects.create("a/key", b"")


def test_a_folder_that_may_not_be_written_opens_and_reads(tmp_path: Path):
    LocalObjects(str(tmp_path)).create("a/key", b"content")
    code = (
        "import os, sys; os.setgid(65534); os.setuid(65534)\n"
        "from treering.errors import ReadOnlyStoreError\n"
        "from treering.storage.local_objects import LocalObjects\n"
        "objects = LocalObjects(sys.argv[1])\n"
        "assert objects.read('a/key') == b'content' and objects.list('') == ['a/key']\n"
        "try: objects.create('a/other', b'')\n"
        "except ReadOnlyStoreError as error: print(error)\n"
    )
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    for folder in (*list(tmp_path.parents)[:3], tmp_path, tmp_path / "a"):
        folder.chmod(0o755)
    # What only root may import is imported before the user changes.
    code = "import pyarrow, treering.storage.local_objects, treering.errors\n" + code
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "'a/other'" in done.stdout, done.stderr


def test_a_symbolic_link_does_not_lead_out(tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    objects = LocalObjects(str(tmp_path / "store"))
    objects.create("inside", b"")
    (tmp_path / "store" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "store" / "file").symlink_to(tmp_path / "outside" / "secret")
    for key in ("link/secret", "link/new", "file"):
        with pytest.raises(InvalidNameError, match="symbolic link"):
            objects.read(key)
        with pytest.raises(InvalidNameError, match="symbolic link"):
            objects.create(key, b"")
    assert objects.list("") == ["file", "inside"]


def test_a_store_behind_a_symbolic_link_has_one_address(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    through = LocalObjects(str(tmp_path / "alias"))
    through.create("a", b"x")
    assert through.root == str(tmp_path / "alias")
    assert through.uri("a") == f"file://{tmp_path}/real/a"


def test_a_root_is_written_as_a_path_or_as_a_file_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    roots = [open_objects(root, Settings()).root for root in ("x/../store/", tmp_path / "store", f"file://{tmp_path}/store")]
    assert roots == [str(tmp_path / "store")] * 3


def test_an_unknown_scheme_is_refused():
    with pytest.raises(StorageError, match=r"gs://bucket.*s3://"):
        open_objects("gs://bucket", Settings())
