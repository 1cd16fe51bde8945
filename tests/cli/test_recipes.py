"""`treering recipe`: a recipe from a file, kept, shown and compared."""

FILE = "steps = [{step = 'FillMissing', columns = 'visib', with = 0.0}, {step = 'OneHot', columns = 'carrier'}]\n"


def test_a_recipe_is_kept_from_a_file_and_compared(run, store, files) -> None:
    (files / "preparation.toml").write_text(FILE, "utf-8")
    assert run("recipe", "save", "preparation", "preparation.toml", "--store", store, "--json").json["version"] == 1
    assert run("recipe", "save", "preparation", "preparation.toml", "--store", store, "--json").json["version"] == 1
    (files / "preparation.toml").write_text(FILE.replace("0.0", "9.0"), "utf-8")
    assert run("recipe", "save", "preparation", "preparation.toml", "--store", store, "--json").json["version"] == 2
    assert "with_ 0 -> 9" in run("recipe", "diff", "preparation", 1, 2, "--store", store).out
    assert "OneHot(carrier)" in run("recipe", "show", "preparation", "--store", store).out
    assert "preparation" in run("recipe", "ls", "--store", store).out


def test_a_mistake_in_the_file_is_named(run, store, files) -> None:
    (files / "preparation.toml").write_text(FILE.replace("OneHot", "OneHott"), "utf-8")
    refused = run("recipe", "save", "preparation", "preparation.toml", "--store", store)
    assert refused.code == 1
    assert "Did you mean 'OneHot'?" in refused.err


def test_a_zone_may_say_what_is_meant_where_clocks_change(run, files) -> None:
    (files / "local.csv").write_text("origin,at,temp\nBER,2024-10-27 02:30:00,9\n", "utf-8")
    run("init", "local")
    how = ("--like", "local.csv", "--entity", "origin", "--event-time", "at", "--type", "at=Timestamp", "--store", "local")
    run("group", "create", "doubtful", *how, "--time-zone", "Europe/Berlin")
    run("group", "create", "certain", *how, "--time-zone", "Europe/Berlin:latest")
    assert run("group", "ingest", "doubtful", "local.csv", "--store", "local").code == 1
    assert run("group", "ingest", "certain", "local.csv", "--store", "local").code == 0
