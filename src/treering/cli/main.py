"""The command `treering`: what can be said on the command line, and how an error looks there."""

import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from treering import __version__
from treering.errors import TreeringError

app = typer.Typer(
    help="An offline feature store: a training row sees only what was known at its moment.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it so.
    if wanted:
        typer.echo(f"treering {__version__}")
        raise typer.Exit


@app.callback()
def treering(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)] = False,  # noqa: FBT002
) -> None:
    """Take the options that belong to no command."""


@app.command()
def demo(
    s3: Annotated[bool, typer.Option("--s3", help="Run on a local S3 server that ends with the demo.")] = False,  # noqa: FBT002
    store: Annotated[Path | None, typer.Option(help="Folder to leave the store in; demo-store if left out.", show_default=False)] = None,
) -> None:
    """Run the main job on real flights: raw CSV files, feature groups, a training set, a model."""
    if s3 and store is not None:
        raise typer.BadParameter("--s3 leaves no folder, so it goes without --store.")
    from treering.cli.demo import run_demo

    run_demo(store or Path("demo-store"), s3=s3)


@app.command()
def groups(store: Annotated[str, typer.Argument(help="A store: a folder, or s3://bucket/prefix.")]) -> None:
    """List the feature groups of a store."""
    from treering.cli.groups import list_groups

    list_groups(store)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: what stands behind `treering`; None takes what was typed.
    """
    sys.exit(exit_code(partial(app, arguments)))


def exit_code(command: Callable[[], object]) -> int:
    """Run a command, and turn its error into a message and an exit code; typer answers wrong usage itself, with 2."""
    try:
        command()
    except TreeringError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1
    except Exception:  # noqa: BLE001  # The edge: whoever typed a command gets an exit code and something to report.
        traceback.print_exc()
        typer.echo("Error: treering did not expect this. Please report it, with the lines above.", err=True)
        return 1
    return 0
