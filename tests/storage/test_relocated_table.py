import shutil
from pathlib import Path

import pytest
from pyiceberg.table import StaticTable

from support.tables import FOLDER, SCHEMA, append, constantly
from support.ticking import Ticking
from treering.errors import CorruptDataError, RelocatedTableError
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import OfflineTable
from treering.storage.roots import open_objects

ORIGINAL_RUNS = 80


@pytest.fixture
def original(tmp_path: Path) -> Objects:
    objects = open_objects(tmp_path / "original", Settings())
    table = OfflineTable.create(objects, FOLDER, SCHEMA, clock=Ticking())
    for number in range(ORIGINAL_RUNS):
        append(objects, table, f"a{number:02d}", rows=2)
    return objects


@pytest.fixture
def moved(original: Objects, tmp_path: Path) -> Objects:
    shutil.move(original.root, tmp_path / "moved")
    return open_objects(tmp_path / "moved", Settings())


def opened(objects: Objects, **options) -> OfflineTable:
    return OfflineTable(objects, FOLDER, clock=Ticking(), **options)


def independent_rows(objects: Objects) -> int:
    version = opened(objects).snapshot().version
    return StaticTable.from_metadata(objects.uri(f"{FOLDER}/metadata/v{version}.metadata.json")).scan().to_arrow().num_rows


def test_a_moved_table_reads_as_before(moved: Objects):
    table = opened(moved)
    with pytest.raises(RelocatedTableError):
        table.check_writable()
    assert [run.commit for run in table.snapshot().runs] == list(range(1, ORIGINAL_RUNS + 1))
    assert len(table.commits()) == ORIGINAL_RUNS
    assert all(moved.size(f"{FOLDER}/{run.path}") == run.bytes for run in table.snapshot().runs)


def test_a_moved_table_refuses_to_change_and_says_what_to_do(moved: Objects):
    with pytest.raises(RelocatedTableError, match=r"original.*relocate"):
        opened(moved).append("i", constantly())
    with pytest.raises(RelocatedTableError):
        opened(moved).evolve(SCHEMA)
    assert opened(moved).snapshot().commit == ORIGINAL_RUNS


def test_a_copy_never_reads_or_changes_the_original(original: Objects, tmp_path: Path):
    shutil.copytree(original.root, tmp_path / "copy")
    copy = open_objects(tmp_path / "copy", Settings())
    opened(copy).relocate()
    append(copy, opened(copy), "only in the copy")
    append(original, opened(original), "only in the original")
    assert [run.path for run in opened(copy).snapshot().runs][-1] == "data/only in the copy.parquet"
    assert [run.path for run in opened(original).snapshot().runs][-1] == "data/only in the original.parquet"
    assert original.root not in "".join(copy.read(key).decode("latin-1") for key in newest_files(copy))


def newest_files(objects: Objects) -> list[str]:
    """The current metadata, its manifest list and its manifests, as an independent reader finds them."""
    newest = f"{FOLDER}/metadata/v{opened(objects).snapshot().version}.metadata.json"
    table = StaticTable.from_metadata(objects.uri(newest))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    paths = [snapshot.manifest_list, *[manifest.manifest_path for manifest in snapshot.manifests(table.io)]]
    return [newest, *[path.removeprefix(objects.uri("") + "/") for path in paths]]


def test_a_relocated_table_is_at_home(moved: Objects):
    opened(moved).relocate()
    table = opened(moved)
    table.check_writable()
    assert [run.commit for run in table.snapshot().runs] == list(range(1, ORIGINAL_RUNS + 1))
    assert append(moved, table, "after", rows=3) == ORIGINAL_RUNS + 1
    assert [commit.number for commit in table.commits()] == list(range(1, ORIGINAL_RUNS + 2))
    assert independent_rows(moved) == 2 * ORIGINAL_RUNS + 3


def test_relocating_announces_the_commits_that_leave(moved: Objects):
    folded = []
    opened(moved, on_fold=folded.extend).relocate()
    assert [commit.number for commit in folded][-1] == ORIGINAL_RUNS - 1
    assert opened(moved).append(f"a{ORIGINAL_RUNS - 1}", constantly()).number == ORIGINAL_RUNS


def test_relocating_a_table_that_is_at_home_does_nothing(original: Objects):
    before = opened(original).snapshot()
    opened(original).relocate()
    assert opened(original).snapshot() == before


def test_an_empty_table_relocates_too(tmp_path: Path):
    OfflineTable.create(open_objects(tmp_path / "a", Settings()), FOLDER, SCHEMA, clock=Ticking())
    shutil.move(tmp_path / "a", tmp_path / "b")
    moved = open_objects(tmp_path / "b", Settings())
    opened(moved).relocate()
    assert append(moved, opened(moved), "first") == 1


@pytest.mark.s3
def test_a_folder_moves_to_s3_and_lives_on(original: Objects, s3_root: str):
    bucket = open_objects(s3_root, Settings())
    for key in original.list(""):
        bucket.create(key, original.read(key))
    opened(bucket).relocate()
    assert append(bucket, opened(bucket), "after") == ORIGINAL_RUNS + 1
    assert len(opened(bucket).snapshot().runs) == ORIGINAL_RUNS + 1


def test_metadata_that_point_outside_the_table_are_refused(original: Objects):
    newest = f"{FOLDER}/metadata/v{ORIGINAL_RUNS + 1}.metadata.json"
    text = original.read(newest).decode()
    original.put(newest, text.replace(f"{original.uri(FOLDER)}/metadata/snap-", "file:///etc/snap-").encode())
    with pytest.raises(CorruptDataError, match="outside"):
        opened(original).snapshot()
