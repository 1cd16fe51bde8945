"""`treering init`, `search`, `doctor`, `relocate` and `clean`: a store as a whole."""

from typing import Annotated

import typer

from treering.cli.options import HERE, AsJson, Root, Tags, opened, pairs
from treering.cli.screen import show, table

_MARKS = {"good": "✓", "note": "·", "bad": "✗"}


def init(
    root: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.")] = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Make a store; one that is there already is left as it is."""
    from treering.store import Store

    store = Store(root)
    after = f"There is a store at {store.root}.\n\nDeclare a feature group:  treering group create NAME --like FILE.csv --entity KEY --event-time TIME --store {root}"
    show({"store": store.root}, after, as_json=as_json)


def search(
    text: Annotated[str, typer.Argument(help="Words to find in names, descriptions, tags and owners; all of them have to be there.")] = "",
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as feature.", show_default=False)] = None,
    tags: Tags = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Find feature groups, features, views, training sets, models and recipes, with who uses them and how fresh they are."""
    found = opened(store, read_only=True).search(text, kind=kind, tags=pairs(tags, "--tag"))
    listed = [table(found.cells[0], found.cells[1:], empty="")] if found else []
    show(found.to_json(), found.heading, *listed, as_json=as_json)


def relocate(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Make the place where a store stands its own, after it was moved or copied."""
    there = opened(store)
    there.relocate()
    show({"store": there.root}, f"The store at {there.root} may be written to, and read by others by path.", as_json=as_json)


def doctor(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Look at versions, credentials, endpoint, conditional create and clock, and say what to do."""
    from treering.doctor import Verdict, examine

    findings = examine(store)
    rows = [(_MARKS[str(one.verdict)], one.what, one.found + (f"\n{one.advice}" if one.advice else "")) for one in findings]
    show([one.to_json() for one in findings], table(("", "looked at", "found"), rows, empty=""), as_json=as_json)
    if any(one.verdict is Verdict.BAD for one in findings):
        raise typer.Exit(1)


def clean(
    older_than: Annotated[str, typer.Option(help="How old a file has to be; younger ones may belong to a writer at work.")] = "1d",
    remove: Annotated[bool, typer.Option("--remove", help="Remove them; without it they are listed only.")] = False,  # noqa: FBT002
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List, and with --remove remove, files that killed writers left behind: no document and no commit names them."""
    report = opened(store, read_only=not remove).clean(older_than, remove=remove)
    show(report.to_json(), str(report), as_json=as_json)
