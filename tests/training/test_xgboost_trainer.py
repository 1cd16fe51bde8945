import hashlib
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from support.looked import LookedUp, build_set, flights, with_column
from treering.errors import ArtifactError, NotFoundError, TrainingError
from treering.recipes import FillMissing, OneHot, Recipe, Standard
from treering.training.artifact import open_artifact, write_artifact
from treering.training.matrix import Rows
from treering.training.parameters import XGBoost
from treering.training.xgboost_trainer import Trained, load_model, papers_of, train
from treering.training_sets.splits import TimeSplit
from treering.training_sets.training_set import TrainingSet

SPLIT = TimeSplit.fractions(validation=0.2, test=0.2)
CLASSIFIER = XGBoost(objective="binary:logistic", eval_metric=("logloss", "auc"), num_round=5, max_depth=3)


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    return build_set(tmp_path, split=SPLIT)


def trained(rows: Rows, trainer: XGBoost = CLASSIFIER) -> tuple[Trained, list[str]]:
    lines: list[str] = []
    return train(trainer, rows, lines.append), lines


def archived(rows: Rows, trainer: XGBoost = CLASSIFIER) -> bytes:
    return write_artifact(trained(rows, trainer)[0].model, papers_of(trainer, rows))


def test_each_round_prints_the_line_that_xgboost_prints(training_set: TrainingSet) -> None:
    lines = trained(Rows.of(training_set, None))[1]
    score = r"\d\.\d{5}"
    assert len(lines) == 5
    for number, line in enumerate(lines):
        assert re.fullmatch(rf"\[{number}\]\ttrain-logloss:{score}\ttrain-auc:{score}\tvalidation-logloss:{score}\tvalidation-auc:{score}", line)


def test_every_split_is_measured_and_what_was_planted_is_learnt(training_set: TrainingSet) -> None:
    result = trained(Rows.of(training_set, None))[0]
    assert list(result.metrics) == ["train", "validation", "test"]
    assert all(values["auc"] is not None and values["auc"] > 0.85 for values in result.metrics.values())


def test_the_metrics_are_those_of_the_model_that_is_kept(training_set: TrainingSet) -> None:
    result, lines = trained(Rows.of(training_set, None))
    assert f"validation-auc:{result.metrics['validation']['auc']:.5f}" in lines[-1]


def test_a_model_is_the_same_bytes_whatever_the_batches_and_threads(training_set: TrainingSet) -> None:
    digests = set()
    for batch_rows in (137, 65_536):
        for threads in (1, 2):
            rows = Rows(training_set, None, drop_null_targets=False, batch_rows=batch_rows)
            trainer = XGBoost(**CLASSIFIER.parameters | {"nthread": threads, "subsample": 0.7}, eval_metric="auc", num_round=20, early_stopping_rounds=3)
            digests.add(hashlib.sha256(trained(rows, trainer)[0].model).hexdigest())
    assert len(digests) == 1


def test_another_seed_gives_another_model(training_set: TrainingSet) -> None:
    rows = Rows.of(training_set, None)
    models = {trained(rows, XGBoost(subsample=0.5, num_round=3, seed=seed))[0].model for seed in (0, 1)}
    assert len(models) == 2


def test_early_stopping_keeps_the_best_rounds_model(training_set: TrainingSet) -> None:
    trainer = XGBoost(objective="binary:logistic", eval_metric="logloss", eta=1.0, num_round=200, early_stopping_rounds=4)
    result, lines = trained(Rows.of(training_set, None), trainer)
    losses = [float(line.rpartition(":")[2]) for line in lines]
    assert len(lines) == result.rounds + 4 < 200
    assert losses.index(min(losses)) == result.rounds - 1
    assert result.metrics["validation"]["logloss"] == pytest.approx(min(losses), abs=1e-5)


def test_early_stopping_without_a_validation_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\. Build it with a split"):
        trained(Rows.of(build_set(tmp_path), None), XGBoost(early_stopping_rounds=2))


# XGBoost says so too, with a warning.
@pytest.mark.filterwarnings("ignore:.*only positive or negative")
def test_a_metric_without_a_value_is_none(tmp_path: Path) -> None:
    late = np.where(np.arange(2_000) < 1_600, flights()["late"].to_numpy(), 1)
    built = build_set(tmp_path, LookedUp(with_column(flights(), "late", late)), split=SPLIT)
    assert trained(Rows.of(built, None))[0].metrics["test"]["auc"] is None


def test_what_xgboost_refuses_is_said_without_its_stack(tmp_path: Path) -> None:
    built = build_set(tmp_path, LookedUp(with_column(flights(), "late", np.full(2_000, 7))))
    with pytest.raises(TrainingError, match=r"^XGBoost refused: Check failed: [^\n]* Check whether the target suits the objective 'binary:logistic'\.$"):
        trained(Rows.of(built, None))


# The server too gives XGBoost a file name without an ending, and XGBoost says what it guesses.
@pytest.mark.filterwarnings("ignore:.*Unknown file format")
def test_sagemakers_server_finds_one_model_and_xgboost_loads_it(training_set: TrainingSet, tmp_path: Path) -> None:
    archive = archived(Rows.of(training_set, None))
    with tarfile.open(fileobj=io.BytesIO(archive)) as unpacked:
        unpacked.extractall(tmp_path / "model", filter="data")
    # Its loader takes every file at the root whose name does not begin with a dot.
    served = [path for path in (tmp_path / "model").iterdir() if path.is_file() and not path.name.startswith(".")]
    assert [path.name for path in served] == ["xgboost-model"]
    booster = xgboost.Booster(model_file=str(served[0]))
    assert booster.feature_names == ["distance", "wind", "carrier_delay"]


def test_a_loaded_model_answers_as_the_trained_one(training_set: TrainingSet) -> None:
    artifact = open_artifact(archived(Rows.of(training_set, None)))
    frame = training_set.to_pandas()
    expected = xgboost.Booster(model_file=bytearray(artifact.model)).predict(xgboost.DMatrix(frame[list(training_set.features)]))
    assert np.array_equal(load_model(artifact).predict(frame), expected)


def test_a_loaded_model_applies_the_recipe_that_was_fitted(tmp_path: Path) -> None:
    table = with_column(flights(), "carrier_delay", ["UA", "AA"] * 1_000)
    rows = Rows.of(build_set(tmp_path, LookedUp(table), split=SPLIT), Recipe([FillMissing("wind"), OneHot("carrier_delay")]))
    model = load_model(open_artifact(archived(rows)))
    assert model.features == ("distance", "wind", "carrier_delay_AA", "carrier_delay_UA")
    frame = pd.DataFrame({"carrier_delay": ["AA", "ZZ", None], "wind": [0.5, None, 1.0], "distance": [100, 200, 300], "unused": ["", "", ""]})
    assert model.predict(frame).shape == (3,)
    assert np.array_equal(model.predict(frame[["wind", "distance", "carrier_delay"]]), model.predict(frame))


def test_a_frame_that_lacks_an_input_is_refused(training_set: TrainingSet) -> None:
    with pytest.raises(NotFoundError, match="'wind'"):
        load_model(open_artifact(archived(Rows.of(training_set, None)))).predict(pd.DataFrame({"distance": [1], "carrier_delay": [1.0]}))


def test_a_model_of_other_features_than_its_archive_says_is_refused(training_set: TrainingSet) -> None:
    rows = Rows.of(training_set, None)
    papers = papers_of(CLASSIFIER, rows)
    papers["schema"]["features"] = ["wind", "distance", "carrier_delay"]
    with pytest.raises(ArtifactError, match="Train it again"):
        load_model(open_artifact(write_artifact(trained(rows)[0].model, papers)))


def test_classes_come_as_a_row_of_probabilities(tmp_path: Path) -> None:
    built = build_set(tmp_path, LookedUp(with_column(flights(), "late", np.arange(2_000) % 3)))
    rows = Rows.of(built, None)
    model = load_model(open_artifact(archived(rows, XGBoost(objective="multi:softprob", num_class=3, num_round=2))))
    assert model.predict(built.to_arrow()).shape == (2_000, 3)


def test_a_column_of_another_kind_than_was_trained_on_is_refused(tmp_path: Path) -> None:
    table = with_column(flights(), "carrier_delay", np.arange(2_000) % 3)
    model = load_model(open_artifact(archived(Rows.of(build_set(tmp_path, LookedUp(table)), Recipe([OneHot("carrier_delay")])))))
    frame = pd.DataFrame({"distance": [100], "wind": [0.5], "carrier_delay": [1]})
    with pytest.raises(TrainingError, match=r"Column 'carrier_delay' is text; the model was trained on number\. Cast it\."):
        model.predict(frame.astype({"carrier_delay": str}))
    with pytest.raises(TrainingError, match=r"Column 'wind' is boolean"):
        model.predict(frame.astype({"wind": bool}))
    assert np.array_equal(model.predict(frame.astype({"wind": "float32", "carrier_delay": "float64"})), model.predict(frame))


def test_a_column_without_any_value_fits_every_kind(tmp_path: Path) -> None:
    table = with_column(flights(), "carrier_delay", ["UA", "AA"] * 1_000)
    rows = Rows.of(build_set(tmp_path, LookedUp(table)), Recipe([Standard("wind"), OneHot("carrier_delay")]))
    model = load_model(open_artifact(archived(rows)))
    frame = pd.DataFrame({"distance": [100, 100], "wind": [None, 0.5], "carrier_delay": ["UA", None]})
    answers = model.predict(frame)
    assert model.predict(frame[:1].astype({"wind": object}).assign(wind=None)) == answers[:1]
    assert model.predict(frame[1:].assign(carrier_delay=float("nan"))) == answers[1:]


def test_a_model_answers_what_a_lookup_gave(training_set: TrainingSet) -> None:
    class Looked:
        def to_pandas(self) -> pd.DataFrame:
            return training_set.to_pandas()

    model = load_model(open_artifact(archived(Rows.of(training_set, None))))
    assert np.array_equal(model.predict(Looked()), model.predict(training_set.to_arrow()))
