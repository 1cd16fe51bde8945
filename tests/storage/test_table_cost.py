"""The thousandth append costs what the tenth did: counted in operations and bytes, which no busy machine can blur."""

from collections import Counter
from dataclasses import dataclass

import pytest

from support.faults import CountingObjects
from support.tables import FOLDER, SCHEMA, constantly
from support.ticking import Ticking
from treering.settings import Settings
from treering.storage.objects import Objects
from treering.storage.offline_table import NewRun, OfflineTable
from treering.storage.roots import open_objects

APPENDS = 1_000


@dataclass
class Costs:
    objects: Objects
    calls: list[Counter[str]]
    bytes: list[Counter[str]]

    def mean_bytes(self, kind: str, first: int, last: int) -> float:
        return sum(one[kind] for one in self.bytes[first:last]) / (last - first)


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> Costs:
    objects = open_objects(tmp_path_factory.mktemp("cost") / "store", Settings())
    OfflineTable.create(objects, FOLDER, SCHEMA, clock=Ticking())
    counting = CountingObjects(objects)
    table = OfflineTable(counting, FOLDER, clock=Ticking())
    costs = Costs(objects, [], [])
    for number in range(APPENDS):
        counting.calls, counting.bytes = Counter(), Counter()
        name = f"{number:06d}"
        table.append(name, constantly(NewRun(f"data/{name}.parquet", 1, 100, {"id": (name, name)}, {"id": 0})))
        costs.calls.append(counting.calls)
        costs.bytes.append(counting.bytes)
    return costs


def test_an_append_asks_the_storage_for_the_same_few_things_every_time(costs: Costs):
    plain = Counter(size=4, create=3, put=1)
    with_history = plain + Counter(create=1)
    assert all(calls in (plain, with_history) for calls in costs.calls[1:])
    assert sum(calls == with_history for calls in costs.calls) == (APPENDS - 64) // 32 + 1


def test_the_thousandth_append_writes_about_as_much_as_the_hundredth(costs: Costs):
    assert costs.mean_bytes("create", 900, 1_000) < 1.5 * costs.mean_bytes("create", 100, 200)
    assert costs.mean_bytes("create", 900, 1_000) < 100_000


def test_metadata_do_not_grow_with_history(costs: Costs):
    sizes = [costs.objects.size(f"{FOLDER}/metadata/v{version}.metadata.json") or 0 for version in range(1, APPENDS + 2)]
    assert max(sizes) < 60_000
    assert max(sizes[900:]) < 1.05 * max(sizes[100:200])


def test_a_new_process_reads_a_thousand_commits_from_few_objects(costs: Costs):
    counting = CountingObjects(costs.objects)
    snapshot = OfflineTable(counting, FOLDER, clock=Ticking()).snapshot()
    assert [run.path for run in snapshot.runs] == [f"data/{number:06d}.parquet" for number in range(APPENDS)]
    # The hint, the metadata, the manifest list, and a manifest for every 256 runs, and for every 16 of the rest.
    assert counting.calls["read"] <= 3 + APPENDS // 256 + 16
    assert counting.calls["list"] == 0


def test_the_history_of_a_thousand_commits_is_few_objects(costs: Costs):
    counting = CountingObjects(costs.objects)
    assert [commit.number for commit in OfflineTable(counting, FOLDER, clock=Ticking()).commits()] == list(range(1, APPENDS + 1))
    assert counting.calls["read"] <= 2 + 5
