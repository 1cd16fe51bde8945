"""`treering view`: named lookups that many training sets are built from."""

from typing import Annotated

import typer

from treering.cli.options import HERE, AsJson, Description, Owner, Root, Tags, example, named_version, names, opened, pairs
from treering.cli.screen import show, table
from treering.cli.specs import lookup_of

app = typer.Typer(help="Views, which are named lookups: create, ls, show, drop.", no_args_is_help=True)

ViewName = Annotated[str, typer.Argument(help="The view; NAME:VERSION for an older one.", autocompletion=names("views"))]
Lookups = Annotated[
    list[str], typer.Option("--lookup", "-l", help="GROUP:on=COLUMN:features=A,B:max_age=6h:with_age, in the order of the columns; may be repeated.")
]


@app.command(
    "create", epilog=example("treering view create late_arrivals -l weather:on=origin:features=temp,visib:max_age=6h -l planes:on=tailnum --store ./store")
)
def create(
    name: Annotated[str, typer.Argument(help="1 to 64 letters, digits, '-' and '_'.")],
    lookups: Lookups,
    description: Description = "",
    tags: Tags = None,
    owner: Owner = "",
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Keep lookups under a name."""
    from treering.schema.serialise import to_json

    asked = [lookup_of(text) for text in lookups]
    view = opened(store).views.create(name, asked, description=description, tags=pairs(tags, "--tag"), owner=owner)
    show(to_json(view), repr(view), as_json=as_json)


@app.command("ls", epilog=example("treering view ls --store ./store"))
def list_views(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the views of a store."""
    from treering.schema.serialise import to_json

    found = opened(store, read_only=True).views.list()
    rows = [(view.name, ", ".join(view.groups), view.description) for view in found]
    listed = table(("view", "looks up", "description"), rows, empty="No views yet. `treering view create --help` shows how to make one.")
    show([to_json(view) for view in found], listed, as_json=as_json)


@app.command("show", epilog=example("treering view show late_arrivals --store ./store"))
def show_view(name: ViewName, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what a view looks up."""
    from treering.schema.serialise import to_json

    view = opened(store, read_only=True).views.get(*named_version(name))
    show(to_json(view), repr(view), as_json=as_json)


@app.command("drop", epilog=example("treering view drop late_arrivals --confirm late_arrivals --store ./store"))
def drop(
    name: ViewName,
    confirm: Annotated[str, typer.Option(help="The name again.", show_default=False)] = "",
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Take a view out of the store; training sets that came from it stay whole."""
    opened(store).views.drop(name, confirm=confirm)
    show({"dropped": name}, f"View {name!r} is out of the store.", as_json=as_json)
