import json
from typing import Any

import numpy as np
import pytest

from treering.errors import InvalidDefinitionError
from treering.training.objectives import METRICS, OBJECTIVES
from treering.training.parameter_table import PARAMETERS, REFUSED
from treering.training.parameters import XGBoost

# What some objectives cannot do without.
NEEDED: dict[str, dict[str, Any]] = {"reg:quantileerror": {"quantile_alpha": 0.5}}


def test_what_is_not_said_is_what_xgboost_documents() -> None:
    told = XGBoost().parameters
    assert (told["objective"], told["eta"], told["max_depth"], told["lambda"], told["max_bin"]) == ("reg:squarederror", 0.3, 6, 1.0, 256)


def test_defaults_are_those_of_the_booster_and_the_objective() -> None:
    linear = XGBoost(booster="gblinear")
    assert (linear.parameters["eta"], linear.parameters["lambda"], "max_depth" in linear.parameters) == (0.5, 0.0, False)
    assert XGBoost(booster="gblinear", reg_lambda=1).told == {"booster": "gblinear", "lambda": 1.0}
    assert XGBoost(objective="count:poisson", max_delta_step=0).told == {"objective": "count:poisson", "max_delta_step": 0.0}
    assert "rate_drop" not in XGBoost().parameters


def test_xgboosts_second_names_are_taken() -> None:
    assert XGBoost(learning_rate=0.1, reg_lambda=2, n_jobs=2) == XGBoost(eta=0.1, nthread=2, **{"lambda": 2})


def test_numpys_numbers_are_numbers() -> None:
    assert XGBoost(max_depth=np.int64(4), eta=np.float32(0.5)) == XGBoost(max_depth=4, eta=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_dept": 4}, "'max_dept'.*Did you mean 'max_depth'"),
        ({"eta": 3}, "'eta' is 3; it has to be a number from 0 up to 1"),
        ({"subsample": 0}, "above 0 up to 1"),
        ({"max_depth": 2.5}, "a whole number from 0"),
        ({"max_depth": True}, "a whole number"),
        ({"max_depth": "6"}, "a whole number"),
        ({"gamma": float("nan")}, "a number from 0"),
        ({"seed": 2**31}, "up to 2147483647"),
        ({"num_round": 0}, "'num_round' is 0"),
        ({"early_stopping_rounds": 0}, "a whole number from 1"),
        ({"objective": "binary:logisitc"}, "Did you mean 'binary:logistic'"),
        ({"objective": "rank:ndcg"}, "not supported: a ranking needs to know which rows are ranked together"),
        ({"objective": "survival:aft"}, "two bounds"),
        ({"objective": "reg:linear"}, "reg:squarederror"),
        ({"tree_method": "gpu_hist"}, "'gpu_hist' is not supported: it needs the GPU build"),
        ({"booster": "gblinear", "updater": "shotgun"}, "race each other"),
        ({"subsample": 0.5, "sampling_method": "gradient_based"}, "how many threads run"),
        ({"objective": "binary:logitraw", "eval_metric": "logloss"}, "the log odds of two classes. Those that do: auc"),
        ({"n_estimators": 5}, "'n_estimators' is not supported: say num_round"),
        ({"sketch_eps": 0.1}, "say max_bin"),
        ({"eval_metric": "acu"}, "Did you mean 'auc'"),
        ({"eval_metric": "ndcg"}, "ranked together"),
        ({"eval_metric": "rmse@3"}, "takes no number after an @"),
        ({"eval_metric": "error@often", "objective": "binary:logistic"}, "a number above 0 below 1 after an @"),
        ({"eval_metric": "tweedie-nloglik"}, "a number above 1 below 2 after an @"),
        ({"eval_metric": ["rmse", "rmse"]}, "names a metric twice"),
        ({"eval_metric": "merror"}, "'merror' does not measure 'reg:squarederror', whose answer is an amount. Those that do: rmse"),
        ({"eval_metric": "quantile"}, "does not measure"),
        ({"eta": 0.1, "learning_rate": 0.2}, "told 'eta' twice"),
        ({"num_class": 3}, "'num_class' goes with objective='multi:softmax' or 'multi:softprob', not 'reg:squarederror'"),
        ({"rate_drop": 0.1}, "'rate_drop' goes with booster='dart', not 'gbtree'"),
        ({"booster": "gblinear", "max_depth": 3}, "goes with booster='gbtree' or 'dart', not 'gblinear'"),
        ({"tree_method": "exact", "max_bin": 9}, "goes with tree_method='auto' or 'hist' or 'approx', not 'exact'"),
        ({"tree_method": "exact", "max_depth": 0}, "`max_depth` above 0"),
        ({"booster": "gblinear", "top_k": 3}, "feature_selector='greedy'"),
        ({"objective": "reg:quantileerror"}, "needs `quantile_alpha`"),
        ({"objective": "binary:logistic", "base_score": 2}, "'base_score' is 2.0; with 'binary:logistic' it has to be a number above 0 below 1"),
        ({"monotone_constraints": {"wind": 2}}, "1, -1 or 0 by feature name"),
        ({"monotone_constraints": "wind"}, "1, -1 or 0 by feature name"),
        ({"interaction_constraints": ["wind"]}, "a list of lists of feature names"),
        ({"class_weight": "balanced"}, "answer of 'reg:squarederror' is an amount. Give rows weights"),
        ({"objective": "binary:logistic", "class_weight": "even"}, "'balanced', or a mapping"),
        ({"objective": "binary:logistic", "class_weight": {"late": -1}}, "of class 'late' is -1; it has to be a number from 0"),
        ({"objective": "binary:logistic", "class_weight": "balanced", "scale_pos_weight": 2}, "both weigh classes"),
    ],
)
def test_a_parameter_that_xgboost_would_misread_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        XGBoost(**arguments)


def test_a_default_is_passed_over_where_it_does_not_apply() -> None:
    assert XGBoost(booster="gblinear", max_depth=6) == XGBoost(booster="gblinear")


def test_a_metric_may_have_a_threshold() -> None:
    trainer = XGBoost(objective="binary:logistic", eval_metric=["error@0.70", "error@0.5", "auc"])
    assert trainer.eval_metric == ("error@0.7", "error", "auc")


def test_early_stopping_watches_the_last_metric_or_the_objectives_own() -> None:
    assert XGBoost(objective="binary:logistic", eval_metric=["auc", "f1"]).watched_metric == "f1"
    assert XGBoost(objective="multi:softprob").watched_metric == "mlogloss"
    assert XGBoost(objective="reg:tweedie", tweedie_variance_power=1.25).watched_metric == "tweedie-nloglik@1.25"


TRAINERS = [
    XGBoost(objective="multi:softprob", num_class=3, num_round=7, early_stopping_rounds=2, eval_metric="mlogloss", seed=5),
    XGBoost(objective="binary:logistic", class_weight={0: 1, 1: 5.5}),
    XGBoost(objective="multi:softmax", class_weight={"AA": 2, "UA": 0.5}, booster="dart", rate_drop=0.1),
    XGBoost(objective="binary:hinge", class_weight="balanced", booster="gblinear", feature_selector="greedy", top_k=2),
    XGBoost(monotone_constraints={"wind": 1}, interaction_constraints=[["wind", "distance"], ["delay"]], tree_method="approx"),
    XGBoost(monotone_constraints=(1, 0, -1)),
]


@pytest.mark.parametrize("trainer", TRAINERS, ids=repr)
def test_a_trainer_survives_json(trainer: XGBoost) -> None:
    assert XGBoost.from_json(json.loads(json.dumps(trainer.to_json()))) == trainer


@pytest.mark.parametrize("trainer", TRAINERS, ids=repr)
def test_a_trainers_text_makes_the_trainer(trainer: XGBoost) -> None:
    assert eval(repr(trainer), {"XGBoost": XGBoost}) == trainer


def test_a_trainer_that_was_written_without_class_weights_is_read() -> None:
    written = XGBoost(max_depth=3).to_json()
    del written["class_weight"]
    assert XGBoost.from_json(written) == XGBoost(max_depth=3)


def test_a_trainer_shows_what_was_said_and_no_defaults() -> None:
    assert repr(XGBoost(eta=0.3, max_depth=4, eval_metric="mae")) == "XGBoost(max_depth=4, num_round=100, eval_metric=('mae',))"


def test_numpys_classes_are_classes() -> None:
    assert XGBoost(objective="binary:logistic", class_weight={np.int64(0): 1, np.int64(1): 2}).to_json()["class_weight"] == [[0, 1.0], [1, 2.0]]


def test_hyperparameters_may_be_texts_as_sagemaker_gives_them() -> None:
    texts = {"objective": "binary:logistic", "num_round": "20", "eta": "0.1", "eval_metric": "logloss, auc", "monotone_constraints": "(1,0,-1)"}
    told = {"objective": "binary:logistic", "num_round": 20, "eta": 0.1, "eval_metric": ["logloss", "auc"], "monotone_constraints": (1, 0, -1)}
    assert XGBoost.from_texts(texts) == XGBoost(**told)
    with pytest.raises(InvalidDefinitionError, match="'eta' is 'fast'"):
        XGBoost.from_texts({"eta": "fast"})


@pytest.mark.parametrize("name", [name for name, parameter in PARAMETERS.items() if parameter.default is not None])
def test_every_default_is_in_its_own_range(name: str) -> None:
    assert PARAMETERS[name].takes.read(PARAMETERS[name].default) == PARAMETERS[name].default


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_is_taken_with_its_own_metric(objective: str) -> None:
    trainer = XGBoost(objective=objective, **NEEDED.get(objective, {}))
    assert XGBoost(objective=objective, **NEEDED.get(objective, {}), eval_metric=trainer.watched_metric).eval_metric == (trainer.watched_metric,)


def test_help_lists_every_parameter_with_its_default_and_rule() -> None:
    rows = {row.name: row for row in XGBoost.help().rows}
    assert set(PARAMETERS) | {"num_round", "early_stopping_rounds", "eval_metric", "class_weight"} == set(rows)
    assert (rows["eta"].default, rows["eta"].rule) == ("0.3", "a number from 0 up to 1")
    assert rows["rate_drop"].rule.endswith("with booster=dart")
    assert rows["max_bin"].rule.endswith("not with booster=gblinear; not with tree_method=exact")
    assert all(row.about.endswith(".") for row in rows.values())


def test_help_explains_one_name_and_the_words_of_another() -> None:
    assert [row.name for row in XGBoost.help("learning_rate").rows] == ["eta"]
    assert {row.name for row in XGBoost.help("eval_metric").rows} == set(METRICS)
    assert set(OBJECTIVES) < {row.name for row in XGBoost.help("objective").rows}
    assert [XGBoost.help(name).rows[0].rule for name in REFUSED] == ["not supported"] * len(REFUSED)
    with pytest.raises(InvalidDefinitionError, match="Did you mean 'max_depth'"):
        XGBoost.help("max_dept")
