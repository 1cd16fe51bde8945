"""What the documentation shows is what happens: its examples are run."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer

import treering
from support.pages import blocks
from treering import recipes
from treering.cli.main import app
from treering.errors import TreeringError
from treering.project.definition import TABLES
from treering.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).parents[1]
MODULES = sorted(module.name for module in pkgutil.walk_packages(treering.__path__, "treering.") if not module.name.endswith("__main__"))
# When a lookup without a store is asked is when its records count as written.
MOMENT = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d(?=  )")


def test_the_readme_runs_and_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    first, second, third, fourth = blocks(text, "python")
    exec(first, names)
    explained = next(block for block in blocks(text, "") if block.startswith("visib of label row 0"))
    assert MOMENT.sub("now", capsys.readouterr().out) == MOMENT.sub("now", explained)
    exec(second, names)
    assert "1 rows x 4 columns" in capsys.readouterr().out
    exec(third, names)
    assert names["job"].status == "Completed"
    assert names["job"].metrics["test"]["logloss"] < 0.1
    assert len(names["chance"]) == 1
    assert "ROC" in Path("departures-1.html").read_text("utf-8")
    capsys.readouterr()
    exec(fourth, names)
    printed = capsys.readouterr().out
    reused = next(block for block in blocks(text, "") if "already (commit 2)" in block)
    assert [line for line in reused.splitlines() if line not in printed] == []
    assert "1 view" in printed


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    random, days = np.random.default_rng(0), pd.date_range("2024-01-01", "2024-12-20", freq="6h")
    tickets = pd.DataFrame({"customer": random.integers(1, 50, len(days)), "opened": days, "minutes_waiting": random.choice([5.0, 50.0, np.nan], len(days))})
    tickets.to_csv(tmp_path / "tickets.csv", index=False, na_rep="NA")
    orders = pd.DataFrame({"customer_id": random.integers(1, 60, 1_000), "ordered_at": random.choice(days, 1_000), "amount": random.random(1_000)})
    orders.assign(returned=random.integers(0, 2, 1_000)).to_csv(tmp_path / "orders.csv", index=False)
    commands = next(body for body in blocks((ROOT / "README.md").read_text("utf-8"), "") if body.startswith("treering init"))
    variables = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    ran = subprocess.run(["bash", "-e", "-c", commands], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "returns-1.html").stat().st_size > 10_000


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


def commands(group: typer.Typer, path: str = "treering") -> Iterator[str]:
    for command in group.registered_commands:
        yield f"{path} {command.name or getattr(command.callback, '__name__', '').replace('_', '-')}"
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, f"{path} {inner.name}")


def test_every_command_is_documented() -> None:
    every = list(commands(app))
    assert {"treering run", "treering group ingest"} <= set(every)
    assert [command for command in every if f"`{command}" not in documented()] == []


def test_every_step_of_a_recipe_is_documented() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    assert len(recipes.__all__) > 20
    assert [name for name in recipes.__all__ if f"{name}(" not in page and f"tr.{name}" not in page and name != "Step"] == []


def test_the_page_on_recipes_runs() -> None:
    names: dict[str, object] = {}
    exec(blocks((ROOT / "docs" / "recipes.md").read_text("utf-8"), "python")[0], names)
    assert names["before"].is_fitted


def test_every_table_of_a_project_file_is_documented() -> None:
    page = (ROOT / "docs" / "project.md").read_text("utf-8")
    lines = {kind: next(line for line in page.splitlines() if line.startswith(f"| `[{kind}.NAME]`")) for kind in TABLES}
    keys = [(kind, one.name) for kind, table in TABLES.items() for one in fields(table)]
    assert [(kind, key) for kind, key in keys if f"`{key}`" not in lines[kind]] == []
