"""`treering group`: feature groups are created, listed, shown, filled and corrected."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from treering.cli.options import HERE, AsJson, Description, Functions, Group, Out, Owner, Root, Tags, example, functions_of, named_version, opened, pairs
from treering.cli.screen import facts, rows_shown, show, table, write_rows
from treering.cli.specs import Delimiter, Nulls, Zone, source_of, zone_of
from treering.errors import InvalidDefinitionError, KeyTypeError

if TYPE_CHECKING:
    from rich.text import Text

    from treering.feature_groups.feature_group import FeatureGroup
    from treering.schema.feature_group import Static
    from treering.schema.types import Schema

app = typer.Typer(help="Feature groups: create, ls, show, ingest, history, delete, drop.", no_args_is_help=True)

_COLUMNS = ("group", "by", "event time", "known", ">columns", ">commits", ">rows")


@app.command("ls", epilog=example("treering group ls --store ./store"))
def list_groups(store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the feature groups of a store."""
    found = [_summary(group) for group in opened(store, read_only=True).feature_groups.list()]
    rows = [
        (one["group"], ", ".join(one["by"]), one["event_time"], one["known"], *(f"{one[name]:,}" for name in ("columns", "commits", "rows"))) for one in found
    ]
    show(found, table(_COLUMNS, rows, empty="No feature groups yet. `treering group create --help` shows how to make one."), as_json=as_json)


def _summary(group: "FeatureGroup") -> dict[str, Any]:
    definition, commits = group.definition, group.commits()
    return {
        "group": definition.name,
        "by": list(definition.entity),
        "event_time": definition.event_time_text,
        "known": definition.known_text,
        "columns": len(group.schema),
        "commits": len(commits),
        "rows": sum(commit.rows for commit in commits),
        "description": definition.description,
        "tags": dict(definition.tags),
        "owner": definition.owner,
    }


@app.command("show", epilog=example("treering group show weather --store ./store"))
def show_group(name: Group, store: Root = HERE, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what is declared about a group, its columns, and what is in them."""
    from treering.schema.serialise import to_json

    group = opened(store, read_only=True).feature_groups[name]
    summary, statistics = _summary(group), group.statistics()
    named = {title: summary[title.replace(" ", "_")] for title in ("event time", "known", "description", "owner")}
    tags = ", ".join(f"{tag}={value}" for tag, value in summary["tags"].items())
    about = facts({"group": name, "by": ", ".join(summary["by"]), **named, "tags": tags, "commits": summary["commits"], "rows": f"{summary['rows']:,}"})
    show({**summary, "definition": to_json(group.definition), "statistics": statistics.to_json()}, about, "", _pictured(str(statistics)), as_json=as_json)


def _pictured(statistics: str) -> "Text":
    """Put colour on a table of statistics: its heading stands back, its histograms come forward."""
    from rich.text import Text

    text = Text(statistics)
    text.highlight_regex(r"[\u2581-\u2588]+", "green")
    text.highlight_regex(r"(?m)^  column .*$", "dim")
    return text


@app.command(
    "create",
    epilog=example("treering group create weather --like weather.csv --null NA --entity origin --event-time time_hour --available-after 1h --store ./store"),
)
def create(
    name: Annotated[str, typer.Argument(help="1 to 64 letters, digits, '-' and '_'.")],
    like: Annotated[str, typer.Option(help="A file whose columns and types the group takes.")],
    entity: Annotated[list[str], typer.Option(help="The column that labels look up by; repeat it for a key of several.")],
    event_time: Annotated[str | None, typer.Option(help="The column with the time of the event.", show_default=False)] = None,
    static: Annotated[bool, typer.Option("--static", help="Instead of an event time: the records are known always.")] = False,  # noqa: FBT002
    types: Annotated[
        list[str] | None, typer.Option("--type", help="COLUMN=TYPE, where the inferred type is not meant; may be repeated.", show_default=False)
    ] = None,
    record_identifier: Annotated[list[str] | None, typer.Option(help="Columns that tell records of one entity and moment apart.", show_default=False)] = None,
    available_after: Annotated[str | None, typer.Option(help="How long after its event a record becomes known, such as 1h.", show_default=False)] = None,
    available_at: Annotated[str | None, typer.Option(help="The column with the time at which a record became known.", show_default=False)] = None,
    time_zone: Zone = None,
    date_means: Annotated[str | None, typer.Option(help="For dates: start_of_day, end_of_day, or a time after the day's start.", show_default=False)] = None,
    nulls: Nulls = None,
    delimiter: Delimiter = ",",
    description: Description = "",
    tags: Tags = None,
    owner: Owner = "",
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Declare a feature group: its key, its clocks, its columns. No rows are read into it yet."""
    from treering.schema.types import Schema
    from treering.sources.source import open_source

    there = opened(store)
    schema = Schema.of(open_source(source_of(like, nulls, delimiter), there.settings).arrow_schema(), **pairs(types, "--type"))
    group = there.feature_groups.create(
        name,
        entity=entity,
        event_time=_event_time(name, event_time, static, schema),
        schema=schema,
        record_identifier=record_identifier or (),
        available_after=available_after,
        available_at=available_at,
        time_zone=zone_of(time_zone),
        date_means=date_means,
        description=description,
        tags=pairs(tags, "--tag"),
        owner=owner,
    )
    show(_summary(group), repr(group), f"\nFill it: {_ingesting(name, like, nulls, store)}", as_json=as_json)


def _event_time(group: str, event_time: str | None, static: bool, schema: "Schema") -> "str | Static":  # noqa: FBT001
    """Choose the clock. A group that is static because a word was left out would show every label the future."""
    from treering.schema.feature_group import STATIC
    from treering.schema.types import FeatureType

    if event_time is not None and not static:
        return event_time
    if static and event_time is None:
        return STATIC
    times = ", ".join(feature.name for feature in schema if feature.type is FeatureType.TIMESTAMP)
    raise InvalidDefinitionError(
        f"Say when the records of {group!r} happened: --event-time COLUMN{f' (there is {times})' if times else ''}, or --static if they are known always."
    )


def _ingesting(name: str, like: str, nulls: list[str] | None, store: str) -> str:
    words = [word for null in nulls or () for word in ("--null", null)]
    return shlex.join(["treering", "group", "ingest", name, like, *words, *(() if store == HERE else ("--store", store))])


@app.command("ingest", epilog=example("treering group ingest weather weather.csv --null NA --store ./store"))
def ingest(
    name: Group,
    source: Annotated[str, typer.Argument(help="A .csv, .csv.gz, .zip or .parquet file, a folder or pattern of them, local or s3://.")],
    nulls: Nulls = None,
    delimiter: Delimiter = ",",
    recipe: Annotated[str | None, typer.Option(help="A stored recipe, NAME or NAME:VERSION, that the rows go through first.", show_default=False)] = None,
    functions: Functions = None,
    token: Annotated[str | None, typer.Option(help="Makes the call safe to repeat: the same token writes once.", show_default=False)] = None,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Keep bad rows apart and take the others.")] = False,  # noqa: FBT002
    again: Annotated[bool, typer.Option("--again", help="Write content that is in already once more.")] = False,  # noqa: FBT002
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Append the rows of a file: all of them become visible, or none."""
    there = opened(store)
    applied = None if recipe is None else there.recipes.get(*named_version(recipe), functions=functions_of(functions))
    report = there.feature_groups[name].ingest(
        source_of(source, nulls, delimiter), token=token, on_bad_rows="quarantine" if quarantine else "error", recipe=applied, again=again
    )
    show(report.to_json(), str(report), as_json=as_json)


@app.command("history", epilog=example("treering group history weather JFK --store ./store"))
def history(
    name: Group,
    key: Annotated[list[str], typer.Argument(help="The entity's value, or its values in the entity's order.")],
    limit: Annotated[int, typer.Option(help="How many records to show.")] = 20,
    out: Out = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show every record of one entity: replaced ones and deletions too, with when each was known and written."""
    group = opened(store, read_only=True).feature_groups[name]
    rows = group.history(_key(group, key))
    if out is not None:
        write_rows(rows, out)
    show(rows.to_pylist(), *rows_shown(rows, limit), as_json=as_json)


@app.command("delete", epilog=example("treering group delete customers C17 --from 2013-10-01T00:00Z --store ./store"))
def delete(
    name: Group,
    key: Annotated[list[str], typer.Argument(help="The record identifier's value, or its values in the identifier's order.")],
    event_time: Annotated[str | None, typer.Option("--from", help="From when on, with its zone; left out for a static group.", show_default=False)] = None,
    available_at: Annotated[str | None, typer.Option(help="When the deletion became known; now, if left out.", show_default=False)] = None,
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Say that from a moment on an identifier has no features; what was before stays true."""
    group = opened(store).feature_groups[name]
    columns = group.definition.record_identifier
    values = _values(group, columns, key)
    report = group.delete({column: [value] for column, value in values.items()}, event_time, available_at=available_at)
    show(report.to_json(), str(report), as_json=as_json)


@app.command("drop", epilog=example("treering group drop weather --confirm weather --store ./store"))
def drop(
    name: Group,
    confirm: Annotated[str, typer.Option(help="The name again.", show_default=False)] = "",
    store: Root = HERE,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Take a group out of the store; its files stay in its folder."""
    opened(store).feature_groups.drop(name, confirm=confirm)
    show({"dropped": name}, f"{name!r} is out of the store; its files stay in its folder.", as_json=as_json)


def _key(group: "FeatureGroup", key: list[str]) -> Any:
    values = _values(group, group.definition.entity, key)
    return values if len(values) > 1 else next(iter(values.values()))


def _values(group: "FeatureGroup", columns: tuple[str, ...], key: list[str]) -> dict[str, Any]:
    """Read what was typed as the types of the group's columns."""
    if len(key) != len(columns):
        raise KeyTypeError(f"{group.definition.name!r} is identified by {', '.join(columns)}: give {len(columns)} values, in that order.")
    return {column: _value(group, column, text) for column, text in zip(columns, key, strict=True)}


def _value(group: "FeatureGroup", column: str, text: str) -> Any:
    import pyarrow as pa

    kind = group.schema[column].arrow_type
    try:
        return pa.scalar(text).cast(kind).as_py()
    except pa.ArrowInvalid:
        raise KeyTypeError(f"{text!r} is no {group.schema[column].type}, which {column!r} of {group.definition.name!r} holds.") from None
