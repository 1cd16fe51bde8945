"""Where the demo keeps its store: it replaces what it made, and nothing else."""

import os
from pathlib import Path

import pytest

from treering.demo.place import MARKER, local_bucket, prepare_folder
from treering.demo.raw_zone import find_data
from treering.errors import AlreadyExistsError, MissingExtraError


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path / "deep" / "store") is False
    assert [file.name for file in (tmp_path / "deep" / "store").iterdir()] == [MARKER]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path) is False


def test_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "store")
    (tmp_path / "store" / "data").mkdir()
    assert prepare_folder(tmp_path / "store") is True
    assert [file.name for file in (tmp_path / "store").iterdir()] == [MARKER]


@pytest.mark.parametrize("marker", [None, "{}", "not JSON", '{"made_by": "somebody else"}'])
def test_a_foreign_folder_is_refused_and_left_as_it_is(tmp_path: Path, marker: str | None) -> None:
    (tmp_path / "precious").write_text("data")
    if marker is not None:
        (tmp_path / MARKER).write_text(marker)
    before = sorted(file.name for file in tmp_path.iterdir())
    with pytest.raises(AlreadyExistsError, match=r"the demo did not make.*--store"):
        prepare_folder(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == before


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AlreadyExistsError):
        prepare_folder(tmp_path / "file")


def test_a_link_to_a_folder_is_not_followed_into_deleting(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "store")
    (tmp_path / "link").symlink_to(tmp_path / "store")
    with pytest.raises(AlreadyExistsError, match="link"):
        prepare_folder(tmp_path / "link")
    assert (tmp_path / "store" / MARKER).exists()


def test_without_the_data_the_error_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match=r"The demo needs no_such_package: pip install 'treering\[demo\]'"):
        find_data("no_such_package")


@pytest.mark.s3
def test_the_servers_variables_go_when_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)  # another test's server may be running
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("TREERING_S3_ENDPOINT", "https://elsewhere.example")
    with local_bucket() as root:
        assert root.startswith("s3://")
        assert os.environ["AWS_ACCESS_KEY_ID"] != "mine"
        assert "TREERING_S3_ENDPOINT" not in os.environ
    assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
    assert os.environ["TREERING_S3_ENDPOINT"] == "https://elsewhere.example"
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ
