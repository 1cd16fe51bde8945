"""`treering group`: what each command does to a store, and what it prints."""

import pytest

from treering.store import Store


def test_a_group_is_static_only_if_it_is_said(run, store) -> None:
    asked = ("group", "create", "planes", "--like", "weather.csv", "--entity", "origin", "--store", store)
    for clocks in ((), ("--static", "--event-time", "observed_at")):
        refused = run(*asked, *clocks)
        assert refused.code == 1
        assert "--event-time COLUMN (there is observed_at), or --static if they are known always." in refused.err
    assert "'planes' by origin: static" in run(*asked, "--static").out


def test_groups_are_listed_with_their_clocks(run, store) -> None:
    (group,) = run("group", "ls", "--store", store, "--json").json
    assert {name: group[name] for name in ("group", "by", "event_time", "rows", "commits")} == {
        "group": "weather",
        "by": ["origin"],
        "event_time": "observed_at",
        "rows": 4,
        "commits": 1,
    }
    assert "weather" in run("group", "ls", "--store", store).out


def test_a_store_without_groups_says_how_to_make_one(run, tmp_path) -> None:
    Store(tmp_path / "empty")
    printed = run("group", "ls", "--store", tmp_path / "empty")
    assert (printed.code, printed.out) == (0, "No feature groups yet. `treering group create --help` shows how to make one.\n")


def test_the_store_may_be_named_by_a_variable(run, store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREERING_STORE", store)
    assert len(run("group", "ls", "--json").json) == 1


def test_a_group_is_shown_with_its_statistics(run, store) -> None:
    shown = run("group", "show", "weather", "--store", store, "--json").json
    assert shown["description"] == "Hourly weather"
    assert shown["statistics"]["columns"]["visib"]["nulls"] == 1
    printed = run("group", "show", "weather", "--store", store).out
    assert "domain=flights" in printed
    assert "visib" in printed


def test_the_same_file_again_writes_nothing_and_says_so(run, store) -> None:
    again = run("group", "ingest", "weather", "weather.csv", "--null", "NA", "--store", store)
    assert again.code == 0
    assert "nothing was written" in again.out
    assert len(Store(store).feature_groups["weather"].commits()) == 1


def test_bad_rows_exit_with_1_and_are_named_by_line(run, store, files) -> None:
    (files / "bad.csv").write_text("origin,observed_at,temp,visib\nEWR,2013-02-08T18:00Z,warm,1\n", "utf-8")
    refused = run("group", "ingest", "weather", "bad.csv", "--store", store)
    assert (refused.code, refused.out) == (1, "")
    assert "line 2" in refused.err
    taken = run("group", "ingest", "weather", "bad.csv", "--quarantine", "--store", store, "--json")
    assert sum(taken.json["rejected"].values()) == 1


def test_the_history_of_one_entity_is_shown(run, store) -> None:
    rows = run("group", "history", "weather", "EWR", "--store", store, "--json").json
    assert [row["temp"] for row in rows] == [30, 29, 28]


def test_a_history_is_written_to_a_file(run, store, files) -> None:
    run("group", "history", "weather", "EWR", "--out", "ewr.csv", "--store", store)
    assert (files / "ewr.csv").read_text("utf-8").count("EWR") == 3


def test_a_deletion_takes_an_identifier_out(run, store) -> None:
    assert run("group", "delete", "weather", "EWR", "--from", "2013-02-08T18:00Z", "--store", store).code == 0
    assert Store(store).feature_groups["weather"].latest()["origin"].to_pylist() == ["JFK"]


def test_dropping_asks_for_the_name_again(run, store) -> None:
    refused = run("group", "drop", "weather", "--store", store)
    assert refused.code == 1
    assert "view 'late'" in refused.err
    assert run("group", "drop", "weather", "--confirm", "weather", "--store", store).code == 0
    assert run("group", "ls", "--store", store, "--json").json == []


def test_a_mistyped_group_is_told_the_nearest(run, store) -> None:
    assert "Did you mean 'weather'?" in run("group", "show", "wether", "--store", store).err


def test_an_option_without_its_value_says_how_to_write_it(run, store) -> None:
    refused = run("group", "create", "planes", "--like", "weather.csv", "--entity", "origin", "--static", "--tag", "domain", "--store", store)
    assert refused.code == 1
    assert "--tag NAME=VALUE" in refused.err
