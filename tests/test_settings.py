from pathlib import Path

import pytest

from treering.errors import SettingsError
from treering.settings import Settings


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
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(None, environment, **arguments)


def test_the_memory_budget_is_a_quarter_of_the_machine_by_default() -> None:
    assert Settings().memory_budget_bytes > 1024 * 1024
