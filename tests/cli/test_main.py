"""The command line: what it prints, where, and with which exit code."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from treering import __version__
from treering.cli.main import app, exit_code, main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(exit_.value.code or 0), printed.out, printed.err


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"treering {__version__}\n", "")


def test_an_error_of_ours_is_one_message_without_a_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    message = f"Error: There is no treering store at {tmp_path / 'nothing'}. `treering init` makes one, as does tr.Store(root).\n"
    assert run(capsys, "group", "ls", "--store", tmp_path / "nothing") == (1, "", message)


def test_debug_shows_where_an_error_was_raised(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, errors = run(capsys, "--debug", "group", "ls", "--store", tmp_path / "nothing")
    assert code == 1
    assert "Traceback" in errors
    assert "Traceback" not in run(capsys, "group", "ls", "--store", tmp_path / "nothing")[2]


@pytest.mark.parametrize("arguments", [("frobnicate",), ("group", "show"), ("group", "ls", "--frobnicate"), ("demo", "--s3", "--store", "folder")])
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


def commands(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for command in group.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        yield (*path, name), command.epilog or ""
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, (*path, str(inner.name)))


@pytest.mark.parametrize(("path", "epilog"), list(commands(app)), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_the_help_of_every_command_ends_with_an_example_of_it(capsys: pytest.CaptureFixture[str], path: tuple[str, ...], epilog: str) -> None:
    assert epilog.startswith(f"Example: treering {' '.join(path)}")
    code, printed, _ = run(capsys, *path, "--help")
    assert (code, "Example:" in printed) == (0, True)


def test_the_command_line_starts_without_loading_what_a_command_may_need() -> None:
    code = "import sys, treering.cli.main; print([name for name in ('pyarrow', 'pandas', 'numpy', 'duckdb', 'xgboost', 'sklearn') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
