import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from treering.errors import InvalidDefinitionError, NotFoundError
from treering.training.script import MetricReader, Script, arguments_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("print('trained')")
    return tmp_path / "train.py"


def test_a_script_is_named_by_the_digest_of_the_bytes_that_will_run(path: Path) -> None:
    script = Script(path)
    path.write_text("print('changed')")
    assert script.source is not None
    assert script.source.content == b"print('trained')"
    assert script.sha256 == hashlib.sha256(b"print('trained')").hexdigest()


def test_a_missing_script_is_named_with_the_nearest(path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no script .*Did you mean 'train.py'"):
        Script(path.with_name("trian.py"))


@pytest.mark.parametrize("file", ["train.sh", "-train.py", "my train.py"])
def test_what_is_no_python_file_is_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("")
    with pytest.raises(InvalidDefinitionError, match="it takes a Python file"):
        Script(tmp_path / file)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"hyperparameters": {"--depth": 1}}, "cannot name a hyperparameter"),
        ({"hyperparameters": {"depth=1": 1}}, "cannot name a hyperparameter"),
        ({"hyperparameters": {"depth": [1]}}, "has to be text, a finite number or a boolean"),
        ({"hyperparameters": {"depth": float("nan")}}, "has to be text, a finite number or a boolean"),
        ({"hyperparameters": {"depth": "4\0"}}, "has to be text, a finite number or a boolean"),
        ({"channel_format": "parqet"}, "Did you mean 'parquet'"),
        ({"metrics": {"auc": "(.*)"}}, "such as 'validation:auc'"),
        ({"metrics": {"test:auc": "auc: .*"}}, "lacks a group"),
        ({"metrics": {"test:auc": "auc: ("}}, "is no regular expression"),
        ({"environment": {"SM_MODEL_DIR": "/"}}, "are reserved"),
        ({"environment": {"PYTHONPATH": "/"}}, "are reserved"),
        ({"environment": {"a b": "c"}}, "are reserved"),
        ({"environment": {"MODE": 1}}, "has to be text"),
    ],
)
def test_what_cannot_be_handed_over_is_refused(path: Path, told: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        Script(path, **told)


def test_numbers_of_numpy_are_numbers(path: Path) -> None:
    assert Script(path, hyperparameters={"eta": np.float64(0.1)}).to_json()["hyperparameters"] == {"eta": 0.1}


def test_arguments_are_sorted_and_a_letter_has_one_dash() -> None:
    assert arguments_of({"max-depth": 4, "fast": True, "e": 0.5, "note": "a b"}) == ["-e", "0.5", "--fast", "True", "--max-depth", "4", "--note", "a b"]


def test_the_last_mention_of_a_metric_counts_and_all_are_kept() -> None:
    reader = MetricReader({"validation:auc": r"auc=(\S+)", "test:auc": r"test (\S+)", "train:loss": r"loss (\S+)"})
    for line in ("auc=0.5 loss high", "auc=0.75 auc=0.8", "test nan"):
        reader.read(line)
    assert reader.metrics == {"validation": {"auc": 0.8}, "test": {"auc": None}}
    assert reader.history["validation"] == {"auc": (0.5, 0.75, 0.8)}


def test_a_script_shows_what_it_is_told(path: Path) -> None:
    assert repr(Script(path)) == "Script('train.py')"
    assert repr(Script(path, hyperparameters={"depth": 4}, channel_format="csv")) == "Script('train.py', hyperparameters={'depth': 4}, channel_format='csv')"
