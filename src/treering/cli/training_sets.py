"""`treering training-set`: labels and a view become rows that a model may learn from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from treering.cli.options import HERE, AsJson, Description, Out, Owner, Root, Tags, example, named_version, names, opened, pairs
from treering.cli.screen import show, table, write_rows
from treering.cli.specs import At, Delimiter, Inputs, Nulls, Target, Time, Zone, labels_of, lookup_of, source_of, split_of
from treering.errors import InvalidDefinitionError

if TYPE_CHECKING:
    from treering.training_sets.training_set import TrainingSet

app = typer.Typer(help="Training sets: build, ls, show.", no_args_is_help=True)

SetName = Annotated[str, typer.Argument(help="The training set; NAME:VERSION for an older one.", autocompletion=names("training_sets"))]


@app.command(
    "build",
    epilog=example(
        "treering training-set build late --view late_arrivals --labels flights.csv --time departs_at --target late --input carrier "
        "--split time:test=2013-11-15 --store ./store"
    ),
)
def build(
    name: Annotated[str, typer.Argument(help="What the set is called; each build that differs is a new version of it.")],
    labels: Annotated[str, typer.Option(help="The label rows: a CSV or Parquet file, local or s3://.")],
    view: Annotated[str | None, typer.Option(help="The view to look up, NAME or NAME:VERSION.", show_default=False)] = None,
    lookups: Annotated[
        list[str] | None, typer.Option("--lookup", "-l", help="GROUP:on=COLUMN:features=A,B, instead of a view; may be repeated.", show_default=False)
    ] = None,
    time: Time = None,
    at: At = None,
    time_zone: Zone = None,
    target: Target = None,
    inputs: Inputs = None,
    keys: Annotated[list[str] | None, typer.Option("--key", help="A column that identifies what a row is about; may be repeated.", show_default=False)] = None,
    weight: Annotated[str | None, typer.Option(help="The column with each row's weight.", show_default=False)] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="time:validation=2013-10-01:test=2013-11-15:embargo=1d, fractions:test=0.2, hash:key=ID:test=0.2, group:by=ID:test=0.2 or column:column=fold.",
            show_default=False,
        ),
    ] = None,
    nulls: Nulls = None,
    delimiter: Delimiter = ",",
    description: Description = "",
    tags: Tags = None,
    owner: Owner = "",
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Look up what was known at each label's time, and keep the rows; what was looked up before is read, not computed."""
    if (view is None) == (not lookups):
        raise InvalidDefinitionError("Say what to look up: --view NAME, or --lookup GROUP:on=COLUMN, and not both.")
    there = opened(store)
    rows = labels_of(source_of(labels, nulls, delimiter), time, at, time_zone, target=target, inputs=inputs or (), keys=keys or (), weight=weight)
    asked = there.views.get(*named_version(view)) if view else [lookup_of(text) for text in lookups or ()]
    chosen = None if split is None else split_of(split)
    built = there.training_sets.build(name, asked, rows, split=chosen, description=description, tags=pairs(tags, "--tag"), owner=owner)
    show(_summary(built), repr(built), as_json=as_json)


@app.command("ls", epilog=example("treering training-set ls --store ./store"))
def list_sets(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the latest version of every training set."""
    found = [_summary(one) for one in opened(store, read_only=True).training_sets.list()]
    rows = [(one["name"], str(one["version"]), f"{one['rows']:,}", one["target"] or "-", _splits(one["splits"]), one["id"][:16]) for one in found]
    empty = "No training sets yet. `treering training-set build --help` shows how to make one."
    show(found, table(("training set", ">version", ">rows", "target", "splits", "id"), rows, empty=empty), as_json=as_json)


@app.command("show", epilog=example("treering training-set show late:1 --out late.parquet --store ./store"))
def show_set(name: SetName, out: Out = None, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what a training set holds and came from; with --out, write its rows to a file."""
    from treering.cli.counts import counts_table

    found = opened(store, read_only=True).training_sets.get(*named_version(name))
    if out is not None:
        write_rows(found.to_arrow(), out)
    show({**_summary(found), "receipt": found.receipt.to_json()}, repr(found), "", counts_table(found.receipt.counts), as_json=as_json)


def _summary(found: "TrainingSet") -> dict[str, Any]:
    return {
        "name": found.name,
        "version": found.version,
        "id": found.id,
        "rows": found.rows,
        "target": found.target,
        "features": list(found.features),
        "splits": found.splits,
        "warnings": list(found.receipt.warnings),
        "reused": str(found.reuse) if found.reuse else None,
    }


def _splits(splits: dict[str, int]) -> str:
    return ", ".join(f"{name} {rows:,}" for name, rows in splits.items())
