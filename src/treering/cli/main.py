"""The command `treering`: its subcommands, and how an error looks on the command line."""

import sys
import traceback
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Annotated

import typer

from treering import __version__
from treering.cli import groups, jobs, models, recipes, training_sets, views
from treering.cli.as_typed import as_typed
from treering.cli.demo import demo
from treering.cli.lookups import explain, lookup
from treering.cli.options import example
from treering.cli.projects import run
from treering.cli.queries import sql
from treering.cli.stores import clean, doctor, init, relocate, search
from treering.errors import TreeringError

app = typer.Typer(
    help="An offline feature store: a training row sees only what was known at its moment.",
    epilog="Begin with `treering demo`, or with `treering init ./store`. Every command has an example: `treering group create --help`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_shows_tracebacks: ContextVar[bool] = ContextVar("shows_tracebacks", default=False)
# A project file is mended in the file, whose keys have Python's words.
_typed_in_full: ContextVar[bool] = ContextVar("typed_in_full", default=True)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it so.
    if wanted:
        typer.echo(f"treering {__version__}")
        raise typer.Exit


@app.callback()
def treering(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)] = False,  # noqa: FBT002
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error was raised.")] = False,  # noqa: FBT002
) -> None:
    """Take the options that belong to no command."""
    _shows_tracebacks.set(debug)
    _typed_in_full.set(context.invoked_subcommand != "run")


_DATA, _TRAINING, _STORE = "Features", "Training sets and models", "The store"

app.add_typer(groups.app, name="group", rich_help_panel=_DATA)
app.add_typer(recipes.app, name="recipe", rich_help_panel=_DATA)
app.add_typer(views.app, name="view", rich_help_panel=_DATA)
app.add_typer(training_sets.app, name="training-set", rich_help_panel=_TRAINING)
app.add_typer(jobs.app, name="job", rich_help_panel=_TRAINING)
app.add_typer(models.app, name="model", rich_help_panel=_TRAINING)

_COMMANDS: tuple[tuple[Callable[..., None], str, str], ...] = (
    (lookup, _DATA, "treering lookup flights.csv --time departs_at --from weather.csv:origin:time_hour:available_after=1h --null NA"),
    (explain, _DATA, "treering explain flights.csv 0 temp --time departs_at --view late_arrivals --store ./store"),
    (search, _DATA, "treering search delay --store ./store"),
    (sql, _DATA, "treering sql 'select origin, avg(temp) from weather group by origin' --store ./store"),
    (jobs.train, _TRAINING, "treering train late-1 -t late -p objective=binary:logistic -p num_round=200 --recipe preparation --store ./store"),
    (jobs.parameters, _TRAINING, "treering parameters eta"),
    (run, _TRAINING, "treering run project.toml --functions features.py"),
    (init, _STORE, "treering init ./store"),
    (doctor, _STORE, "treering doctor --store s3://bucket/store"),
    (relocate, _STORE, "treering relocate --store ./store"),
    (clean, _STORE, "treering clean --older-than 1d --store ./store"),
    (demo, _STORE, "treering demo"),
)
for command, panel, line in _COMMANDS:
    app.command(rich_help_panel=panel, epilog=example(line))(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: what stands behind `treering`; None takes what was typed.
    """
    sys.exit(exit_code(partial(app, arguments)))


def exit_code(command: Callable[[], object]) -> int:
    """Run a command, and turn its error into a message and an exit code; typer answers wrong usage itself, with 2."""
    _shows_tracebacks.set(False)
    try:
        command()
    except TreeringError as error:
        if _shows_tracebacks.get():
            traceback.print_exc()
        typer.echo(f"Error: {as_typed(str(error)) if _typed_in_full.get() else error}", err=True)
        return 1
    except OSError as error:
        # A full disk, a file that may not be written: nothing that treering could mend or a report would help with.
        if _shows_tracebacks.get():
            traceback.print_exc()
        typer.echo(f"Error: {error}", err=True)
        return 1
    except Exception:  # noqa: BLE001  # The edge: whoever typed a command gets an exit code and something to report.
        traceback.print_exc()
        typer.echo("Error: treering did not expect this. Please report it, with the lines above.", err=True)
        return 1
    return 0
