"""`treering recipe`: recipes that a store keeps, and what changed between two versions."""

from pathlib import Path
from typing import Annotated

import typer

from treering.cli.options import HERE, AsJson, Functions, Root, example, functions_of, named_version, names, opened
from treering.cli.screen import show, table

app = typer.Typer(help="Recipes, which are ordered steps over rows: save, ls, show, diff.", no_args_is_help=True)

RecipeName = Annotated[str, typer.Argument(help="The recipe; NAME:VERSION for an older one.", autocompletion=names("recipes"))]


@app.command("save", epilog=example("treering recipe save preparation preparation.toml --store ./store"))
def save(
    name: Annotated[str, typer.Argument(help="1 to 64 letters, digits, '-' and '_'.")],
    file: Annotated[Path, typer.Argument(help="A TOML file: steps = [{step = 'OneHot', columns = 'sky'}], as in a project file.")],
    functions: Functions = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Keep a recipe under a name; one that differs from the one that is there is a new version."""
    from treering.project.definition import read_recipe
    from treering.project.making import recipe_of

    table = read_recipe(file)
    kept = opened(store).recipes.save(name, recipe_of(name, table, functions_of(functions)), description=table.description)
    show(kept.to_json(), repr(kept), as_json=as_json)


@app.command("ls", epilog=example("treering recipe ls --store ./store"))
def list_recipes(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the recipes of a store."""
    found = opened(store, read_only=True).recipes.list()
    rows = [(one.name, str(one.version), "yes" if one.is_fitted else "no", " -> ".join(one.steps), one.description) for one in found]
    listed = table(("recipe", ">version", "fitted", "steps", "description"), rows, empty="No recipes yet. `treering recipe save --help` shows how to keep one.")
    show([one.to_json() for one in found], listed, as_json=as_json)


@app.command("show", epilog=example("treering recipe show preparation:2 --store ./store"))
def show_recipe(name: RecipeName, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show the steps of a recipe, and what they learned."""
    recipe = opened(store, read_only=True).recipes.describe(*named_version(name))
    show(recipe.to_json(), repr(recipe), as_json=as_json)


@app.command("diff", epilog=example("treering recipe diff preparation 1 2 --store ./store"))
def diff(
    name: RecipeName,
    old: Annotated[int, typer.Argument(help="The older version.")],
    new: Annotated[int, typer.Argument(help="The newer version.")],
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show which steps came, went or changed between two versions, and what they learned differently."""
    found = opened(store, read_only=True).recipes.diff(name, old, new)
    show(found.to_json(), str(found), as_json=as_json)
