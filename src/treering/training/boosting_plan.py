"""What is settled before XGBoost reads a row: what it is told, its constraints by feature, which classes there are, what their rows weigh."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from treering.errors import NotFoundError, TrainingError
from treering.training.classes import Classes
from treering.training.matrix import Matrix, Numbers, Rows, family_of
from treering.training.metrics import measure
from treering.training.objectives import Kind
from treering.training.parameters import XGBoost
from treering.training.target import learn_classes
from treering.training_sets.splits import TRAIN, VALIDATION

# Above which answer the second class is meant; None where answers are positions of classes.
_THRESHOLDS: Mapping[str, float | None] = MappingProxyType({"binary:logitraw": 0.0, "multi:softmax": None})


def threshold_of(objective: str) -> float | None:
    """Say above which answer the second class is meant; None where answers are positions of classes.

    >>> threshold_of("binary:logistic"), threshold_of("binary:logitraw")
    (0.5, 0.0)
    """
    return _THRESHOLDS.get(objective, 0.5)


class Measured(Protocol):
    """Rows with their targets and weights, as XGBoost holds them."""

    def get_label(self) -> Numbers:
        """The targets, one per row."""
        ...

    def get_weight(self) -> Numbers:
        """The weights; none where all rows count alike."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A trainer and the rows for it, checked against each other.

    Attributes:
        classes: of the target; None where it is an amount.
        class_weights: what a row of each class of the train split weighs; None for all alike.
        parameters: what XGBoost is told.
    """

    trainer: XGBoost
    rows: Rows
    classes: Classes | None
    class_weights: Numbers | None
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, trainer: XGBoost, rows: Rows) -> "Plan":
        """Read the targets, and nothing else, to settle how to train.

        Raises:
            TrainingError: for rows that the trainer cannot learn from as it is told to.
            NotFoundError: for a constraint on a feature that does not reach the model.
        """
        _check_rows(trainer, rows)
        classes, wanted = learn_classes(trainer, rows), trainer.class_weight
        weights = None if wanted is None or classes is None else classes.weights(wanted)
        return cls(trainer, rows, classes, weights, _parameters(trainer, rows, classes))

    def remarks(self) -> Iterator[str]:
        """Say what a person should know of the target before the first round."""
        target = str(self.rows.training_set.target)
        if self.classes is not None and not self.classes.are_positions:
            yield f"classes of {target!r}: {self.classes}"
        if self.classes is None and family_of(self.rows.training_set.receipt.columns[target]) == "boolean":
            yield f"target {target!r} is boolean and is learnt as 0 and 1; for a probability take objective='binary:logistic'"

    def matrices(self, split: str) -> Iterator[Matrix]:
        """Read a split; what classes weigh shapes what is learnt, and not what the other splits measure."""
        return self.rows.matrices(split, self.classes, self.class_weights if split == TRAIN else None)

    @property
    def features(self) -> dict[str, Any]:
        """Names of the features, and types where some are categories, as XGBoost's matrices take them."""
        names, categories = self.rows.feature_names, self.rows.categories
        types = {"feature_types": ["c" if name in categories else "q" for name in names]} if categories else {}
        return {"feature_names": list(names), **types}

    def own_metrics(self, answers: Numbers, rows: Measured) -> list[tuple[str, float]]:
        """Measure what XGBoost cannot."""
        threshold = threshold_of(str(self.trainer.parameters["objective"]))
        return [(name, measure(name, rows.get_label(), answers, rows.get_weight(), threshold=threshold)) for name in self.trainer.own_metrics]


def _check_rows(trainer: XGBoost, rows: Rows) -> None:
    if trainer.early_stopping_rounds is not None and VALIDATION not in rows.splits:
        raise TrainingError("Early stopping watches the validation split, and the training set has none. Build it with a split, or drop early_stopping_rounds.")
    if rows.categories and trainer.parameters.get("tree_method", "exact") == "exact":
        raise TrainingError(
            f"The recipe makes native categories ({', '.join(sorted(rows.categories))}), which booster='gblinear' and tree_method='exact' do not take. "
            "Use OneHot in the place of Category, or another tree_method."
        )


def _parameters(trainer: XGBoost, rows: Rows, classes: Classes | None) -> dict[str, Any]:
    # XGBoost's own defaults, said aloud, would draw warnings where the objective does not use them.
    told: dict[str, Any] = dict(trainer.told)
    theirs = [name for name in trainer.eval_metric or (trainer.watched_metric,) if name not in trainer.own_metrics]
    told |= {"eval_metric": theirs} if theirs else {"disable_default_eval_metric": 1}
    if classes is not None and trainer.objective.kind is Kind.CLASSES:
        told["num_class"] = len(classes.values)
    if trainer.parameters["booster"] == "gblinear":
        # XGBoost's own choice is a race between threads, and more than one thread adds up in an order of its own.
        told |= {"updater": trainer.parameters["updater"], "nthread": 1}
    return told | constraints_of(trainer, rows.feature_names)


def constraints_of(trainer: XGBoost, features: tuple[str, ...]) -> dict[str, Any]:
    """Turn a trainer's constraints into XGBoost's for these features; empty where there are none.

    >>> constraints_of(XGBoost(monotone_constraints={"wind": 1}), ("distance", "wind"))
    {'monotone_constraints': (0, 1)}

    Raises:
        NotFoundError: for a feature that does not reach the model.
        TrainingError: for more or fewer directions than features.
    """
    told = {name: trainer.parameters[name] for name in ("monotone_constraints", "interaction_constraints") if name in trainer.parameters}
    directions, together = told.get("monotone_constraints"), told.get("interaction_constraints")
    if isinstance(directions, Mapping):
        _check_known(tuple(directions), features)
        told["monotone_constraints"] = tuple(directions.get(name, 0) for name in features)
    elif isinstance(directions, tuple) and len(directions) != len(features):
        raise TrainingError(
            f"`monotone_constraints` has {len(directions)} directions, and {len(features)} features reach the model: {', '.join(features)}. "
            "Name them in a mapping such as {'wind': 1}."
        )
    if isinstance(together, tuple):
        groups = [list(group) for group in together if isinstance(group, tuple)]
        _check_known(tuple(str(name) for group in groups for name in group), features)
        return told | {"interaction_constraints": groups}
    return dict(told)


def _check_known(names: tuple[str, ...], features: tuple[str, ...]) -> None:
    for name in names:
        if name not in features:
            raise NotFoundError.among("feature", name, features, "the features that reach the model, which constraints are about")
