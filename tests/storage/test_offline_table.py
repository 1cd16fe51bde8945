import itertools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from support.faults import Fault, FaultyObjects
from support.tables import FOLDER, SCHEMA, append, constantly
from support.ticking import Ticking
from treering.errors import (
    AlreadyExistsError,
    CommitConflictError,
    CorruptDataError,
    NotFoundError,
    OutcomeUnknownError,
    SchemaMismatchError,
)
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import NewRun, OfflineTable
from treering.storage.roots import open_objects
from treering.storage.snapshot import Commit

METADATA = f"{FOLDER}/metadata"


@pytest.fixture
def objects(any_root: str) -> Objects:
    return open_objects(any_root, Settings())


@pytest.fixture
def folder(tmp_path: Path) -> Objects:
    """Objects in a folder, for what does not depend on the storage."""
    return open_objects(tmp_path / "store", Settings())


def created(objects: Objects) -> OfflineTable:
    return OfflineTable.create(objects, FOLDER, SCHEMA, clock=Ticking())


def opened(objects: Objects, **options) -> OfflineTable:
    return OfflineTable(objects, FOLDER, **{"clock": Ticking(), "pause": lambda seconds: None} | options)


def run(name: str) -> NewRun:
    """A run that is committed but never read."""
    return NewRun(f"data/{name}.parquet", 1, 100, {"id": (name, name)}, {"id": 0})


def test_a_new_table_is_empty(objects: Objects):
    snapshot = created(objects).snapshot()
    assert (snapshot.version, snapshot.commit, snapshot.runs, snapshot.columns) == (1, 0, (), ("id", "time", "amount", "vector"))


def test_a_table_is_created_once(objects: Objects):
    created(objects)
    with pytest.raises(AlreadyExistsError, match=FOLDER):
        created(objects)


def test_a_table_that_is_not_there_is_not_found(objects: Objects):
    with pytest.raises(NotFoundError, match=FOLDER):
        opened(objects).snapshot()


def test_what_was_appended_is_in_every_later_snapshot(objects: Objects):
    table = created(objects)
    before = table.snapshot()
    commit = table.append("first", constantly(run("a"), run("b")), summary={"source": "orders.csv"})
    assert (commit.number, commit.ingestion, commit.rows, commit.summary) == (1, "first", 2, {"source": "orders.csv"})
    assert before.runs == ()
    for reader in (table, opened(objects)):
        snapshot = reader.snapshot()
        assert [(one.path, one.rows, one.bytes, one.commit) for one in snapshot.runs] == [("data/a.parquet", 1, 100, 1), ("data/b.parquet", 1, 100, 1)]


def test_statistics_come_back_as_they_were_given(folder: Objects):
    table = created(folder)
    bounds = {"id": ("a", "ü"), "time": (-5, 1_700_000_000_000_000), "amount": (-1.5, float("inf"))}
    table.append("i", constantly(NewRun("data/a.parquet", 7, 1, bounds, {"id": 0, "amount": 3})))
    (stored,) = opened(folder).snapshot().runs
    assert (stored.bounds, stored.nulls) == (bounds, {"id": 0, "amount": 3})


def test_unknown_statistics_stay_unknown(folder: Objects):
    table = created(folder)
    table.append("i", constantly(NewRun("data/a.parquet", 7, 1, {"amount": (float("nan"), 1.0), "id": (None, None)})))
    assert opened(folder).snapshot().runs[0].bounds == {}


@pytest.mark.parametrize("last", ["z", "\U0010ffff", "\ud7ff"])
def test_long_text_has_bounds_that_still_hold_it(folder: Objects, last: str):
    low, high = "a" * 100, "x" * 63 + last * 100
    created(folder).append("i", constantly(NewRun("data/a.parquet", 1, 1, {"id": (low, high)})))
    lowest, highest = opened(folder).snapshot().runs[0].bounds["id"]
    assert lowest <= low
    assert high <= highest
    assert max(len(lowest), len(highest)) <= 64


def test_text_without_a_following_text_has_no_upper_bound(folder: Objects):
    created(folder).append("i", constantly(NewRun("data/a.parquet", 1, 1, {"id": ("a", "\U0010ffff" * 100)})))
    assert opened(folder).snapshot().runs[0].bounds == {}


def test_an_append_without_runs_is_a_commit(objects: Objects):
    table = created(objects)
    table.append("empty", constantly())
    append(objects, table, "a")
    table.append("empty again", constantly())
    snapshot = opened(objects).snapshot()
    assert (snapshot.commit, len(snapshot.runs)) == (3, 1)
    assert [commit.rows for commit in table.commits()] == [0, 1, 0]


def test_the_same_ingestion_lands_once(objects: Objects):
    table = created(objects)
    first = table.append("token", constantly(run("a")))
    again = opened(objects).append("token", constantly(run("b")))
    assert again == first
    assert len(table.snapshot().runs) == 1


def test_the_same_ingestion_in_a_race_lands_once(folder: Objects):
    created(folder)
    one, other = opened(folder), opened(folder)

    def other_comes_first(snapshot):
        other.append("token", constantly(run("b")))
        return [run("a")]

    assert one.append("token", other_comes_first).number == 1
    assert [stored.path for stored in opened(folder).snapshot().runs] == ["data/b.parquet"]


def test_runs_are_asked_for_on_every_base_that_is_tried(folder: Objects):
    created(folder)
    one, other = opened(folder), opened(folder)
    seen = []

    def runs(snapshot):
        seen.append(snapshot.commit)
        if len(seen) < 3:
            other.append(f"other-{len(seen)}", constantly(run(f"o{len(seen)}")))
        return [run(f"after-{snapshot.commit}")]

    assert one.append("mine", runs).number == 3
    assert seen == [0, 1, 2]
    assert [stored.path for stored in one.snapshot().runs] == ["data/o1.parquet", "data/o2.parquet", "data/after-2.parquet"]


def test_a_writer_that_is_always_outrun_gives_up_and_leaves_nothing(folder: Objects):
    created(folder)
    other, number = opened(folder), itertools.count()

    def outrun(snapshot):
        other.append(f"other-{next(number)}", constantly())
        return [run("mine")]

    with pytest.raises(CommitConflictError, match="5 times"):
        opened(folder, commit_attempts=5).append("mine", outrun)
    assert other.snapshot().runs == ()


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("create", range(1, 8))
def test_a_lost_answer_at_any_write_neither_loses_nor_doubles_an_append(objects: Objects, fault: Fault, create: int):
    created(objects)
    faulty = FaultyObjects(objects, {create: fault})
    table = opened(faulty)
    for name in ("a", "b"):
        table.append(name, constantly(run(name)))
    assert faulty.creates >= 6
    assert [stored.path for stored in opened(objects).snapshot().runs] == ["data/a.parquet", "data/b.parquet"]
    assert [commit.ingestion for commit in opened(objects).commits()] == ["a", "b"]


@pytest.mark.parametrize("fault", Fault)
def test_a_lost_answer_at_creation_still_creates(objects: Objects, fault: Fault):
    OfflineTable.create(FaultyObjects(objects, {1: fault}), FOLDER, SCHEMA, clock=Ticking())
    assert opened(objects).snapshot().commit == 0


def test_an_append_that_the_storage_never_answers_can_be_repeated(folder: Objects):
    created(folder)
    silent = FaultyObjects(folder, dict.fromkeys(range(3, 50), Fault.LOST))
    with pytest.raises(OutcomeUnknownError, match=r"Repeat|repeat"):
        opened(silent).append("token", constantly(run("a")))
    opened(folder).append("token", constantly(run("a")))
    assert len(opened(folder).snapshot().runs) == 1


def test_a_snapshot_is_not_read_again_where_nothing_changed(folder: Objects):
    table = created(folder)
    append(folder, table, "a")
    assert table.snapshot() is table.snapshot()


def test_commit_times_rise_even_if_the_clock_falls(folder: Objects):
    clock = Ticking(step=-1_000_000)
    OfflineTable.create(folder, FOLDER, SCHEMA, clock=clock)
    table = opened(folder, clock=clock)
    for number in range(5):
        table.append(str(number), constantly())
    times = [commit.committed_at for commit in table.commits()]
    assert times == sorted(set(times))


def test_as_of_a_time_is_the_last_commit_at_or_before_it(folder: Objects):
    table = created(folder)
    for number in range(100):
        table.append(str(number), constantly())
    for commit in table.commits():
        assert table.commit_at(commit.committed_at) == commit.number
        assert table.commit_at(commit.committed_at - 1) == commit.number - 1
    assert table.commit_at(2**60) == 100


def test_commits_that_leave_the_metadata_stay_in_the_history(folder: Objects):
    folded: list[Commit] = []
    created(folder)
    table = opened(folder, on_fold=folded.extend)
    for number in range(200):
        table.append(f"i{number}", constantly(run(str(number))), summary={"n": str(number)})
    assert [(commit.number, commit.ingestion, commit.summary["n"]) for commit in opened(folder).commits()] == [
        (number + 1, f"i{number}", str(number)) for number in range(200)
    ]
    assert folded == table.commits()[: len(folded)]
    assert len(folded) == 160
    assert [stored.commit for stored in opened(folder).snapshot().runs] == list(range(1, 201))


def test_commits_are_announced_before_they_leave_the_metadata(folder: Objects):
    created(folder)
    quiet = opened(folder)
    for number in range(63):
        quiet.append(f"i{number}", constantly())

    def refuse(commits):
        assert [commit.ingestion for commit in commits] == [f"i{number}" for number in range(32)]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(folder, on_fold=refuse).append("one too many", constantly())
    assert quiet.snapshot().commit == 63
    assert quiet.append("i0", constantly()).number == 1


def test_columns_are_added_at_the_end_with_ids_of_their_own(objects: Objects):
    table = created(objects)
    append(objects, table, "old")
    before = table.arrow_schema_with_ids()
    wider = SCHEMA.append(pa.field("colour", pa.string())).append(pa.field("late", SCHEMA.field("vector").type))
    table.evolve(wider)
    table.evolve(wider)
    after = opened(objects).arrow_schema_with_ids()
    ids = [int(field.metadata[b"PARQUET:field_id"]) for field in after]
    assert [field.metadata for field in after][:4] == [field.metadata for field in before]
    assert ids == [1, 2, 3, 4, 6, 7]
    assert opened(objects).snapshot().columns == ("id", "time", "amount", "vector", "colour", "late")
    assert table.snapshot().version == 3


def test_an_append_that_finds_nothing_to_do_makes_no_commit(objects: Objects):
    table = created(objects)
    version = table.snapshot().version
    assert table.append("i", lambda snapshot: None) is None
    assert (table.snapshot().version, table.commits()) == (version, [])


def test_two_writers_that_add_columns_at_once_both_get_theirs(folder: Objects):
    created(folder)
    one, other = opened(folder), opened(folder)
    one.snapshot(), other.snapshot()
    one.evolve(pa.schema([("x", pa.int64())]))
    other.evolve(pa.schema([("y", pa.int64())]))
    fields = {field.name: field.metadata[b"PARQUET:field_id"] for field in one.arrow_schema_with_ids()}
    assert (fields["x"], fields["y"]) == (b"6", b"7")


def test_a_column_keeps_its_type(folder: Objects):
    table = created(folder)
    with pytest.raises(SchemaMismatchError, match="'amount' is double"):
        table.evolve(pa.schema([("amount", pa.string())]))
    with pytest.raises(SchemaMismatchError, match="time64"):
        table.evolve(pa.schema([("odd", pa.time64("us"))]))


@pytest.mark.parametrize("hint", [None, b"", b"1", b"7", b"999", b"-3", b"nonsense"])
def test_a_wrong_hint_misleads_nobody(objects: Objects, hint: bytes | None):
    table = created(objects)
    for number in range(9):
        table.append(str(number), constantly())
    objects.delete([f"{METADATA}/version-hint.text"])
    if hint is not None:
        objects.put(f"{METADATA}/version-hint.text", hint)
    assert opened(objects).snapshot().commit == 9
    assert opened(objects).append("next", constantly()).number == 10


def test_a_reader_finds_the_newest_version_from_any_older_one(folder: Objects):
    table = created(folder)
    readers = []
    for number in range(40):
        readers.append(opened(folder))
        readers[-1].snapshot()
        table.append(str(number), constantly())
    assert {reader.snapshot().commit for reader in readers} == {40}


def test_a_writer_that_slept_through_a_cleaning_does_not_lose_its_commit(folder: Objects):
    table = created(folder)
    sleeper = opened(folder)

    def others_work_and_clean(snapshot):
        if snapshot.commit == 0:
            for number in range(20):
                table.append(str(number), constantly())
            folder.delete([f"{METADATA}/v{version}.metadata.json" for version in range(1, 15)])
        return [run("late")]

    assert sleeper.append("late", others_work_and_clean).number == 21
    assert len(opened(folder).snapshot().runs) == 1
    assert folder.size(f"{METADATA}/v2.metadata.json") is None


def test_a_reader_that_slept_through_a_cleaning_finds_the_newest_version(folder: Objects):
    table = created(folder)
    sleeper = opened(folder)
    sleeper.snapshot()
    for number in range(20):
        table.append(str(number), constantly())
    folder.delete([f"{METADATA}/v{version}.metadata.json" for version in range(1, 15)])
    assert sleeper.snapshot().commit == 20


def test_broken_metadata_are_named(folder: Objects):
    table = created(folder)
    append(folder, table, "a")
    folder.put(f"{METADATA}/v2.metadata.json", b"{")
    with pytest.raises(CorruptDataError, match=r"v2\.metadata\.json"):
        opened(folder).snapshot()


def test_broken_manifests_are_named(folder: Objects):
    table = created(folder)
    append(folder, table, "a")
    for key in folder.list(METADATA):
        if key.endswith(".avro"):
            data = folder.read(key)
            for broken in (data[:-20], data[:-30] + bytes([data[-30] ^ 1]) + data[-29:], b""):
                folder.put(key, broken)
                with pytest.raises(CorruptDataError, match=r"\.avro"):
                    opened(folder).snapshot()
            folder.put(key, data)


@pytest.mark.parametrize(("writers", "appends"), [(16, 25)])
def test_sixteen_processes_that_append_at_once_all_land(folder: Objects, writers: int, appends: int):
    assert all_landed(folder, writers, appends)


@pytest.mark.s3
def test_processes_that_append_at_once_on_s3_all_land(s3_root: str):
    assert all_landed(open_objects(s3_root, Settings()), 4, 10)


def all_landed(objects: Objects, writers: int, appends: int) -> bool:
    created(objects)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "support.tables", objects.root]
    processes = [subprocess.Popen([*command, str(writer), str(appends)], env=environment) for writer in range(writers)]
    codes = [process.wait() for process in processes]
    expected = {f"w{writer}-{number}": 1 for writer in range(writers) for number in range(appends)}
    table = opened(objects)
    ingestions = Counter(commit.ingestion for commit in table.commits())
    runs = Counter(Path(stored.path).stem for stored in table.snapshot().runs)
    return set(codes) == {0} and ingestions == runs == Counter(expected)
