"""XGBoost: boosts over a training set's batches, measures every split, and answers with what was learnt."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from treering.errors import ArtifactError, MissingExtraError, TrainingError
from treering.recipes.recipe import Recipe
from treering.training.artifact import MODEL, Artifact
from treering.training.boosting_plan import Plan, threshold_of
from treering.training.matrix import Matrix, Numbers, Rows, as_numbers, as_trained, family_of, features_of
from treering.training.metrics import decide
from treering.training.objectives import metric_of
from treering.training.parameters import ClassValue, XGBoost
from treering.training.script import Script
from treering.training.target import learn_classes
from treering.training_sets.splits import TRAIN, VALIDATION

try:
    import xgboost
except ImportError as error:
    raise MissingExtraError.of("Training a model", "xgboost", "train") from error

Metrics = dict[str, dict[str, float | None]]
"""Values by metric by split; None where a metric has none, such as the auc of rows of one class."""

_SCORE = re.compile(r"\t\w+?-(\S+):(\S+)")


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gave.

    Attributes:
        model: the booster, as XGBoost's UBJSON; the best round's where training stopped early.
        rounds: how many rounds the model has.
        metrics: of that model, on every split.
        history: values per round by metric by split, of every round that ran; NaN where a metric had none.
    """

    model: bytes
    rounds: int
    metrics: Metrics
    history: Mapping[str, Mapping[str, tuple[float, ...]]]


def train(trainer: XGBoost, rows: Rows, on_line: Callable[[str], None]) -> Trained:
    r"""Boost on the train split and watch the validation split; the bytes of the model depend on nothing but rows and parameters.

    Args:
        trainer: the parameters.
        rows: what to learn from.
        on_line: gets what there is to say of classes and empty features, and a line per round in XGBoost's own format, such as
            `[12]\ttrain-auc:0.81234\tvalidation-auc:0.79123`.

    Raises:
        TrainingError: for early stopping without a validation split, a target that the objective cannot learn, and for what XGBoost refuses.
        NotFoundError: for a constraint on a feature that does not reach the model.
    """
    plan = Plan.of(trainer, rows)
    for line in plan.remarks():
        on_line(line)
    try:
        return _train(plan, on_line)
    except xgboost.core.XGBoostError as error:
        raise TrainingError(f"XGBoost refused: {_reason(error)} Check whether the target suits the objective {trainer.parameters['objective']!r}.") from error


def _train(plan: Plan, on_line: Callable[[str], None]) -> Trained:
    matrix, has_values = _matrix(plan, TRAIN)
    for line in _empty_features(plan.rows.feature_names, has_values):
        on_line(line)
    loaded = {TRAIN: matrix} | {split: _matrix(plan, split, like=matrix)[0] for split in plan.rows.splits if split != TRAIN}
    history: dict[str, dict[str, list[float]]] = {}
    monitor = xgboost.callback.EvaluationMonitor(logger=lambda line: on_line(line.rstrip("\n")))
    booster = _boost(plan, loaded, plan.trainer.num_round, [monitor, *_stopping(plan.trainer)], history)
    if plan.trainer.early_stopping_rounds is not None and not _can_be_cut(plan.trainer):
        booster = _boost(plan, loaded, booster.best_iteration + 1, [], {})
    metrics = {split: _metrics(plan, booster, matrix) for split, matrix in loaded.items()}
    # A metric's last digit may differ with the number of threads, and must not reach the model's bytes.
    booster.set_attr(best_iteration=None, best_score=None)
    return Trained(bytes(booster.save_raw("ubj")), booster.num_boosted_rounds(), metrics, _frozen(history))


def _boost(
    plan: Plan,
    loaded: Mapping[str, xgboost.DMatrix],
    rounds: int,
    callbacks: list[xgboost.callback.TrainingCallback],
    history: dict[str, dict[str, list[float]]],
) -> xgboost.Booster:
    """Boost so many rounds; without callbacks nobody watches, and nothing is measured."""
    return xgboost.train(
        dict(plan.parameters),
        loaded[TRAIN],
        num_boost_round=rounds,
        evals=[(loaded[split], split) for split in (TRAIN, VALIDATION) if split in loaded] if callbacks else [],
        evals_result=history,
        custom_metric=plan.own_metrics if plan.trainer.own_metrics and callbacks else None,
        verbose_eval=False,
        callbacks=callbacks,
    )


def _can_be_cut(trainer: XGBoost) -> bool:
    """Whether the first rounds of a model are the model of those rounds: dart weighs trees anew, and a linear model keeps its last round alone."""
    return trainer.parameters["booster"] == "gbtree"


def _stopping(trainer: XGBoost) -> list[xgboost.callback.TrainingCallback]:
    if trainer.early_stopping_rounds is None:
        return []
    metric = trainer.watched_metric
    return [
        xgboost.callback.EarlyStopping(
            rounds=trainer.early_stopping_rounds,
            metric_name=metric,
            data_name=VALIDATION,
            maximize=metric_of(metric).is_higher_better,
            save_best=_can_be_cut(trainer),
        )
    ]


class _Batches(xgboost.DataIter):
    """Hands a split to XGBoost batch by batch; XGBoost goes through it several times."""

    def __init__(self, plan: Plan, split: str) -> None:
        super().__init__()
        self._plan, self._split, self._features = plan, split, plan.features
        self._matrices: Iterator[Matrix] = iter(())
        self.has_values = np.zeros(len(plan.rows.feature_names), dtype=np.bool_)

    def reset(self) -> None:
        """Start again at the first batch."""
        self._matrices = self._plan.matrices(self._split)

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Give the next batch; False after the last."""
        matrix = next(self._matrices, None)
        if matrix is None:
            return False
        if not self.has_values.all():
            self.has_values[_has_values(matrix.data)] = True
        input_data(data=matrix.data, label=matrix.target, weight=matrix.weight, **self._features)
        return True


def _matrix(plan: Plan, split: str, like: xgboost.DMatrix | None = None) -> tuple[xgboost.DMatrix, npt.NDArray[np.bool_]]:
    """Load a split, and say which features have a value in it."""
    told = plan.trainer.parameters
    if told.get("tree_method") in ("hist", "auto"):
        batches = _Batches(plan, split)
        quantiles = xgboost.QuantileDMatrix(batches, ref=like, max_bin=told["max_bin"], nthread=told.get("nthread"), enable_categorical=True)
        return quantiles, batches.has_values
    # The other methods look at values, not at bins, so they need all of them.
    parts = list(plan.matrices(split))
    weight = None if parts[0].weight is None else np.concatenate([part.weight for part in parts if part.weight is not None])
    data, target = np.concatenate([part.data for part in parts]), np.concatenate([part.target for part in parts])
    values = xgboost.DMatrix(data, target, weight=weight, nthread=told.get("nthread"), enable_categorical=True, **plan.features)
    return values, _has_values(data)


def _has_values(data: Numbers) -> npt.NDArray[np.bool_]:
    return np.asarray(~np.isnan(data).all(axis=0), dtype=np.bool_)


def _empty_features(names: tuple[str, ...], has_values: npt.NDArray[np.bool_]) -> list[str]:
    empty = [name for name, has_value in zip(names, has_values.tolist(), strict=True) if not has_value]
    if len(empty) == len(names):
        raise TrainingError(
            f"No feature has a value in the train split ({', '.join(empty)}), so there is nothing to learn from. Check the lookups and the recipe."
        )
    return [f"feature {name!r} is null in every row of the train split, and nothing is learnt from it" for name in empty]


def _metrics(plan: Plan, booster: xgboost.Booster, matrix: xgboost.DMatrix) -> dict[str, float | None]:
    # XGBoost gives margins to metrics of one's own here, and answers in training.
    theirs = [(metric, float(text)) for metric, text in _SCORE.findall(booster.eval_set([(matrix, TRAIN)]))]
    own = plan.own_metrics(booster.predict(matrix), matrix) if plan.trainer.own_metrics else []
    return {metric: value if math.isfinite(value) else None for metric, value in (*theirs, *own)}


def _frozen(history: Mapping[str, Mapping[str, list[float]]]) -> Mapping[str, Mapping[str, tuple[float, ...]]]:
    return {split: {metric: tuple(values) for metric, values in metrics.items()} for split, metrics in history.items()}


def _reason(error: Exception) -> str:
    # XGBoost puts a time, a source file and a C++ stack around what it has to say.
    first = str(error).strip().partition("\nStack trace")[0]
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", first).strip()


# How many threads ran and what was said changes nothing in the model, and so nothing in its archive.
_NOT_IN_THE_MODEL = ("nthread", "verbosity")


def papers_of(trainer: XGBoost, rows: Rows) -> dict[str, Any]:
    """Say, for a model's archive, what the model was made from, which columns it needs and what it is fed."""
    training_set, types, target = rows.training_set, rows.training_set.receipt.columns, str(rows.training_set.target)
    told = trainer.to_json()
    told["parameters"] = {name: value for name, value in told["parameters"].items() if name not in _NOT_IN_THE_MODEL}
    classes = learn_classes(trainer, rows)
    return {
        "parameters": told | {"xgboost_version": xgboost.__version__},
        "receipt": training_set.receipt.content | {"id": training_set.id},
        "recipe": None if rows.recipe is None else rows.recipe.to_json(),
        "schema": {
            "inputs": [[name, types[name]] for name in training_set.features],
            "features": list(rows.feature_names),
            "target": [target, types[target]],
            **({} if classes is None else {"classes": list(classes.values)}),
        },
    }


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model that answers rows.

    Attributes:
        inputs: the columns that rows have to have, before the recipe, and Arrow's types of those it was trained on.
        features: what the recipe makes of them, in the order that the booster was trained with.
        objective: what it learnt to answer.
        classes: the values of the target in order, of two the positive one second; None where the answer is no class.
    """

    inputs: Mapping[str, str]
    features: tuple[str, ...]
    recipe: Recipe | None
    booster: xgboost.Booster
    objective: str
    classes: tuple[ClassValue, ...] | None

    def predict(self, frame: Any) -> Numbers:
        """Answer rows with numbers, as XGBoost does.

        The answer of `binary:logistic` is the probability of the second class, of `binary:logitraw` its log odds, of
        `binary:hinge` 0 or 1; of `multi:softprob` a row of probabilities in the order of `classes`, of `multi:softmax` the
        position of a class; of `reg:*` and `count:poisson` an amount; of `survival:cox` a hazard, against one of 1.

        Args:
            frame: a pandas or Polars frame, an Arrow table, or what a lookup gave, with the model's inputs; other columns
                are not looked at.

        Returns:
            float32, one per row, or of shape (rows, classes) for `multi:softprob`.

        Raises:
            NotFoundError: for an input that the frame lacks.
            TrainingError: for a column of another kind than the model was trained on, or that does not become numbers.
        """
        features = features_of(as_trained(_arrow(frame), self.inputs), tuple(self.inputs), self.recipe)
        numbers, types = as_numbers(features.select(list(self.features))), self.booster.feature_types
        matrix = xgboost.DMatrix(numbers, feature_names=list(self.features), feature_types=types, enable_categorical=True)
        answers: Numbers = np.asarray(self.booster.predict(matrix), dtype=np.float32)
        return answers

    def predict_classes(self, frame: Any) -> npt.NDArray[Any]:
        """Answer rows with the target's own values: the class that is likeliest, of two the second where it is likelier than not.

        Args:
            frame: as for `predict`.

        Returns:
            One value per row: booleans, integers, or texts as objects.

        Raises:
            TrainingError: for a model whose answer is no class, and as `predict`.
        """
        if self.classes is None:
            raise TrainingError(f"The model was trained with {self.objective!r}, whose answer is no class. Use predict.")
        values = np.array(self.classes, dtype=object if isinstance(self.classes[0], str) else None)
        chosen: npt.NDArray[Any] = values[decide(self.predict(frame), threshold_of(self.objective))]
        return chosen

    def importance(self, kind: str = "gain") -> Mapping[str, float]:
        """Say how much each feature contributes to the answers, most first; a tree's features are those that it splits on.

        Args:
            kind: "gain" (the mean improvement of a split), "weight" (how many splits), "cover", "total_gain" or
                "total_cover". A linear model has one kind alone, the size of its coefficients, whatever is asked for.
        """
        is_linear = json.loads(self.booster.save_config())["learner"]["gradient_booster"]["name"] == "gblinear"
        scores = self.booster.get_score(importance_type="weight" if is_linear else kind)
        # A linear model of several classes has a coefficient for each.
        sizes = {name: float(np.abs(score).mean()) for name, score in scores.items()}
        return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


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
        ArtifactError: for an archive without a booster, or one whose features are not those that the archive's schema lists; a script may leave some out.
    """
    if artifact.model is None:
        left = ", ".join(map(repr, sorted(artifact.files)[:5]))
        raise ArtifactError(
            f"The archive holds what a script left ({left}) and no {MODEL!r}, which is what treering can load. Take the files with "
            "store.training_jobs.artifact(name).extract(folder), or let the script save a booster as xgboost-model."
        )
    booster = xgboost.Booster()
    booster.load_model(bytearray(artifact.model))
    # A script may have left some of its channel's columns out, or given no names, and then nobody knows which number was which column.
    features, offered = tuple(booster.feature_names or ()), list(artifact.schema["features"])
    fits = set(features) <= set(offered) if artifact.parameters["is"] == Script.name else list(features) == offered
    if not features or not fits:
        raise ArtifactError(
            f"The model was trained on {list(features) or 'columns without names'}, and its archive says {offered}. "
            "Train it again; a script gives names with xgboost.DMatrix(..., feature_names=...)."
        )
    recipe = None if artifact.recipe is None else Recipe.from_json(artifact.recipe, functions)
    return Model(dict(artifact.schema["inputs"]), features, recipe, booster, *_answers_of(booster, artifact.schema))


def _answers_of(booster: xgboost.Booster, schema: Mapping[str, Any]) -> tuple[str, tuple[ClassValue, ...] | None]:
    """Ask the booster for its objective, and find the values that its answers stand for: a script's archive does not list them."""
    learner = json.loads(booster.save_config())["learner"]
    objective = str(learner["objective"]["name"])
    if "classes" in schema:
        return objective, tuple(schema["classes"])
    if not objective.startswith(("binary:", "multi:")) or family_of(schema["target"][1]) == "text":
        return objective, None
    # XGBoost learns positions of classes, so a target of numbers has them as its values.
    count = max(2, int(learner["learner_model_param"]["num_class"]))
    return objective, (False, True) if family_of(schema["target"][1]) == "boolean" else tuple(range(count))
