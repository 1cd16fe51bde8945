"""`treering train` and `treering job`: models are trained in a process of their own, watched, stopped and looked at."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treering.cli.options import HERE, AsJson, Functions, Root, example, functions_of, named_version, names, opened, pairs
from treering.cli.screen import show, table

if TYPE_CHECKING:
    from treering.training.job import TrainingJob
    from treering.training.parameters import XGBoost
    from treering.training.script import Script

app = typer.Typer(help="Training jobs: ls, show, logs, stop.", no_args_is_help=True)

JobName = Annotated[str, typer.Argument(help="The training job.", autocompletion=names("training_jobs"))]


def train(
    name: Annotated[str, typer.Argument(help="The job's name: 1 to 63 letters, digits and inner hyphens; used once.")],
    training_set: Annotated[str, typer.Option("--training-set", "-t", help="NAME or NAME:VERSION.", autocompletion=names("training_sets"))],
    parameters: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="XGBoost's NAME=VALUE, or a script's hyperparameter; may be repeated.", show_default=False)
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="A stored recipe, NAME or NAME:VERSION, fitted on the training rows alone.", show_default=False)] = None,
    functions: Functions = None,
    script: Annotated[Path | None, typer.Option(help="A training script of your own, instead of XGBoost.", show_default=False)] = None,
    drop_null_targets: Annotated[bool, typer.Option("--drop-null-targets", help="Leave rows without a target out.")] = False,  # noqa: FBT002
    maximum_runtime_seconds: Annotated[float | None, typer.Option("--max-seconds", help="Stop the job after so long.", show_default=False)] = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Train a model: the recipe is fitted on the training rows alone, and travels with the model."""
    there = opened(store)
    applied = None if recipe is None else there.recipes.get(*named_version(recipe), functions=functions_of(functions))
    job = there.training_jobs.run(
        name,
        there.training_sets.get(*named_version(training_set)),
        _trainer(pairs(parameters, "--param"), script),
        applied,
        drop_null_targets=drop_null_targets,
        maximum_runtime_seconds=maximum_runtime_seconds,
        echo=(lambda _: None) if as_json else typer.echo,
    )
    show(job.to_json(), "", repr(job), as_json=as_json)
    if job.artifact is None:
        # Somebody stopped it, or its time was over, before it had a model.
        raise typer.Exit(1)


def _trainer(parameters: dict[str, str], script: Path | None) -> "XGBoost | Script":
    from treering.training.parameters import XGBoost
    from treering.training.script import Script

    return XGBoost.from_texts(parameters) if script is None else Script(script, hyperparameters=parameters)


def parameters(
    name: Annotated[str | None, typer.Argument(help="One parameter; objective and eval_metric list their words.", show_default=False)] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List XGBoost's parameters: default, range, and what each does."""
    from treering.training.parameters import XGBoost

    rows = XGBoost.help(name).rows
    listed = table(("parameter", ">default", "may be", "what it does"), [(row.name, row.default, row.rule, row.about) for row in rows], empty="")
    show([asdict(row) for row in rows], listed, as_json=as_json)


COLUMNS = ("job", "status", ">seconds", "trainer", "training set", "measured")


def row_of(job: "TrainingJob") -> tuple[str, ...]:
    """Lay a job out as a row of a list: what it does while it runs, how it ended, how long it took and what came of it."""
    trained_on, seconds = job.spec.training_set, "" if job.resources is None else f"{job.resources.wall_seconds:,.1f}"
    return (job.name, str(job.secondary_status), seconds, job.spec.trainer.name, f"{trained_on.name}:{trained_on.version}", job.score)


@app.command("ls", epilog=example("treering job ls --store ./store"))
def list_jobs(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the training jobs of a store."""
    jobs = opened(store, read_only=True).training_jobs.list()
    listed = table(COLUMNS, map(row_of, jobs), empty="No training jobs yet. `treering train --help` shows how to start one.")
    show([job.to_json() for job in jobs], listed, as_json=as_json)


@app.command("show", epilog=example("treering job show late-1 --store ./store"))
def show_job(name: JobName, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what a job was asked for, how it went, what it used and what it left."""
    job = opened(store, read_only=True).training_jobs.get(name)
    show(job.to_json(), repr(job), as_json=as_json)


@app.command("logs", epilog=example("treering job logs late-1 --follow --store ./store"))
def logs(
    name: JobName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,  # noqa: FBT002
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Print what a job printed; as JSON, a text per line."""
    jobs = opened(store, read_only=True).training_jobs
    for line in jobs.follow(name) if follow else jobs.logs(name).splitlines():
        typer.echo(json.dumps(line, ensure_ascii=False) if as_json else line)


@app.command("stop", epilog=example("treering job stop late-1 --store ./store"))
def stop(name: JobName, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Ask a job to stop, whichever process runs it."""
    job = opened(store).training_jobs.stop(name)
    show(job.to_json(), repr(job), as_json=as_json)
