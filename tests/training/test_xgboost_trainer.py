import hashlib
import io
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost
from sklearn.metrics import f1_score

from support.looked import LookedUp, build_set, flights, with_column
from treering.errors import ArtifactError, NotFoundError, TrainingError
from treering.recipes import Category, FillMissing, OneHot, Recipe, Standard
from treering.training.artifact import open_artifact, write_artifact
from treering.training.matrix import Rows
from treering.training.objectives import OBJECTIVES, metric_of
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


def digests_of(training_set: TrainingSet, recipe: Recipe | None, **parameters: Any) -> set[str]:
    """Of models of the same rows, read in different batches by different numbers of threads."""
    fitted = Rows.of(training_set, recipe)
    threads = ({},) if parameters.get("booster") == "gblinear" else ({"nthread": 1}, {"nthread": 2})
    return {
        hashlib.sha256(
            trained(Rows(training_set, fitted.recipe, drop_null_targets=False, batch_rows=batch_rows), XGBoost(**parameters | told))[0].model
        ).hexdigest()
        for batch_rows in (137, 65_536)
        for told in threads
    }


OBJECTIVE: dict[str, Any] = {"objective": "binary:logistic"}


@pytest.mark.parametrize(
    "parameters",
    [
        OBJECTIVE | {"class_weight": "balanced", "eval_metric": ["logloss", "f1"], "early_stopping_rounds": 2},
        OBJECTIVE | {"booster": "dart", "rate_drop": 0.3, "skip_drop": 0.1, "sample_type": "weighted", "early_stopping_rounds": 2},
        OBJECTIVE | {"booster": "gblinear", "feature_selector": "thrifty", "top_k": 2, "early_stopping_rounds": 2},
        OBJECTIVE | {"tree_method": "approx", "subsample": 0.5},
        OBJECTIVE | {"tree_method": "exact", "colsample_bylevel": 0.5},
        OBJECTIVE | {"monotone_constraints": {"wind": 1}, "interaction_constraints": [["wind", "distance"]], "grow_policy": "lossguide", "max_leaves": 5},
        {"objective": "multi:softprob", "class_weight": {0: 3}, "num_parallel_tree": 2},
        {"objective": "count:poisson", "max_delta_step": 0.0},
    ],
)
def test_every_kind_of_model_is_the_same_bytes_whatever_the_batches_and_threads(training_set: TrainingSet, parameters: dict[str, Any]) -> None:
    assert len(digests_of(training_set, None, **{"num_round": 6} | parameters)) == 1


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_trains_without_a_warning(tmp_path: Path, objective: str) -> None:
    amounts = flights()["distance"].to_numpy() / 3_000
    looked = LookedUp(flights() if OBJECTIVES[objective].kind.is_classes else with_column(flights(), "late", amounts))
    told = {"quantile_alpha": 0.5} if objective == "reg:quantileerror" else {}
    trainer = XGBoost(objective=objective, num_round=2, **told)
    result, lines = trained(Rows.of(build_set(tmp_path, looked, split=SPLIT), None), trainer)
    assert list(result.metrics["test"]) == list(result.history["train"]) == [trainer.watched_metric]
    assert len(lines) == 2


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


def test_the_history_is_kept_whole_when_training_stops_early(training_set: TrainingSet) -> None:
    trainer = XGBoost(objective="binary:logistic", eval_metric=["auc", "logloss"], eta=1.0, num_round=200, early_stopping_rounds=4)
    result, lines = trained(Rows.of(training_set, None), trainer)
    assert {split: {metric: len(values) for metric, values in metrics.items()} for split, metrics in result.history.items()} == {
        split: {"auc": len(lines), "logloss": len(lines)} for split in ("train", "validation")
    }
    assert f"validation-logloss:{result.history['validation']['logloss'][3]:.5f}" in lines[3]


@pytest.mark.parametrize("metric", ["auc", "f1_binary", "balanced_accuracy", "error@0.7", "logloss"])
def test_early_stopping_knows_which_way_a_metric_is_better(training_set: TrainingSet, metric: str) -> None:
    trainer = XGBoost(objective="binary:logistic", eval_metric=metric, eta=1.0, num_round=200, early_stopping_rounds=5)
    result = trained(Rows.of(training_set, None), trainer)[0]
    history = result.history["validation"][metric]
    best = (max if metric_of(metric).is_higher_better else min)(history)
    assert result.rounds == history.index(best) + 1 == len(history) - 5
    assert result.metrics["validation"][metric] == pytest.approx(best)


@pytest.mark.parametrize("booster", [{"booster": "dart", "rate_drop": 0.4}, {"booster": "gblinear"}])
def test_a_model_that_cannot_be_cut_is_still_the_best_rounds(training_set: TrainingSet, booster: dict[str, Any]) -> None:
    trainer = XGBoost(objective="binary:logistic", eval_metric="logloss", eta=1.0, num_round=60, early_stopping_rounds=5, **booster)
    result = trained(Rows.of(training_set, None), trainer)[0]
    losses = result.history["validation"]["logloss"]
    assert result.rounds == losses.index(min(losses)) + 1 < len(losses)
    assert result.metrics["validation"]["logloss"] == pytest.approx(min(losses))


def test_sagemakers_own_metrics_are_printed_and_kept(training_set: TrainingSet) -> None:
    rows, trainer = Rows.of(training_set, None), XGBoost(objective="binary:logistic", eval_metric=["f1_macro", "accuracy"], num_round=3)
    result, lines = trained(rows, trainer)
    test = training_set.to_pandas("test")
    chosen = load_model(open_artifact(write_artifact(result.model, papers_of(trainer, rows)))).predict_classes(test)
    assert re.search(r"\ttrain-f1_macro:\S+\ttrain-accuracy:\S+\tvalidation-f1_macro", lines[0])
    assert result.metrics["test"] == {
        "f1_macro": pytest.approx(f1_score(test["late"], chosen, average="macro")),
        "accuracy": pytest.approx((test["late"] == chosen).mean()),
    }


# XGBoost says so too, with a warning.
@pytest.mark.filterwarnings("ignore:.*only positive or negative")
def test_a_metric_without_a_value_is_none(tmp_path: Path) -> None:
    late = np.where(np.arange(2_000) < 1_600, flights()["late"].to_numpy(), 1)
    built = build_set(tmp_path, LookedUp(with_column(flights(), "late", late)), split=SPLIT)
    assert trained(Rows.of(built, None))[0].metrics["test"]["auc"] is None


def test_what_xgboost_refuses_is_said_without_its_stack(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"^XGBoost refused: [^\n]*max_depth[^\n]* Check whether the target suits the objective 'reg:squarederror'\.$"):
        trained(Rows.of(build_set(tmp_path), None), XGBoost(max_depth=10**12))


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


def set_of(root: Path, **columns: Any) -> TrainingSet:
    table = flights()
    for name, values in columns.items():
        table = with_column(table, name, values)
    return build_set(root, LookedUp(table), split=SPLIT)


def test_of_two_classes_the_second_is_the_positive_one(tmp_path: Path) -> None:
    late = flights()["late"].to_numpy()
    as_numbers = load_model(open_artifact(archived(Rows.of(set_of(tmp_path / "numbers"), None))))
    texts = set_of(tmp_path / "texts", late=np.where(late == 1, "yes", "no"))
    assert trained(Rows.of(texts, None))[1][0].endswith("'yes' is the positive one")
    model = load_model(open_artifact(archived(Rows.of(texts, None))))
    assert model.classes == ("no", "yes")
    assert np.array_equal(model.predict(texts.to_arrow()), as_numbers.predict(texts.to_arrow()))
    assert model.predict_classes(texts.to_arrow()).tolist() == np.where(model.predict(texts.to_arrow()) > 0.5, "yes", "no").tolist()


@pytest.mark.parametrize(("objective", "shape"), [("multi:softprob", (2_000, 3)), ("multi:softmax", (2_000,))])
def test_classes_that_are_texts_are_answered_as_texts(tmp_path: Path, objective: str, shape: tuple[int, ...]) -> None:
    carriers = np.array(["AA", "DL", "UA"])[np.digitize(flights()["wind"].to_numpy(), [-0.5, 0.5])]
    training_set = set_of(tmp_path, late=carriers)
    model = load_model(open_artifact(archived(Rows.of(training_set, None), XGBoost(objective=objective, num_round=3))))
    assert (model.classes, model.predict(training_set.to_arrow()).shape) == (("AA", "DL", "UA"), shape)
    assert (model.predict_classes(training_set.to_arrow()) == carriers).mean() > 0.99


def test_the_log_odds_above_nought_are_the_positive_class(training_set: TrainingSet) -> None:
    model = load_model(open_artifact(archived(Rows.of(training_set, None), XGBoost(objective="binary:logitraw", num_round=3))))
    assert np.array_equal(model.predict_classes(training_set.to_arrow()), model.predict(training_set.to_arrow()) > 0)


def test_a_model_of_amounts_has_no_classes_to_answer(training_set: TrainingSet) -> None:
    model = load_model(open_artifact(archived(Rows.of(training_set, None), XGBoost(num_round=1))))
    with pytest.raises(TrainingError, match="'reg:squarederror', whose answer is no class"):
        model.predict_classes(training_set.to_arrow())


def test_class_weights_multiply_the_labels_own(tmp_path: Path) -> None:
    late, own = flights()["late"].to_numpy(), np.arange(2_000) % 3 + 1.0
    table = flights().add_column(0, "importance", pa.array(own))
    by_class = Rows.of(build_set(tmp_path / "a", LookedUp(table, weight="importance"), split=SPLIT), None)
    by_row = Rows.of(
        build_set(tmp_path / "b", LookedUp(with_column(table, "importance", own * np.where(late == 1, 5.0, 1.0)), weight="importance"), split=SPLIT), None
    )
    weighed, expected = trained(by_class, XGBoost(**OBJECTIVE, num_round=3, class_weight={1: 5}))[0], trained(by_row, XGBoost(**OBJECTIVE, num_round=3))[0]
    assert weighed.model == expected.model
    assert weighed.metrics["train"] == expected.metrics["train"]
    assert weighed.metrics["test"] != expected.metrics["test"]


def carriers(root: Path) -> TrainingSet:
    table = flights()
    names = [None if row % 50 == 0 else "ABCDE"[int(min(4, max(0, wind + 2)))] for row, wind in enumerate(table["wind"].to_pylist())]
    return set_of(root, carrier_delay=names, wind=np.zeros(2_000))


@pytest.mark.parametrize("parameters", [{}, {"tree_method": "approx"}, {"max_cat_to_onehot": 1, "max_cat_threshold": 2}])
def test_native_categories_give_one_model_that_answers_alike_when_loaded(tmp_path: Path, parameters: dict[str, Any]) -> None:
    training_set = carriers(tmp_path)
    assert len(digests_of(training_set, Recipe([Category("carrier_delay")]), **OBJECTIVE, num_round=4, **parameters)) == 1
    rows = Rows.of(training_set, Recipe([Category("carrier_delay")]))
    archive = archived(rows, XGBoost(**OBJECTIVE, num_round=4, **parameters))
    model = load_model(open_artifact(archive))
    assert model.booster.feature_types == ["q", "q", "c"]
    assert "carrier_delay" in model.importance()
    frame = training_set.to_pandas()
    assert np.array_equal(model.predict(frame), load_model(open_artifact(archive)).predict(frame))


def test_a_category_that_fit_never_saw_is_a_missing_value(tmp_path: Path) -> None:
    model = load_model(open_artifact(archived(Rows.of(carriers(tmp_path), Recipe([Category("carrier_delay")])))))
    frame = pd.DataFrame({"distance": [100] * 3, "wind": [0.0] * 3, "carrier_delay": ["ZZ", None, "E"]})
    unknown, missing, known = model.predict(frame)
    assert unknown == missing != known


def test_the_same_categories_are_learnt_natively_and_one_hot(tmp_path: Path) -> None:
    training_set, trainer = carriers(tmp_path), XGBoost(**OBJECTIVE, num_round=5, max_depth=3, eval_metric="auc")
    native, one_hot = (trained(Rows.of(training_set, Recipe([step("carrier_delay")])), trainer)[0] for step in (Category, OneHot))
    assert native.metrics["test"]["auc"] == pytest.approx(one_hot.metrics["test"]["auc"], abs=0.03)


def test_a_monotone_constraint_holds(training_set: TrainingSet) -> None:
    trainer = XGBoost(num_round=20, monotone_constraints={"wind": -1})
    model = load_model(open_artifact(archived(Rows.of(training_set, None), trainer)))
    frame = pd.DataFrame({"distance": 500, "wind": np.linspace(-3, 3, 200), "carrier_delay": 10.0})
    assert (np.diff(model.predict(frame)) <= 0).all()


@pytest.mark.parametrize("told", [{}, {"tree_method": "approx"}])
def test_a_feature_without_any_value_is_named(tmp_path: Path, told: dict[str, Any]) -> None:
    rows = Rows.of(set_of(tmp_path, carrier_delay=pa.nulls(2_000, pa.float64())), None)
    assert trained(rows, XGBoost(num_round=1, **told))[1][0] == "feature 'carrier_delay' is null in every row of the train split, and nothing is learnt from it"


def test_rows_without_any_value_are_refused(tmp_path: Path) -> None:
    empty = dict.fromkeys(("carrier_delay", "wind", "distance"), pa.nulls(2_000, pa.float64()))
    with pytest.raises(TrainingError, match="No feature has a value in the train split"):
        trained(Rows.of(set_of(tmp_path, **empty), None))


def test_threads_and_talk_do_not_reach_the_archive(training_set: TrainingSet) -> None:
    rows = Rows.of(training_set, None)
    assert archived(rows, XGBoost(num_round=2, nthread=1, verbosity=0)) == archived(rows, XGBoost(num_round=2, nthread=2))


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_a_linear_models_importance_is_the_size_of_its_coefficients(training_set: TrainingSet, objective: str) -> None:
    trainer = XGBoost(objective=objective, booster="gblinear", num_round=20)
    assert next(iter(load_model(open_artifact(archived(Rows.of(training_set, None), trainer))).importance())) == "wind"
