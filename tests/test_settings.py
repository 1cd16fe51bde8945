from pathlib import Path
from typing import Any

import pytest

from treering.errors import SettingsError
from treering.settings import Settings, usable_memory


def test_arguments_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "treering.toml"
    file.write_text('sort_bytes = 1\nrun_rows = 1\ns3_region = "eu-west-1"\n')
    settings = Settings.load(file, {"TREERING_SORT_BYTES": "2", "TREERING_RUN_ROWS": "2", "PATH": "/"}, run_rows=3)
    assert (settings.sort_bytes, settings.run_rows, settings.s3_region) == (2, 3, "eu-west-1")


@pytest.mark.parametrize(
    ("environment", "arguments", "message"),
    [
        ({"TREERING_RUN_ROWS": "many"}, {}, "TREERING_RUN_ROWS is 'many'"),
        ({}, {"run_row": 3}, "Unknown setting 'run_row'"),
        ({}, {"run_rows": "3"}, "has to be of type int"),
        ({}, {"run_rows": -1}, "at least 1"),
        ({"TREERING_RUN_ROW": "3"}, {}, "Unknown setting TREERING_RUN_ROW in the environment. Did you mean 'TREERING_RUN_ROWS'"),
        ({"TREERING_run_rows": "3"}, {}, "Unknown setting TREERING_run_rows"),
        ({"TREERING_TEMPORARY_FOLDER": "/no/such/folder"}, {}, "'temporary_folder' is '/no/such/folder', which is no folder"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(None, environment, **arguments)


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.load(None, {"TREERING_RUN_ROWS": "", "TREERING_S3_REGION": "", "TREERING_UNKNOWN": ""}) == Settings()


@pytest.mark.parametrize("given", [{"run_rows": "3"}, {"run_rows": True}, {"run_rows": None}, {"run_rows": 1.5}, {"s3_region": 5}])
def test_a_value_of_the_wrong_type_is_refused_however_it_is_given(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"Setting '(run_rows|s3_region)' is .*; it has to be of type (int|str)"):
        Settings(**given)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "cannot be read: No such file"), ("run_rows =", "is no TOML"), ("run_rows = true", "'run_rows' is True"), ("[a]", "Unknown setting 'a' in .*toml")],
)
def test_a_settings_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "treering.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=message):
        Settings.load(file, {})


def test_the_memory_budget_is_a_quarter_of_what_may_be_used_by_default() -> None:
    assert Settings().memory_budget_bytes == usable_memory() // 4


@pytest.mark.parametrize(("limit", "is_lower"), [("1000000\n", True), ("max\n", False), (None, False), (str(2**62), False)])
def test_a_containers_limit_counts_where_it_is_lower(tmp_path: Path, limit: str | None, is_lower: bool) -> None:
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(limit)
    assert (usable_memory(file) == 1_000_000) is is_lower


@pytest.mark.parametrize(("sort_bytes", "budget", "chunk"), [(10, 8_000, 10), (5_000, 8_000, 1_000), (10, 1, 1)])
def test_a_sort_takes_at_most_an_eighth_of_the_budget(sort_bytes: int, budget: int, chunk: int) -> None:
    assert Settings(sort_bytes=sort_bytes, memory_budget_bytes=budget).chunk_bytes == chunk
