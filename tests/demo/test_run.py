"""The demo on a real S3 server, and what it says to go on with."""

import io
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from support.thin_flights import ROWS, SPLIT
from treering.cli.main import main
from treering.demo.run import leave_project, run_on_s3
from treering.demo.screen import Screen


class Listening(io.StringIO):
    """Keeps what is printed, and the credentials that were in force while it was."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials: set[str] = set()

    def write(self, text: str) -> int:
        self.credentials |= {value for name, value in os.environ.items() if name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return super().write(text)


@pytest.mark.s3
def test_the_demo_runs_on_s3_and_prints_no_credentials(thin_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)  # another test's server may be running
    output = Listening()
    run_on_s3(thin_data, Screen(Console(file=output, width=80)), SPLIT)
    printed = output.getvalue()
    assert f"{ROWS:,} rows in, {ROWS:,} rows out" in printed
    assert "s3://demo/flights/training-jobs/late-arrivals-1/output/model.tar.gz" in printed
    assert len(output.credentials) == 2
    assert not any(secret in printed for secret in output.credentials)


def commands_of(printed: str) -> list[list[str]]:
    """Each command that was printed: the program, and the words behind it."""
    shown = [shlex.split(line) for line in printed.splitlines() if re.match(r"   \S*treering ", line)]
    return [words for words in shown if Path(words[0]).name == "treering"]


def test_every_printed_command_works(shown: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    commands = commands_of(shown.printed)
    assert all(Path(program).is_file() for program, *_ in commands)
    monkeypatch.chdir(tmp_path)
    for _, *words in commands:
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert (words, ended.value.code) == (words, 0)
    assert capsys.readouterr().err == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flights-project", "late-arrivals-1.html"]
    assert len(commands) == 7


def test_a_project_says_how_it_is_run(thin_data: Path, tmp_path: Path) -> None:
    output = io.StringIO()
    leave_project(tmp_path / "my project", thin_data, Screen(Console(file=output, width=80)))
    ((_, *words),) = commands_of(output.getvalue())
    assert words == ["run", str(tmp_path / "my project" / "flights.toml"), "--functions", str(tmp_path / "my project" / "features.py")]
    assert all(Path(words[place]).is_file() for place in (1, 3))
