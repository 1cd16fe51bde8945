"""`treering lookup`, `explain` and `sql`: answers from files as they are, and from a store."""

import pyarrow.parquet as pq

FROM = "weather.csv:origin:observed_at:available_after=1h"


def test_files_are_looked_up_without_a_store(run, files) -> None:
    counted = run("lookup", "flights.csv", "--time", "departs", "--from", FROM, "--null", "NA", "--out", "out.parquet", "--json")
    assert counted.json["counts"][0]["matched"] == 3
    assert (counted.json["rows"], counted.json["out"], "answers" in counted.json) == (4, "out.parquet", False)
    assert pq.read_table(files / "out.parquet")["temp"].to_pylist() == [30, 29, 31, None]


def test_a_view_of_a_store_gives_the_same(run, store, files) -> None:
    run("lookup", "flights.csv", "--time", "departs", "--view", "late", "--store", store, "--out", "out.csv")
    assert (files / "out.csv").read_text("utf-8").splitlines()[2].startswith('"EWR"')
    assert (files / "out.csv").read_text("utf-8").splitlines()[2].endswith(",29,")


def test_programs_get_the_rows_themselves(run, store) -> None:
    told = run("lookup", "flights.csv", "--time", "departs", "--view", "late", "--store", store, "--json").json
    assert [row["temp"] for row in told["answers"]] == [30, 29, 31, None]


def test_rows_and_counts_are_shown(run, store) -> None:
    printed = run("lookup", "flights.csv", "--time", "departs", "--lookup", "weather:on=origin:features=temp", "--store", store).out
    assert "4 rows" in printed
    assert "no history" in printed


def test_a_cell_is_explained(run, store) -> None:
    told = run("explain", "flights.csv", 1, "temp", "--time", "departs", "--view", "late", "--store", store)
    assert "known 30min too late" in told.out
    assert run("explain", "flights.csv", 1, "temp", "--time", "departs", "--view", "late", "--store", store, "--json").json["value"] == 29


def test_rows_without_a_time_are_told_how_to_give_one(run, store) -> None:
    refused = run("lookup", "flights.csv", "--view", "late", "--store", store)
    assert refused.code == 1
    assert "--time" in refused.err


def test_one_zone_stands_for_all_files_that_name_none(run, files) -> None:
    for name in ("weather.csv", "flights.csv"):
        (files / name).write_text((files / name).read_text("utf-8").replace("Z,", ","), "utf-8")
    zoned = ("lookup", "flights.csv", "--time", "departs", "--null", "NA", "--json", "--time-zone", "UTC")
    assert run(*zoned, "--from", FROM).json["counts"][0]["matched"] == 3
    assert run(*zoned, "--from", f"{FROM}:time_zone=Asia/Tokyo").json["counts"][0]["withheld"] == 0


def test_one_has_to_say_where_to_look_and_once(run, store) -> None:
    for where in ((), ("--view", "late", "--from", FROM)):
        refused = run("lookup", "flights.csv", "--time", "departs", *where, "--store", store)
        assert refused.code == 1
        assert "--from FILE:ENTITY:TIME" in refused.err


def test_an_option_that_there_is_not_is_told_the_nearest(run, store) -> None:
    refused = run("lookup", "flights.csv", "--time", "departs", "--lookup", "weather:on=origin:max_ago=6h", "--store", store)
    assert "Did you mean 'max_age'?" in refused.err


def test_a_file_of_unknown_kind_is_not_written(run, store, files) -> None:
    refused = run("lookup", "flights.csv", "--time", "departs", "--view", "late", "--store", store, "--out", "out.xlsx")
    assert refused.code == 1
    assert ".csv or .parquet" in refused.err
    assert not list(files.glob("*xlsx*"))


def test_a_folder_that_there_is_not_is_named_before_anything_is_looked_up(run, store) -> None:
    refused = run("lookup", "no-such-file.csv", "--time", "departs", "--view", "late", "--store", store, "--out", "nowhere/out.csv")
    assert (refused.code, refused.out) == (1, "")
    assert "no folder nowhere" in refused.err


def test_columns_that_a_csv_cannot_hold_leave_no_file(run, store, files) -> None:
    refused = run("sql", "select [1, 2] as pair from weather", "--out", "pairs.csv", "--store", store)
    assert refused.code == 1
    assert "Name a .parquet file" in refused.err
    assert not list(files.glob("*pairs*")) + list(files.glob(".*pairs*"))


def test_numbers_that_json_does_not_have_are_null(run, store) -> None:
    printed = run("sql", "select 'nan'::double as x, '-inf'::double as y from weather limit 1", "--store", store, "--json")
    assert printed.json == [{"x": None, "y": None}]


def test_a_query_is_answered(run, store) -> None:
    rows = run("sql", "select origin, count(*) as n from weather group by origin order by origin", "--store", store, "--json").json
    assert rows == [{"origin": "EWR", "n": 3}, {"origin": "JFK", "n": 1}]
    assert run("sql", "select 1 from read_csv('weather.csv')", "--store", store).code == 1
