"""What is written on a command line in one word: lookups, files with a key and a time, label columns, how a CSV is written."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from treering.errors import InvalidDefinitionError, did_you_mean

if TYPE_CHECKING:
    from treering.point_in_time.labels import Labels
    from treering.schema.feature_group import TimeZone
    from treering.schema.view import Lookup
    from treering.sources.csv import Csv
    from treering.storeless import Records
    from treering.training_sets.splits import Split

Nulls = Annotated[list[str] | None, typer.Option("--null", help="A word that stands for a missing value, such as NA; may be repeated.", show_default=False)]
Delimiter = Annotated[str, typer.Option(help="The character between two fields of a CSV file.")]
Time = Annotated[str | None, typer.Option(help="The column with each row's time.", show_default=False)]
At = Annotated[str | None, typer.Option(help="One time for all rows, instead of a column.", show_default=False)]
Zone = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        help="The zone of times written without one, such as UTC; Europe/Berlin:latest also says what is meant where clocks change.",
        show_default=False,
    ),
]
Target = Annotated[str | None, typer.Option(help="The column that a model learns to predict.", show_default=False)]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", help="A column known at the row's time, which feeds a model; may be repeated.", show_default=False)
]

# An option begins with its name, so that a time's own colons stay in its value.
_OPTION = re.compile(r":(?=[a-z_]+(?:=|:|$))")
_FILE = re.compile(r"(?P<file>(?:s3://)?[^:]+):(?P<key>[^:=]+):(?P<time>[^:=]+)(?P<rest>(?::.*)?)")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _commit_or_time(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


_LOOKUP: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "on": _listed,
        "features": _listed,
        "prefix": str,
        "max_age": str,
        "as_of": _commit_or_time,
        "strictly_before": lambda _: True,
        "with_age": lambda _: True,
        "with_event_time": lambda _: True,
    }
)
_RECORDS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {"available_after": str, "available_at": str, "time_zone": str, "date_means": str, "record_identifier": _listed}
)


def lookup_of(text: str) -> "Lookup":
    """Read a lookup.

    >>> lookup_of("weather:on=origin:features=temp,visib:max_age=6h:with_age")
    Lookup('weather', on=['origin'], features=['temp', 'visib'], max_age='6h', with_age=True)

    Raises:
        InvalidDefinitionError: for an option that there is not.
    """
    from treering.schema.view import Lookup

    group, *options = _OPTION.split(text)
    return Lookup(group, **_read(options, _LOOKUP, text))


def file_lookup_of(text: str, zone: "TimeZone | None" = None) -> "tuple[Lookup, Records]":
    """Read a file, the columns of its key, the column of its time, and options of the lookup and of its records.

    >>> file_lookup_of("data/weather.csv:origin:observed_at:available_after=1h")[0]
    Lookup('weather', on=['origin'])

    Args:
        text: such as stands behind `--from`.
        zone: that of times written without one, unless the text names another.

    Raises:
        InvalidDefinitionError: for text of another form.
    """
    from treering.schema.view import Lookup
    from treering.storeless import Records

    found = _FILE.fullmatch(text)
    if found is None:
        raise InvalidDefinitionError(f"--from {text!r} cannot be read. Write FILE:ENTITY:TIME, such as weather.parquet:origin:observed_at:max_age=6h.")
    options = _read(_OPTION.split(found["rest"])[1:], {**_LOOKUP, **_RECORDS}, text)
    file, key = found["file"], _listed(found["key"])
    records = {"time_zone": zone} | {name: options.pop(name) for name in list(options) if name in _RECORDS}
    name = re.sub(r"[^A-Za-z0-9_-]", "_", Path(file).name.split(".")[0])
    return Lookup(name, **({"on": key} | options)), Records(file, entity=key, event_time=found["time"], **records)


def _read(options: Iterable[str], readers: Mapping[str, Callable[[str], Any]], whole: str) -> dict[str, Any]:
    values = {}
    for option in options:
        name, _, value = option.partition("=")
        if name not in readers:
            raise InvalidDefinitionError(f"There is no option {name!r} in {whole!r}. {did_you_mean(name, readers)}")
        try:
            values[name] = readers[name](value)
        except ValueError:
            raise InvalidDefinitionError(f"{name}={value!r} in {whole!r} cannot be read: it has to be a number.") from None
    return values


_SPLITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "time": ("validation", "test", "embargo", "time_zone"),
        "fractions": ("validation", "test", "embargo"),
        "hash": ("key", "validation", "test", "seed"),
        "group": ("by", "validation", "test", "seed"),
        "column": ("column", "train", "validation", "test"),
    }
)


def split_of(text: str) -> "Split":
    """Read a split.

    >>> split_of("time:validation=2013-10-01:test=2013-11-15:embargo=1d")
    TimeSplit(validation='2013-10-01 00:00:00Z', test='2013-11-15 00:00:00Z', embargo='1d')

    Raises:
        InvalidDefinitionError: for a kind or an option that there is not.
    """
    from treering.training_sets.keyed_splits import ColumnSplit, GroupSplit, HashSplit
    from treering.training_sets.splits import TimeSplit

    kind, *options = _OPTION.split(text)
    makers: Mapping[str, Callable[..., Split]] = {
        "time": TimeSplit,
        "fractions": TimeSplit.fractions,
        "hash": HashSplit,
        "group": GroupSplit,
        "column": ColumnSplit,
    }
    if kind not in makers:
        raise InvalidDefinitionError(f"There is no split {kind!r}. {did_you_mean(kind, makers)} Write --split time:validation=2013-10-01:test=2013-11-15.")
    readers: dict[str, Callable[[str], Any]] = dict.fromkeys(_SPLITS[kind], str)
    if kind in ("fractions", "hash", "group"):
        readers |= {"validation": float, "test": float}
    readers |= {"seed": int} if "seed" in readers else {}
    readers |= {"key": _listed} if "key" in readers else {}
    return makers[kind](**_read(options, readers, text))


def source_of(location: str, nulls: Iterable[str] | None, delimiter: str) -> "str | Csv":
    """Name a file as it is, or, if it is said how it is written, as a CSV file that is written so."""
    from treering.sources.csv import Csv

    words = tuple(nulls or ())
    if not words and delimiter == ",":
        return location
    return Csv(location, null_values=("", *words), delimiter=delimiter)


def zone_of(text: str | None) -> "TimeZone | None":
    """Read a time zone, and, behind a colon, which moment is meant where its clocks change.

    >>> zone_of("Europe/Berlin:latest").ambiguous
    'latest'
    """
    from treering.schema.feature_group import TimeZone

    if text is None:
        return None
    name, colon, meant = text.partition(":")
    return TimeZone(name, ambiguous=cast("Any", meant), nonexistent=cast("Any", meant)) if colon else TimeZone(name)


def labels_of(source: object, time: str | None, at: str | None, zone: str | None, **roles: Any) -> "Labels":
    """Name labels in a file; without a word on their time, the message says how to give one."""
    from treering.point_in_time.labels import Labels

    if time is None and at is None:
        raise InvalidDefinitionError("The rows need a time: name its column with --time, or give one time for all rows with --at.")
    return Labels(source, time=time, at=at, time_zone=zone_of(zone), **roles)
