"""A power cut keeps what was flushed, and of the rest as little or as much as it likes: what was acknowledged is there all the same."""

import shutil
from pathlib import Path
from typing import BinaryIO

import pytest

import treering as tr
from support.power_cut import RememberingDisk, restore
from support.weather import NAME, all_records, create_weather, groups_over, rows
from treering.errors import TreeringError
from treering.storage.local_objects import LocalObjects

ACKNOWLEDGED = [("EWR", 1.0, 1.0)]
BOTH = [("EWR", 1.0, 1.0), ("JFK", 2.0, 2.0)]


def ingested(disk: RememberingDisk) -> RememberingDisk:
    """A group's whole life on a disk: created, and filled by two ingestions; the moments of their acknowledgement are noted."""
    disk.root.mkdir()
    objects = LocalObjects(str(disk.root), disk)
    group = create_weather(groups_over(objects))
    disk.note("created")
    group.ingest(rows(ACKNOWLEDGED[0]), token="first")
    disk.note("first")
    group.ingest(rows(BOTH[1]), token="second")
    disk.note("second")
    return disk


def problems_of(disk: RememberingDisk, place: Path) -> list[str]:
    """Open what every power cut would leave, and say what is missing."""
    reached, problems, seen = "", list[str](), set[int]()
    for number, (what, states) in enumerate(disk.moments):
        reached = what or reached
        for files in states:
            state = hash((reached, frozenset(files.items())))
            if state not in seen:
                seen.add(state)
                problems += [f"moment {number}, after {reached!r} was acknowledged: {problem}" for problem in _problem(files, place, reached)]
    assert len(seen) > 30, "a test of few states shows little"
    return problems


EXPECTED = {"": [[], ACKNOWLEDGED], "created": [[], ACKNOWLEDGED], "first": [ACKNOWLEDGED, BOTH], "second": [BOTH]}


def _problem(files: dict[Path, bytes], place: Path, reached: str) -> list[str]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    restore(files, place)
    groups = groups_over(LocalObjects(str(place)))
    try:
        found = all_records(groups[NAME]) if reached or NAME in groups else []
    except TreeringError as error:
        return [str(error)]
    return [] if found in EXPECTED[reached] else [f"{found} is left"]


def test_what_is_acknowledged_outlives_a_power_cut_at_any_moment(tmp_path: Path):
    assert problems_of(ingested(RememberingDisk(tmp_path / "store")), tmp_path / "left") == []


class ForgettingFiles(RememberingDisk):
    """Flushes no file."""

    def fsync(self, file: BinaryIO) -> None:
        file.flush()


class ForgettingFolders(RememberingDisk):
    """Flushes no folder but those that the group is made in."""

    def fsync_folder(self, path: Path) -> None:
        if len(self.durable.names) < 20:
            super().fsync_folder(path)


@pytest.mark.parametrize("disk", [ForgettingFiles, ForgettingFolders])
def test_a_flush_that_is_left_out_is_found(disk: type[RememberingDisk], tmp_path: Path):
    assert problems_of(ingested(disk(tmp_path / "store")), tmp_path / "left") != []


def test_a_store_as_it_was_left_can_be_written_again(tmp_path: Path):
    disk = ingested(RememberingDisk(tmp_path / "store"))
    shutil.rmtree(disk.root)
    (files, *_) = disk.moments[-1][1]
    restore(files, disk.root)
    group = tr.Store(disk.root).feature_groups[NAME]
    assert group.ingest(rows(BOTH[1]), token="second").reused
    assert all_records(group) == BOTH
