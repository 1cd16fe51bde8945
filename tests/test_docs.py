"""What the documentation shows is what happens: its examples are run."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import treering
from treering.errors import TreeringError
from treering.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).parents[1]
MODULES = sorted(module.name for module in pkgutil.walk_packages(treering.__path__, "treering.") if not module.name.endswith("__main__"))
# When a lookup without a store is asked is when its records count as written.
MOMENT = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d(?=  )")


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) if kind == language]


def test_the_readme_runs_and_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    first, second, third = blocks(text, "python")
    exec(first, names)
    explained = next(block for block in blocks(text, "") if block.startswith("visib of label row 0"))
    assert MOMENT.sub("now", capsys.readouterr().out) == MOMENT.sub("now", explained)
    exec(second, names)
    assert "1 rows x 4 columns" in capsys.readouterr().out
    exec(third, names)
    assert names["job"].status == "Completed"
    assert names["job"].metrics["test"]["logloss"] < 0.1
    assert len(names["chance"]) == 1


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))]
    assert links
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def documented() -> str:
    return (ROOT / "docs" / "reference.md").read_text("utf-8")


def test_every_error_is_documented() -> None:
    errors = {TreeringError}
    while more := {child for error in errors for child in error.__subclasses__()} - errors:
        errors |= more
    public = [error for error in errors if error.__module__ == "treering.errors"]
    assert len(public) > 30
    assert [error.__name__ for error in public if not error.__doc__ or f"`{error.__name__}`" not in documented()] == []


def test_every_setting_is_documented() -> None:
    names = [field.name for field in fields(Settings)]
    assert [name for name in names if f"| `{name}` | `{ENVIRONMENT_PREFIX}{name.upper()}` |" not in documented()] == []


def test_every_command_is_documented() -> None:
    shown = subprocess.run([Path(sys.executable).with_name("treering"), "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^.? ?(\w+) {2,}", shown[shown.index("Commands") :], re.MULTILINE)
    assert set(commands) >= {"demo", "groups"}
    assert [command for command in commands if f"`treering {command}" not in documented()] == []
