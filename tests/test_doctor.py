"""What the doctor sees, and that it leaves nothing behind."""

import os
from pathlib import Path

import pytest

from treering.clock import system_clock
from treering.doctor import Verdict, _writing, examine
from treering.local_s3 import LocalS3
from treering.storage.local_objects import LocalObjects
from treering.store import Store


def verdicts(root: str, **how: object) -> dict[str, Verdict]:
    return {one.what: one.verdict for one in examine(root, **how)}


def test_a_sound_store_is_good_everywhere(any_root: str) -> None:
    Store(any_root)
    found = verdicts(any_root)
    assert {found[what] for what in ("address", "store", "conditional create", "clock")} == {Verdict.GOOD}


def test_the_doctor_leaves_nothing_behind(tmp_path: Path) -> None:
    Store(tmp_path / "store")
    before = sorted(tmp_path.rglob("*"))
    examine(str(tmp_path / "store"))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_without_a_store_says_how_to_make_one(tmp_path: Path) -> None:
    (note,) = [one for one in examine(str(tmp_path)) if one.what == "store"]
    assert note.verdict is Verdict.NOTE
    assert "treering init" in note.advice


def test_a_clock_that_is_off_is_told_by_how_much(tmp_path: Path) -> None:
    (clock,) = [one for one in examine(str(tmp_path), clock=lambda: system_clock() - 600_000_000) if one.what == "clock"]
    assert clock.verdict is Verdict.BAD
    assert "10min behind" in clock.found


class WritesOver(LocalObjects):
    """Heeds no condition. It stands in for such services, of which none runs here."""

    def create(self, key: str, data: bytes) -> bool:
        self.put(key, data)
        return True


def test_storage_that_writes_over_what_stands_there_is_not_safe(tmp_path: Path) -> None:
    found = {one.what: one for one in _writing(WritesOver(str(tmp_path)), system_clock)}
    assert found["conditional create"].verdict is Verdict.BAD
    assert "was written over" in found["conditional create"].found


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") and "KEY" in name]:
        monkeypatch.delenv(name)
    (storage,) = [one for one in examine("s3://bucket/prefix") if one.what == "storage"]
    assert storage.verdict is Verdict.BAD
    assert "AWS_ACCESS_KEY_ID" in storage.found


@pytest.mark.s3
def test_no_secret_is_among_the_findings(s3: LocalS3, s3_root: str) -> None:
    found = "\n".join(f"{one.found} {one.advice}" for one in examine(s3_root))
    assert "credentials from env" in found
    assert s3.environment()["AWS_SECRET_ACCESS_KEY"] not in found


def test_a_damaged_marker_is_bad(tmp_path: Path) -> None:
    (tmp_path / "treering.json").write_text("{}")
    assert verdicts(str(tmp_path))["store"] is Verdict.BAD
