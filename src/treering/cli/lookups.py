"""`treering lookup` and `treering explain`: what was known at each row's time, from a store or from files as they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from treering.cli.counts import counts_table
from treering.cli.options import HERE, AsJson, Out, Root, named_version, opened
from treering.cli.screen import answers_json, console, rows_shown, show, write_rows
from treering.cli.specs import At, Delimiter, Nulls, Time, Zone, file_lookup_of, labels_of, lookup_of, source_of
from treering.errors import InvalidDefinitionError

if TYPE_CHECKING:
    from treering.point_in_time.labels import Labels
    from treering.point_in_time.local import LookupResult

Rows = Annotated[str, typer.Argument(help="The rows to answer: a CSV or Parquet file, local or s3://.")]
Files = Annotated[
    list[str] | None, typer.Option("--from", help="FILE:ENTITY:TIME[:available_after=1h...], without a store; may be repeated.", show_default=False)
]
Lookups = Annotated[
    list[str] | None, typer.Option("--lookup", "-l", help="GROUP:on=COLUMN:features=A,B:max_age=6h of the store; may be repeated.", show_default=False)
]
ViewName = Annotated[str | None, typer.Option("--view", help="A view of the store, NAME or NAME:VERSION.", show_default=False)]


def lookup(
    rows: Rows,
    files: Files = None,
    lookups: Lookups = None,
    view: ViewName = None,
    time: Time = None,
    at: At = None,
    time_zone: Zone = None,
    nulls: Nulls = None,
    delimiter: Delimiter = ",",
    out: Out = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Give every row the features that were known at its time: rows in, the same rows out, in their order."""
    labels = labels_of(source_of(rows, nulls, delimiter), time, at, time_zone)
    result = _looked_up(labels, files, lookups, view, store)
    if out is not None:
        write_rows(result.to_arrow(), out)
    written = [] if out is None else [f"\nAll {len(result):,} rows are in {out}."]
    counts = [count.to_json() for count in result.counts]
    show(answers_json(result.to_arrow(), counts, out), *rows_shown(result.to_arrow()), "", counts_table(counts), *written, as_json=as_json)


def explain(
    rows: Rows,
    row: Annotated[int, typer.Argument(help="Which row, counted from 0.")],
    column: Annotated[str, typer.Argument(help="A looked-up column.")],
    files: Files = None,
    lookups: Lookups = None,
    view: ViewName = None,
    time: Time = None,
    at: At = None,
    time_zone: Zone = None,
    nulls: Nulls = None,
    delimiter: Delimiter = ",",
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Say why one cell holds what it holds: each record that could have answered, and why each other did not."""
    from dataclasses import asdict

    labels = labels_of(source_of(rows, nulls, delimiter), time, at, time_zone)
    told = _looked_up(labels, files, lookups, view, store).explain(row, column)
    if as_json:
        show(asdict(told), as_json=True)
    else:
        console().print(told, soft_wrap=True)


def _looked_up(labels: "Labels", files: Sequence[str] | None, lookups: Sequence[str] | None, view: str | None, store: str) -> "LookupResult":
    from treering.storeless import lookup as look_up_in_files

    if sum(map(bool, (files, lookups, view))) != 1:
        raise InvalidDefinitionError("Say where to look: --from FILE:ENTITY:TIME without a store, or --view NAME or --lookup GROUP:... with one.")
    if files:
        asked = [file_lookup_of(text, labels.time_zone) for text in files]
        return look_up_in_files(labels, [one for one, _ in asked], {one.group: records for one, records in asked})
    there = opened(store, read_only=True)
    return there.lookup(labels, there.views.get(*named_version(view)) if view else [lookup_of(text) for text in lookups or ()])
