"""The project of the documentation, run: what is new, what is reused, and what a change brings."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from treering.errors import LabelsError, ProjectError, TreeringError
from treering.project.definition import read_project
from treering.project.report import Done, Outcome, ProjectReport
from treering.project.run import run_project, store_of

PAGE = (Path(__file__).parents[2] / "docs" / "project.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def with_hour(flights: pd.DataFrame) -> pd.DataFrame:
    return flights.assign(hour=pd.to_datetime(flights["departs"], utc=True).dt.hour)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project file and its raw data."""
    (tmp_path / "project.toml").write_text(block("toml"), "utf-8")
    (tmp_path / "raw").mkdir()
    random, hours = np.random.default_rng(0), pd.date_range("2013-01-01", periods=720, freq="h", tz="UTC")
    weather = pd.DataFrame({"origin": np.repeat(["EWR", "JFK"], 720), "observed_at": [*hours, *hours]})
    weather["gust"] = random.choice([10.0, 20.0, np.nan], 1_440)
    weather["sky"] = random.choice([" clear", "rain "], 1_440)
    weather.to_csv(tmp_path / "raw" / "weather.csv", index=False, na_rep="NA")
    flights = pd.DataFrame({"origin": random.choice(["EWR", "JFK"], 1_000), "departs": random.choice(hours[3:], 1_000)})
    flights["carrier"], flights["late"] = random.choice(["UA", "B6"], 1_000), random.integers(0, 2, 1_000)
    flights.to_csv(tmp_path / "raw" / "flights.csv", index=False)
    return tmp_path


def run(folder: Path, **functions: object) -> ProjectReport:
    project = read_project(folder / "project.toml")
    return run_project(project, store_of(project), functions or {"with_hour": with_hour})


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in (folder / "store").rglob("*") if path.is_file()}


def new_in(report: ProjectReport) -> set[str]:
    return {one.kind for one in report.done if one.outcome is not Outcome.REUSED}


def test_a_second_run_writes_nothing(folder: Path) -> None:
    first = run(folder)
    assert first.rows_processed == 1_440 + 1_000
    before = listing(folder)
    second = run(folder)
    assert second.wrote_nothing
    assert second.rows_processed == 0
    assert listing(folder) == before


def test_the_first_run_makes_all_that_the_page_lists(folder: Path) -> None:
    done = run(folder).done
    shown = [line.split()[1:3] for line in PAGE.splitlines() if line.startswith("new     ")]
    assert [one.kind.split()[0] for one in done] == [kind for kind, _ in shown]
    store = store_of(read_project(folder / "project.toml"))
    assert store.feature_groups["weather"].schema["gust"].description.startswith("Miles per hour")
    assert store.feature_groups["weather"].to_pandas()["gust"].notna().all()
    assert set(store.training_sets["late"].splits) == {"train", "validation", "test", "embargo"}


def test_another_parameter_trains_another_model_and_nothing_else(folder: Path) -> None:
    run(folder)
    text = (folder / "project.toml").read_text("utf-8")
    (folder / "project.toml").write_text(text.replace("max_depth = 3", "max_depth = 4"), "utf-8")
    assert new_in(run(folder)) == {"training job"}


def test_more_data_goes_through_to_the_model(folder: Path) -> None:
    run(folder)
    with (folder / "raw" / "weather.csv").open("a", encoding="utf-8") as file:
        file.write("EWR,2013-02-01T00:00Z,15.0,clear\n")
    assert new_in(run(folder)) == {"ingestion", "training set", "training job"}


def test_another_recipe_for_the_same_rows_changes_what_was_known_then(folder: Path) -> None:
    run(folder)
    text = (folder / "project.toml").read_text("utf-8")
    (folder / "project.toml").write_text(text.replace('columns = "gust", with = 0.0', 'columns = "gust", with = -1.0'), "utf-8")
    done = {one.kind: one.outcome for one in run(folder).done}
    assert done["ingestion"] is Outcome.CHANGED
    gusts = store_of(read_project(folder / "project.toml")).training_sets["late"].to_pandas()["gust"]
    assert gusts.notna().all()
    assert set(gusts) == {-1.0, 10.0, 20.0}


def test_another_recipe_for_the_labels_builds_another_set(folder: Path) -> None:
    run(folder)
    text = (folder / "project.toml").read_text("utf-8")
    earlier = '{function = "with_hour"}, {step = "Compute", column = "hour", expression = "hour / 24"}'
    (folder / "project.toml").write_text(text.replace('{function = "with_hour"}', earlier), "utf-8")
    assert new_in(run(folder)) == {"recipe", "training set", "training job"}


def test_a_groups_clock_is_not_changed_in_silence(folder: Path) -> None:
    run(folder)
    text = (folder / "project.toml").read_text("utf-8")
    (folder / "project.toml").write_text(text.replace('available_after = "1h"', 'available_after = "2h"'), "utf-8")
    before = listing(folder)
    with pytest.raises(ProjectError, match=r"\[groups.weather\] no longer says .*\(availability\).* treering group drop weather"):
        run(folder)
    assert listing(folder) == before


def test_two_runs_at_once_both_end_well(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: run(folder), range(2)))
    made = [one for report in reports for one in report.done if one.kind == "feature group"]
    assert {one.outcome for one in made} == {Outcome.NEW}
    assert run(folder).wrote_nothing


def test_a_run_that_was_interrupted_goes_on_where_it_was(folder: Path) -> None:
    project = read_project(folder / "project.toml")

    def interrupt(one: Done) -> None:
        if one.kind == "training set":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_project(project, store_of(project), {"with_hour": with_hour}, on_done=interrupt)
    assert new_in(run(folder)) == {"training job"}


def test_a_store_that_lost_its_memory_of_a_project_reprocesses_nothing(folder: Path) -> None:
    run(folder)
    shutil.rmtree(folder / "store" / "documents" / "projects")
    again = run(folder)
    assert (again.wrote_nothing, again.rows_processed) == (True, 0)


def test_a_group_is_fed_by_a_folder_and_by_a_file(folder: Path) -> None:
    text = (folder / "project.toml").read_text("utf-8").replace('path = "raw/weather.csv"', 'path = "raw/weather"')
    text = text.replace('sources = "weather"', 'sources = ["weather", "more"]') + '\n[sources.more]\npath = "raw/more.csv"\nnull_values = "NA"\n'
    (folder / "project.toml").write_text(text, "utf-8")
    (folder / "raw" / "weather").mkdir()
    (folder / "raw" / "weather.csv").rename(folder / "raw" / "weather" / "january.csv")
    (folder / "raw" / "more.csv").write_text("origin,observed_at,gust,sky\nEWR,2013-02-01T00:00Z,15.0,clear\n", "utf-8")
    assert run(folder).rows_processed == 1_441 + 1_000
    assert run(folder).wrote_nothing


def test_a_source_that_is_taken_out_stays_ingested(folder: Path) -> None:
    test_a_group_is_fed_by_a_folder_and_by_a_file(folder)
    text = (folder / "project.toml").read_text("utf-8")
    (folder / "project.toml").write_text(text.replace('["weather", "more"]', '["weather"]'), "utf-8")
    assert run(folder).wrote_nothing
    (folder / "raw" / "weather" / "january.csv").unlink()
    with pytest.raises(TreeringError, match="raw/weather"):
        run(folder)


def test_a_static_group_and_label_rows_that_a_recipe_drops(folder: Path) -> None:
    text = (folder / "project.toml").read_text("utf-8")
    text = text.replace('steps = [{function = "with_hour"}]', 'steps = [{function = "with_hour"}, {step = "Filter", expression = "hour < 12"}]')
    text += '\n[sources.airports]\npath = "raw/airports.csv"\n[groups.airports]\nstatic = true\nsources = "airports"\nentity = "origin"\n'
    text = text.replace("lookups = [", 'lookups = [{group = "airports"}, ')
    (folder / "project.toml").write_text(text, "utf-8")
    (folder / "raw" / "airports.csv").write_text("origin,runways\nEWR,3\nJFK,4\n", "utf-8")
    run(folder)
    kept = store_of(read_project(folder / "project.toml")).training_sets["late"].to_pandas()
    assert 0 < len(kept) < 1_000
    assert set(kept["runways"]) == {3, 4}
    assert run(folder).wrote_nothing


def test_label_rows_of_which_a_recipe_leaves_none_are_refused(folder: Path) -> None:
    text = (folder / "project.toml").read_text("utf-8")
    text = text.replace('steps = [{function = "with_hour"}]', 'steps = [{function = "with_hour"}, {step = "Filter", expression = "hour > 99"}]')
    (folder / "project.toml").write_text(text, "utf-8")
    with pytest.raises(LabelsError):
        run(folder)


@pytest.mark.s3
def test_a_store_on_s3_is_named_beside_the_file(folder: Path, s3_root: str) -> None:
    project = read_project(folder / "project.toml")
    assert not run_project(project, store_of(project, s3_root), {"with_hour": with_hour}).wrote_nothing
    assert run_project(project, store_of(project, s3_root), {"with_hour": with_hour}).wrote_nothing
    assert not (folder / "store").exists()


def test_a_mistake_in_a_late_table_writes_nothing(folder: Path) -> None:
    text = (folder / "project.toml").read_text("utf-8")
    (folder / "project.toml").write_text(text.replace("num_round", "num_rond"), "utf-8")
    with pytest.raises(ProjectError, match=r"\[training_jobs.late.xgboost\].*Did you mean 'num_round'?"):
        run(folder)
    assert set(listing(folder)) <= {str(folder / "store" / "treering.json")}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('step = "OneHot"', 'step = "OneHott"', r"\[recipes.preparation\] step 1 is 'OneHott'. Did you mean 'OneHot'?"),
        ('columns = "gust", with = 0.0', 'colums = "gust"', r"\[recipes.tidy\] step 2 \(FillMissing\).*It takes: columns"),
        ('time = "departs"', 'tim = "departs"', r"\[training_sets.late\] has no key 'tim'. Did you mean 'time'?"),
        ('time = "departs"\n', "", r"\[training_sets.late\]: Labels need a time"),
        ('by = "time"', 'by = "tme"', r"split by 'tme'. Did you mean 'time'?"),
        ('max_age = "6h"', 'max_age = "six"', r"\[views.late\] lookup 1: "),
        ('max_age = "6h"', 'max_ago = "6h"', r"\[views.late\] lookup 1: .*It takes: group"),
        ("max_depth = 3", "max_depth = -3", r"\[training_jobs.late.xgboost\]: .*'max_depth' is -3"),
    ],
)
def test_each_mistake_is_named_with_its_table(folder: Path, old: str, new: str, message: str) -> None:
    text = (folder / "project.toml").read_text("utf-8")
    assert old in text
    (folder / "project.toml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ProjectError, match=message):
        run(folder)


def test_a_function_that_was_not_offered_says_how_to_offer_it(folder: Path) -> None:
    project = read_project(folder / "project.toml")
    with pytest.raises(ProjectError, match=r"names the function 'with_hour'. No functions were given: .* --functions features.py"):
        run_project(project, store_of(project))
