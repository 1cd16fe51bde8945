"""The command line: what it prints, where, and with which exit code."""

from pathlib import Path

import pytest

from treering import __version__
from treering.cli.main import exit_code, main
from treering.demo import flights
from treering.store import Store


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(exit_.value.code or 0), printed.out, printed.err


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"treering {__version__}\n", "")


def test_an_error_of_ours_is_one_message_without_a_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    message = f"Error: There is no treering store at {tmp_path / 'nothing'}. Open it without read_only to create one.\n"
    assert run(capsys, "groups", tmp_path / "nothing") == (1, "", message)


@pytest.mark.parametrize("arguments", [("frobnicate",), ("groups",), ("groups", "--frobnicate"), ("demo", "--s3", "--store", "folder")])
def test_a_usage_error_exits_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, printed, errors = run(capsys, *arguments)
    assert (code, printed) == (2, "")
    assert "Traceback" not in errors
    assert "Error" in errors


def test_the_demo_refuses_a_foreign_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    code, _, errors = run(capsys, "demo", "--store", tmp_path)
    assert code == 1
    assert errors.startswith(f"Error: {tmp_path} holds something that the demo did not make")
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


def test_an_error_that_is_not_ours_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise ValueError("a bug")

    assert exit_code(broken) == 1
    errors = capsys.readouterr().err
    assert "Traceback" in errors
    assert "ValueError: a bug" in errors
    assert errors.endswith("Error: treering did not expect this. Please report it, with the lines above.\n")


def test_groups_are_listed_by_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flights.create_groups(Store(tmp_path / "store"))
    code, printed, _ = run(capsys, "groups", tmp_path / "store")
    assert code == 0
    assert [line.split()[0] for line in printed.splitlines()[2:] if not line.startswith(" ")] == ["aircraft_history", "planes", "weather"]


def test_a_store_without_groups_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Store(tmp_path / "store")
    assert run(capsys, "groups", tmp_path / "store") == (0, "No feature groups yet.\n", "")
