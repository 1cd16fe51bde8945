"""`treering sql`: one SELECT over the feature groups of a store."""

from typing import Annotated

import typer

from treering.cli.options import HERE, AsJson, Out, Root, opened
from treering.cli.screen import rows_shown, show, write_rows


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; every group is a table under its name.")],
    limit: Annotated[int, typer.Option(help="How many rows to show.")] = 20,
    out: Out = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Ask the log of records, replaced ones and deletions included; the query reaches nothing but the groups."""
    rows = opened(store, read_only=True).sql(query)
    if out is not None:
        write_rows(rows, out)
    show(rows.to_pylist(), *rows_shown(rows, limit), as_json=as_json)
