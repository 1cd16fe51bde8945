"""The example in the help of every command, typed as it stands, one after another in one folder."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import treering as tr
from treering.cli.main import app

FILES = {
    "weather.csv": "origin,time_hour,temp,visib\nJFK,2013-11-01T00:00Z,30,NA\nJFK,2013-11-20T00:00Z,40,9\n",
    "planes.csv": "tailnum,seats\nN1,100\nN2,150\n",
    "customers.csv": "customer,joined,level\nC17,2013-01-01T00:00Z,gold\n",
    "features.py": "def plain(rows):\n    return rows\n",
    "preparation.toml": "steps = [{step = 'OneHot', columns = 'carrier'}]\n",
    "project.toml": "[project]\nstore = 'made'\n[recipes.plain]\nsteps = [{function = 'plain'}]\n",
}
FLIGHT = "2013-11-{day:02d}T06:30Z,JFK,N1,{carrier}"
# A bucket of one's own; all flights of a year.
SAID_INSTEAD = {"treering doctor --store s3://bucket/store": "treering doctor --store ./store", "treering demo": "treering demo --help"}
FIRST = ("init", "group create", "group ingest", "view create", "training-set build", "train")
LAST = ("group delete", "view drop", "group drop")
# It has ended by then, and says so.
REFUSED = "job stop"


def examples(group: typer.Typer, path: str = "") -> Iterator[tuple[str, str]]:
    for command in group.registered_commands:
        yield f"{path}{command.name or getattr(command.callback, '__name__', '')}", str(command.epilog).removeprefix("Example: ")
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from examples(inner.typer_instance, f"{inner.name} ")


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tr.Store:
    """A folder with the files that the examples name, and what no example makes: two groups more, two versions of a recipe."""
    monkeypatch.chdir(tmp_path)
    flights = [FLIGHT.format(day=day, carrier="UA" if day % 3 else "B6") for day in range(2, 28)]
    rows = {"flights.csv": ("departs_at,origin,tailnum,carrier,late", [f"{flight},{number % 2}" for number, flight in enumerate(flights)])}
    rows["tonight.csv"] = ("departs_at,origin,tailnum,carrier", flights[-2:])
    for name, text in {**FILES, **{name: "\n".join([header, *lines]) for name, (header, lines) in rows.items()}}.items():
        (tmp_path / name).write_text(text, "utf-8")
    store = tr.Store("store")
    for name, key, time in (("planes", "tailnum", tr.STATIC), ("customers", "customer", "joined")):
        store.feature_groups.create(name, entity=key, event_time=time, schema=tr.schema_of(f"{name}.csv")).ingest(f"{name}.csv")
    for steps in ([tr.OneHot("carrier")], [tr.OneHot("carrier"), tr.FillMissing("temp", with_=0.0)]):
        store.recipes.save("preparation", tr.Recipe(steps))
    return store


def test_every_example_runs_as_it_stands(run, prepared: tr.Store) -> None:
    lines = dict(examples(app))
    order = (*FIRST, *(name for name in lines if name not in (*FIRST, *LAST)), *LAST)
    for name in order:
        _, *words = shlex.split(SAID_INSTEAD.get(lines[name], lines[name]))
        ended = run(*words)
        assert (name, ended.code, ended.err) == (name, 0, "") or (name, ended.code) == (REFUSED, 1), f"{lines[name]}\n{ended.out}{ended.err}"
