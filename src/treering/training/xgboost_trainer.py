"""XGBoost: boosts over a training set's batches, measures every split, and answers with what was learnt."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from treering.errors import ArtifactError, MissingExtraError, TrainingError
from treering.recipes.recipe import Recipe
from treering.training.artifact import Artifact
from treering.training.matrix import Matrix, Numbers, Rows, as_numbers, as_trained, features_of
from treering.training.parameters import XGBoost
from treering.training_sets.splits import TRAIN, VALIDATION

try:
    import xgboost
except ImportError as error:
    raise MissingExtraError.of("Training a model", "xgboost", "train") from error

Metrics = dict[str, dict[str, float | None]]
"""Values by metric by split; None where a metric has none, such as the auc of rows of one class."""

_SCORE = re.compile(r"\t(\w+)-(\S+):(\S+)")


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gave.

    Attributes:
        model: the booster, as XGBoost's UBJSON; the best round's where training stopped early.
        rounds: how many rounds the model has.
        metrics: of that model, on every split.
    """

    model: bytes
    rounds: int
    metrics: Metrics


def train(trainer: XGBoost, rows: Rows, on_line: Callable[[str], None]) -> Trained:
    r"""Boost on the train split and watch the validation split; the bytes of the model depend on nothing but rows and parameters.

    Args:
        trainer: the parameters.
        rows: what to learn from.
        on_line: gets a line per round in XGBoost's own format, such as `[12]\ttrain-auc:0.81234\tvalidation-auc:0.79123`.

    Raises:
        TrainingError: for early stopping without a validation split, and for what XGBoost refuses.
    """
    if trainer.early_stopping_rounds is not None and VALIDATION not in rows.splits:
        raise TrainingError("Early stopping watches the validation split, and the training set has none. Build it with a split, or drop early_stopping_rounds.")
    try:
        return _train(trainer, rows, on_line)
    except xgboost.core.XGBoostError as error:
        raise TrainingError(f"XGBoost refused: {_reason(error)} Check whether the target suits the objective {trainer.parameters['objective']!r}.") from error


def _train(trainer: XGBoost, rows: Rows, on_line: Callable[[str], None]) -> Trained:
    # What is not said is XGBoost's own; said aloud, it warns of parameters that the objective does not use.
    parameters = trainer.told | ({"eval_metric": list(trainer.eval_metric)} if trainer.eval_metric else {})
    loaded = {TRAIN: _matrix(rows, TRAIN, trainer)}
    loaded |= {split: _matrix(rows, split, trainer, like=loaded[TRAIN]) for split in rows.splits if split != TRAIN}
    booster = xgboost.train(
        parameters,
        loaded[TRAIN],
        num_boost_round=trainer.num_round,
        evals=[(loaded[split], split) for split in (TRAIN, VALIDATION) if split in loaded],
        verbose_eval=False,
        callbacks=_callbacks(trainer, on_line),
    )
    scores = booster.eval_set([(matrix, split) for split, matrix in loaded.items()])
    # A metric's last digit may differ with the number of threads, and must not reach the model's bytes.
    booster.set_attr(best_iteration=None, best_score=None)
    return Trained(bytes(booster.save_raw("ubj")), booster.num_boosted_rounds(), _metrics(scores))


def _callbacks(trainer: XGBoost, on_line: Callable[[str], None]) -> list[xgboost.callback.TrainingCallback]:
    monitor = xgboost.callback.EvaluationMonitor(logger=lambda line: on_line(line.rstrip("\n")))
    if trainer.early_stopping_rounds is None:
        return [monitor]
    return [monitor, xgboost.callback.EarlyStopping(rounds=trainer.early_stopping_rounds, data_name=VALIDATION, save_best=True)]


class _Batches(xgboost.DataIter):
    """Hands a split to XGBoost batch by batch; XGBoost goes through it several times."""

    def __init__(self, rows: Rows, split: str) -> None:
        super().__init__()
        self._rows, self._split = rows, split
        self._matrices: Iterator[Matrix] = iter(())

    def reset(self) -> None:
        """Start again at the first batch."""
        self._matrices = self._rows.matrices(self._split)

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Give the next batch; False after the last."""
        matrix = next(self._matrices, None)
        if matrix is None:
            return False
        input_data(data=matrix.data, label=matrix.target, weight=matrix.weight, feature_names=list(self._rows.feature_names))
        return True


def _matrix(rows: Rows, split: str, trainer: XGBoost, like: xgboost.DMatrix | None = None) -> xgboost.QuantileDMatrix:
    return xgboost.QuantileDMatrix(_Batches(rows, split), ref=like, max_bin=trainer.parameters["max_bin"], nthread=trainer.parameters.get("nthread"))


def _metrics(scores: str) -> Metrics:
    metrics: Metrics = {}
    for split, metric, text in _SCORE.findall(scores):
        value = float(text)
        metrics.setdefault(split, {})[metric] = value if math.isfinite(value) else None
    return metrics


def _reason(error: Exception) -> str:
    # XGBoost puts a time, a source file and a C++ stack around what it has to say.
    first = str(error).strip().partition("\nStack trace")[0]
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", first).strip()


def papers_of(trainer: XGBoost, rows: Rows) -> dict[str, Any]:
    """Say, for a model's archive, what the model was made from, which columns it needs and what it is fed."""
    training_set, types, target = rows.training_set, rows.training_set.receipt.columns, str(rows.training_set.target)
    told = trainer.to_json()
    # How many threads ran changes nothing in the model, and so nothing in its archive.
    told["parameters"] = {name: value for name, value in told["parameters"].items() if name != "nthread"}
    return {
        "parameters": told | {"xgboost_version": xgboost.__version__},
        "receipt": training_set.receipt.content | {"id": training_set.id},
        "recipe": None if rows.recipe is None else rows.recipe.to_json(),
        "schema": {
            "inputs": [[name, types[name]] for name in training_set.features],
            "features": list(rows.feature_names),
            "target": [target, types[target]],
        },
    }


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model that answers rows.

    Attributes:
        inputs: the columns that rows have to have, before the recipe, and Arrow's types of those it was trained on.
        features: what the recipe makes of them, in the order that the booster was trained with.
    """

    inputs: Mapping[str, str]
    features: tuple[str, ...]
    recipe: Recipe | None
    booster: xgboost.Booster

    def predict(self, frame: Any) -> Numbers:
        """Answer rows: probabilities for `binary:logistic`, values for `reg:*`, a row of probabilities for `multi:softprob`.

        Args:
            frame: a pandas or Polars frame, an Arrow table, or what a lookup gave, with the model's inputs; other columns
                are not looked at.

        Returns:
            float32, one per row, or of shape (rows, classes).

        Raises:
            NotFoundError: for an input that the frame lacks.
            TrainingError: for a column of another kind than the model was trained on, or that does not become numbers.
        """
        features = features_of(as_trained(_arrow(frame), self.inputs), tuple(self.inputs), self.recipe)
        matrix = xgboost.DMatrix(as_numbers(features.select(list(self.features))), feature_names=list(self.features))
        answers: Numbers = np.asarray(self.booster.predict(matrix), dtype=np.float32)
        return answers


def _arrow(frame: Any) -> pa.Table | pa.RecordBatch:
    if isinstance(frame, pa.Table | pa.RecordBatch):
        return frame
    # Polars hands Arrow over as it is; a lookup's result only knows how to become a frame.
    is_result = hasattr(frame, "to_pandas") and not hasattr(frame, "__arrow_c_stream__")
    return pa.table(frame.to_pandas() if is_result else frame)


def load_model(artifact: Artifact, functions: Mapping[str, Any] | None = None) -> Model:
    """Make a model of an archive that was opened, and so checked.

    Args:
        artifact: from `open_artifact`.
        functions: your own functions by name, where the recipe has steps made by `tr.step`.

    Raises:
        ArtifactError: if the booster's features are not the ones that the archive's schema lists.
    """
    booster = xgboost.Booster()
    booster.load_model(bytearray(artifact.model))
    features = tuple(artifact.schema["features"])
    if tuple(booster.feature_names or ()) != features:
        raise ArtifactError(f"The model was trained on {booster.feature_names}, and its archive says {list(features)}. Train it again.")
    recipe = None if artifact.recipe is None else Recipe.from_json(artifact.recipe, functions)
    return Model(dict(artifact.schema["inputs"]), features, recipe, booster)
