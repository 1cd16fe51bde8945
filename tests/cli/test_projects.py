"""`treering run`: a project from its file, twice."""

FILE = """
[sources.weather]
path = "weather.csv"
null_values = "NA"
[groups.weather]
sources = "weather"
entity = "origin"
event_time = "observed_at"
"""


def test_a_project_is_run_and_then_reused(run, files) -> None:
    (files / "project.toml").write_text(FILE, "utf-8")
    first = run("run", "project.toml", "--store", "made")
    assert first.code == 0
    assert "4 rows processed" in first.out
    again = run("run", "project.toml", "--store", "made")
    assert "Everything was there: nothing was written." in again.out
    assert run("run", "project.toml", "--store", "made", "--json").json["rows_processed"] == 0


def test_a_project_without_a_store_says_how_to_name_one(run, files) -> None:
    (files / "project.toml").write_text(FILE, "utf-8")
    refused = run("run", "project.toml")
    assert refused.code == 1
    assert "--store" in refused.err


def test_functions_that_cannot_be_imported_are_named(run, files) -> None:
    (files / "project.toml").write_text(FILE, "utf-8")
    refused = run("run", "project.toml", "--store", "made", "--functions", "nothing.py")
    assert refused.code == 1
    assert "nothing.py cannot be imported" in refused.err


def test_functions_that_break_or_hide_behind_another_module_are_no_bug_of_ours(run, files) -> None:
    (files / "project.toml").write_text(FILE, "utf-8")
    (files / "broken_features.py").write_text("undefined\n", "utf-8")
    (files / "json.py").write_text("", "utf-8")
    for file, reason in (("broken_features.py", "NameError: name 'undefined' is not defined"), ("json.py", "Rename the file")):
        refused = run("run", "project.toml", "--store", "made", "--functions", file)
        assert (refused.code, reason in refused.err, "Traceback" in refused.err) == (1, True, False)
