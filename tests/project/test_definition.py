"""Project files: what they may say, and what each mistake is told."""

from pathlib import Path

import pytest

from treering.errors import ProjectError
from treering.project.definition import read_project

SOUND = """
[project]
store = "store"
[sources.weather]
path = "weather.csv"
null_values = "NA"
[groups.weather]
sources = "weather"
entity = "origin"
event_time = "time_hour"
[views.late]
lookups = [{group = "weather", on = "origin"}]
[training_sets.late]
view = "late"
source = "weather"
time = "time_hour"
[training_jobs.late]
training_set = "late"
xgboost = {max_depth = 3}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "flights.toml").write_text(text, "utf-8")
    return folder / "flights.toml"


def test_a_project_is_named_by_its_file_and_paths_begin_there(tmp_path: Path) -> None:
    project = read_project(written(tmp_path, SOUND))
    assert project.name == "flights"
    assert project.path("weather.csv") == str(tmp_path / "weather.csv")
    assert project.path("s3://bucket/weather.csv") == "s3://bucket/weather.csv"


def test_one_text_stands_for_a_list_of_one(tmp_path: Path) -> None:
    project = read_project(written(tmp_path, SOUND))
    assert project.sources["weather"].null_values == ("NA",)
    assert project.groups["weather"].entity == ("origin",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("entity =", "entty =", r"\[groups.weather\] has no key 'entty'. Did you mean 'entity'?"),
        ("[views.late]", "[veiws.late]", r"has a table \[veiws\]. Did you mean 'views'?"),
        ('entity = "origin"', "", r"\[groups.weather\] lacks 'entity'"),
        ('event_time = "time_hour"', "", r"\[groups.weather\] says either event_time = 'COLUMN', or static = true"),
        ('entity = "origin"', "entity = 3", r"'entity' is 3, and has to be a list of texts"),
        ('sources = "weather"', 'sources = "wether"', r"Group weather names 'wether', which the file does not have. Did you mean 'weather'?"),
        ('view = "late"', 'view = "lat"', r"Training set late names 'lat'.* Did you mean 'late'?"),
        ('training_set = "late"', 'training_set = "x"', r"Training job late names 'x'"),
        ('path = "weather.csv"', "path = weather.csv", r"is no TOML: .*line 5"),
        ("[project]\n", 'project = "x"\n[sources.project]\npath = "x"\n', r"\[project\] has to be a table"),
        ("[sources.weather]", "[sources]", r"\[sources\] holds tables: write \[sources.NAME\]"),
        ("xgboost = {max_depth = 3}", "xgboost = 3", r"'xgboost' is 3, and has to be a table"),
        ('store = "store"', 'sotre = "store"', r"\[project\] has no key 'sotre'. Did you mean 'store'?"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SOUND
    with pytest.raises(ProjectError, match=message):
        read_project(written(tmp_path, SOUND.replace(old, new, 1)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"nothing.toml cannot be read: No such file"):
        read_project(tmp_path / "nothing.toml")
