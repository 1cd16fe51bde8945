"""Advice that a command prints can be typed."""

import pytest


def test_bad_rows_are_mended_with_options(run, store) -> None:
    printed = run("group", "ingest", "weather", "weather.csv", "--store", store)
    assert printed.code == 1
    assert "pass --quarantine to keep them apart" in printed.err
    assert "say --null 'NA'." in printed.err


def test_a_drop_is_confirmed_with_an_option(run, store) -> None:
    assert "To go on, say --confirm 'weather'." in run("group", "drop", "weather", "--store", store).err


def test_times_without_a_zone_are_mended_with_an_option(run, files) -> None:
    (files / "local.csv").write_text("origin,observed_at\nEWR,2013-02-08T15:00\n", "utf-8")
    assert run("init", "store").code == 0
    assert run("group", "create", "local", "--like", "local.csv", "--entity", "origin", "--event-time", "observed_at", "--store", "store").code == 0
    assert "such as --time-zone UTC or --time-zone America/New_York" in run("group", "ingest", "local", "local.csv", "--store", "store").err


def test_a_project_file_is_advised_in_its_own_words(run, files) -> None:
    project = """
        [project]
        store = "project-store"
        [sources.weather]
        path = "weather.csv"
        [groups.weather]
        sources = "weather"
        entity = "origin"
        event_time = "observed_at"
        types = {visib = "Fractional"}
    """
    (files / "project.toml").write_text(project, "utf-8")
    assert "null_values=('', 'NA')" in run("run", "project.toml").err


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (("group", "ingest"), ("--null", "--quarantine", "--again")),
        (("group", "create"), ("--time-zone", "--date-means")),
        (("group", "drop"), ("--confirm",)),
        (("train",), ("--drop-null-targets",)),
        (("model", "predict"), ("--input",)),
    ],
)
def test_the_options_that_messages_name_are_there(command, options, run) -> None:
    told = run(*command, "--help").out
    assert [option for option in options if option not in told] == []
