import json

import numpy as np
import pytest

from treering.errors import InvalidDefinitionError
from treering.training.parameters import PARAMETERS, XGBoost


def test_what_is_not_said_is_what_xgboost_documents() -> None:
    told = XGBoost().parameters
    assert (told["objective"], told["eta"], told["max_depth"], told["lambda"], told["max_bin"]) == ("reg:squarederror", 0.3, 6, 1.0, 256)


def test_xgboosts_second_names_are_taken() -> None:
    assert XGBoost(learning_rate=0.1, reg_lambda=2, n_jobs=2) == XGBoost(eta=0.1, nthread=2, **{"lambda": 2})


def test_numpys_numbers_are_numbers() -> None:
    assert XGBoost(max_depth=np.int64(4), eta=np.float32(0.5)) == XGBoost(max_depth=4, eta=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_dept": 4}, "'max_dept'.*Did you mean 'max_depth'"),
        ({"eta": 1.5}, "'eta' is 1.5; it has to be a number from 0 up to 1"),
        ({"subsample": 0}, "above 0 up to 1"),
        ({"max_depth": 2.5}, "a whole number from 0"),
        ({"max_depth": True}, "a whole number"),
        ({"max_depth": "6"}, "a whole number"),
        ({"gamma": float("nan")}, "a number from 0"),
        ({"num_round": 0}, "'num_round' is 0"),
        ({"early_stopping_rounds": 0}, "a whole number from 1"),
        ({"objective": "binary:logisitc"}, "Did you mean 'binary:logistic'"),
        ({"eval_metric": "acu"}, "Did you mean 'auc'"),
        ({"eta": 0.1, "learning_rate": 0.2}, "told 'eta' twice"),
        ({"objective": "multi:softprob"}, "number of classes"),
        ({"num_class": 3}, "do not go together"),
    ],
)
def test_a_parameter_that_xgboost_would_misread_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        XGBoost(**arguments)


def test_a_metric_may_have_a_threshold() -> None:
    assert XGBoost(eval_metric=["error@0.7", "auc"]).eval_metric == ("error@0.7", "auc")


def test_a_trainer_survives_json() -> None:
    trainer = XGBoost(objective="multi:softprob", num_class=3, num_round=7, early_stopping_rounds=2, eval_metric="mlogloss", seed=5)
    assert XGBoost.from_json(json.loads(json.dumps(trainer.to_json()))) == trainer


def test_a_trainer_shows_what_was_said_and_no_defaults() -> None:
    assert repr(XGBoost(eta=0.3, max_depth=4, eval_metric="auc")) == "XGBoost(max_depth=4, num_round=100, eval_metric=('auc',))"


@pytest.mark.parametrize("name", [name for name, rule in PARAMETERS.items() if rule.default is not None])
def test_every_default_is_in_its_own_range(name: str) -> None:
    assert PARAMETERS[name].read(PARAMETERS[name].default) == PARAMETERS[name].default
