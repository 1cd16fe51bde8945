"""`treering model`: models are listed, shown, asked, and pictured in a report."""

from pathlib import Path
from typing import Annotated

import typer

from treering.cli.counts import counts_table
from treering.cli.jobs import COLUMNS, JobName, row_of
from treering.cli.options import HERE, AsJson, Functions, Out, Root, example, functions_of, names, opened
from treering.cli.screen import answers_json, facts, in_folder, rows_shown, show, table, write_rows
from treering.cli.specs import At, Delimiter, Inputs, Nulls, Target, Time, Zone, labels_of, source_of

app = typer.Typer(help="Models: ls, show, predict, report.", no_args_is_help=True)

ModelName = Annotated[str, typer.Argument(help="The job that made it, or the path or s3:// address of a model.tar.gz.", autocompletion=names("models"))]


@app.command("ls", epilog=example("treering model ls --store ./store"))
def list_models(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the models of a store."""
    jobs = opened(store, read_only=True).models.list()
    listed = table(COLUMNS, map(row_of, jobs), empty="No models yet. `treering train --help` shows how to make one.")
    show([job.to_json() for job in jobs], listed, as_json=as_json)


@app.command("show", epilog=example("treering model show late-1 --store ./store"))
def show_model(name: ModelName, functions: Functions = None, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what a model was made from and which columns it needs; `treering job show` tells how it scored."""
    model = opened(store, read_only=True).models.load(name, functions_of(functions))
    show(model.to_json(), repr(model), as_json=as_json)


@app.command("predict", epilog=example("treering model predict late-1 tonight.csv --time departs_at --input carrier --out chances.csv --store ./store"))
def predict(
    name: ModelName,
    rows: Annotated[str, typer.Argument(help="The rows to answer: a CSV or Parquet file with keys, times and the model's inputs.")],
    time: Time = None,
    at: At = None,
    time_zone: Zone = None,
    target: Target = None,
    inputs: Inputs = None,
    functions: Functions = None,
    nulls: Nulls = None,
    delimiter: Delimiter = ",",
    out: Out = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Look the features of each row up as of its time, and ask the model; where there is a target, measure the answers."""
    model = opened(store, read_only=True).models.load(name, functions_of(functions))
    scores = model.score(labels_of(source_of(rows, nulls, delimiter), time, at, time_zone, target=target, inputs=inputs or model.labels.inputs))
    answers = scores.to_arrow()
    if out is not None:
        write_rows(answers, out)
    counts = [one.to_json() for one in scores.counts]
    measured = [facts(scores.metrics)] if scores.metrics else []
    written = [] if out is None else [f"\nAll {answers.num_rows:,} rows are in {out}."]
    show(answers_json(answers, counts, out, metrics=scores.metrics), *rows_shown(answers), "", counts_table(counts), *measured, *written, as_json=as_json)


@app.command("report", epilog=example("treering model report late-1 --out late-1.html --store ./store"))
def report(
    name: JobName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.", callback=in_folder)],
    functions: Functions = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write one self-contained page: how well the model does, on what, and made from what."""
    made = opened(store, read_only=True).models.report(name, functions_of(functions))
    made.save(out)
    show({"report": str(out)}, f"The report is {out}. Open it in a browser.", as_json=as_json)
