import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.faults import Fault, FaultyObjects
from support.ticking import Ticking
from treering.errors import AlreadyExistsError, CorruptDataError, InvalidNameError, NotFoundError, StoreFormatError
from treering.settings import Settings
from treering.storage.documents import Documents
from treering.storage.objects import Objects
from treering.storage.roots import open_objects


@pytest.fixture
def objects(any_root: str) -> Objects:
    return open_objects(any_root, Settings())


@pytest.fixture
def documents(objects: Objects) -> Documents:
    return Documents(objects, Ticking())


def test_a_document_is_read_back_as_it_was_created(documents: Documents):
    created = documents.create("view", "churn", {"columns": ["a", "ü"], "limit": None})
    assert created == documents.current("view", "churn")
    assert (created.number, created.value, created.written_at) == (1, {"columns": ["a", "ü"], "limit": None}, 1_700_000_000_001_000)


def test_what_create_returns_is_what_json_keeps(documents: Documents):
    assert documents.create("view", "churn", {"pair": (1, 2)}).value == {"pair": [1, 2]}


def test_a_name_is_taken_once(documents: Documents):
    documents.create("view", "churn", {"v": 1})
    with pytest.raises(AlreadyExistsError, match="churn"):
        documents.create("view", "churn", {"v": 2})
    assert documents.create("model", "churn", {}).number == 1


def test_updates_add_versions_and_keep_the_old_ones(documents: Documents):
    documents.create("view", "churn", {"v": 1})
    for _ in range(3):
        documents.update("view", "churn", lambda value: {"v": value["v"] + 1})
    assert [(one.number, one.value["v"]) for one in documents.history("view", "churn")] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_no_update_is_lost_among_four_writers(documents: Documents):
    documents.create("counter", "c", {"n": 0})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: documents.update("counter", "c", lambda value: {"n": value["n"] + 1}), range(20)))
    current = documents.current("counter", "c")
    assert current is not None
    assert (current.value, current.number) == ({"n": 20}, 21)


def test_all_reads_the_current_version_of_each_name(documents: Documents):
    for name in ("b", "a", "c.d"):
        documents.create("job", name, {"is": name})
    documents.update("job", "a", lambda value: {"is": "new"})
    assert [(one.name, one.number, one.value["is"]) for one in documents.all("job")] == [("a", 2, "new"), ("b", 1, "b"), ("c.d", 1, "c.d")]
    assert documents.names("job") == ["a", "b", "c.d"]


def test_there_is_nothing_where_nothing_was_created(documents: Documents):
    assert (documents.current("job", "x"), documents.names("job"), documents.all("job"), documents.history("job", "x")) == (None, [], [], [])
    with pytest.raises(NotFoundError, match="No job 'x'"):
        documents.update("job", "x", lambda value: value)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 129, "ü"])
def test_a_name_that_is_no_safe_file_name_is_refused(documents: Documents, name: str):
    with pytest.raises(InvalidNameError):
        documents.create("view", name, {})
    with pytest.raises(InvalidNameError):
        documents.current(name, "x")


@pytest.mark.parametrize("fault", Fault)
def test_a_lost_answer_neither_loses_nor_doubles_a_version(objects: Objects, fault: Fault):
    documents = Documents(FaultyObjects(objects, {1: fault, 3: fault}), Ticking())
    documents.create("view", "churn", {"v": 1})
    documents.update("view", "churn", lambda value: {"v": 2})
    documents.update("view", "churn", lambda value: {"v": 3})
    assert [one.value["v"] for one in documents.history("view", "churn")] == [1, 2, 3]


def test_a_broken_document_is_named(documents: Documents, objects: Objects):
    objects.create("documents/view/broken/00000001.json", b"{")
    objects.create("documents/view/foreign/00000001.json", b'{"hello": 1}')
    for name in ("broken", "foreign"):
        with pytest.raises(CorruptDataError, match=name):
            documents.current("view", name)


def test_a_document_of_a_newer_treering_is_refused(documents: Documents, objects: Objects):
    envelope = {"format": 2, "identity": "0", "written_at": "2026-01-01T00:00:00+00:00", "value": {}}
    objects.create("documents/view/new/00000001.json", json.dumps(envelope).encode())
    with pytest.raises(StoreFormatError, match="Upgrade"):
        documents.current("view", "new")
