"""`treering run`: a whole project from one TOML file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from treering.cli.options import AsJson, Functions, functions_of
from treering.cli.screen import console, show

if TYPE_CHECKING:
    from treering.project.report import Done

_STYLES = {"new": "green", "changed": "yellow", "reused": "dim"}


def run(
    file: Annotated[Path, typer.Argument(help="The project file: sources, recipes, groups, views, training sets, training jobs.")],
    functions: Functions = None,
    store: Annotated[
        str | None, typer.Option("--store", "-s", envvar="TREERING_STORE", help="The store, instead of the file's own.", show_default=False)
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Do what a project file describes, and only what is new; say of each thing whether it is new, changed or reused."""
    from treering.project.definition import read_project
    from treering.project.run import run_project, store_of

    project = read_project(file)
    screen = console()
    report = run_project(project, store_of(project, store), functions_of(functions), on_done=None if as_json else lambda one: _say(screen, one))
    show(report.to_json(), str(report).splitlines()[-1], as_json=as_json)


def _say(screen: Console, one: "Done") -> None:
    style = _STYLES[str(one.outcome)]
    line = Text.assemble((f"{one.outcome:<8}", style), (f"{one.kind:<15}", "dim"), f"{one.name}  ", (one.detail, "dim"))
    screen.print(line, soft_wrap=True)
