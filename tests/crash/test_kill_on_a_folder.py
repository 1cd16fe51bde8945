"""Work on a folder, killed before every one of its operations and half-way through every write."""

from pathlib import Path

import pytest

from support.drills import run_drill

WRITTEN = {"data", "quarantine", "manifest", "manifest list", "metadata", "hint", "document"}
OPERATIONS = {"create", "write", "fsync", "link", "unlink"}


def test_an_ingestion_survives_a_kill_at_every_point(tmp_path: Path):
    drill = run_drill("folder", tmp_path, "ingestion")
    drill.show("ingestion on a folder")
    assert drill.violations == []
    assert drill.hit == drill.points
    linked = WRITTEN - {"hint"}
    assert {f"{operation} {kind}" for operation in OPERATIONS for kind in linked} <= drill.kinds
    assert {"rename hint", "fsync folder metadata folder", "fsync folder data", "make folder document"} <= drill.kinds
    assert {f"halfway through write {kind}" for kind in WRITTEN} <= set(drill.hit)
    assert 0 < drill.landed < len(drill.hit)


def test_the_creation_of_a_group_survives_a_kill_at_every_point(tmp_path: Path):
    drill = run_drill("folder", tmp_path, "creation")
    drill.show("creation and first ingestion on a folder")
    assert drill.violations == []
    assert drill.hit == drill.points
    assert {"make folder data", "make folder metadata folder", "link metadata", "link document"} <= drill.kinds


def test_an_ingestion_through_a_recipe_survives_a_kill_before_everything_that_it_keeps(tmp_path: Path):
    drill = run_drill("folder", tmp_path, "recipe", "--only", "before link|everything")
    drill.show("an ingestion through a recipe, on a folder")
    assert drill.violations == []
    assert {"link recipe", "link statistics", "link document", "link metadata"} <= drill.kinds
    assert 0 < drill.landed < len(drill.hit)


def test_a_commit_that_folds_its_history_survives_a_kill(tmp_path: Path):
    drill = run_drill("folder", tmp_path, "fold", "--only", "history|(link|fsync folder|rename) (metadata|hint)|everything")
    drill.show("a commit that folds, on a folder")
    assert drill.violations == []
    assert {"write history", "fsync history", "link history", "link metadata", "rename hint"} <= drill.kinds
    assert 0 < drill.landed < len(drill.hit)


@pytest.mark.parametrize("bug", ["data-after-commit", "written-in-place", "token-unchecked"])
def test_the_drill_finds_a_planted_bug(tmp_path: Path, bug: str):
    drill = run_drill(
        "folder", tmp_path, "ingestion", "--bug", bug, "--only", "(halfway through write|before link) metadata|before create data|before rename hint|everything"
    )
    assert len(drill.hit) >= 6
    assert drill.violations != []
