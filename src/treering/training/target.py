"""What a target is to an objective: amounts in its range, or classes; anything else is refused before the first round."""

import math
from collections.abc import Mapping

from treering.errors import TrainingError
from treering.training.classes import Classes, count_values, is_class, shown
from treering.training.matrix import Rows, family_of, numbers_of
from treering.training.objectives import Kind
from treering.training.parameters import ClassValue, XGBoost
from treering.training_sets.splits import TRAIN, VALIDATION
from treering.training_sets.training_set import TrainingSet

# Rows of one class have no such value.
_OF_MORE_CLASSES = ("auc", "aucpr")


def check_target(trainer: XGBoost, training_set: TrainingSet) -> None:
    """Refuse a target whose type the objective cannot learn; nothing is read.

    Raises:
        TrainingError: with an objective that could.
    """
    target, objective = str(training_set.target), trainer.parameters["objective"]
    family = family_of(training_set.receipt.columns[target])
    if family == "text" and not trainer.objective.kind.is_classes:
        raise TrainingError(
            f"The target {target!r} holds text, and {objective!r} learns {trainer.objective.kind}. "
            "Take objective='binary:logistic' for two classes, 'multi:softprob' for more, or give numbers."
        )
    if family not in ("text", "number", "boolean"):
        raise TrainingError(f"The target {target!r} is {family}, which {objective!r} cannot learn. Give the labels a target of numbers, or of classes.")


def learn_classes(trainer: XGBoost, rows: Rows) -> Classes | None:
    """Read the targets of every split, and find the classes of the train split; None where the target is an amount.

    Raises:
        TrainingError: for a target that the objective cannot learn, that has one value alone, or whose classes in another
            split are not those of the train split.
    """
    check_target(trainer, rows.training_set)
    if not trainer.objective.kind.is_classes:
        _check_amounts(trainer, rows)
        return None
    target = str(rows.training_set.target)
    counts = count_values(target, rows.targets(TRAIN))
    _check_classes(trainer, target, counts)
    classes = Classes.of({value: count for value, count in counts.items() if is_class(value)})
    for split in rows.splits:
        found = count_values(target, rows.targets(split))
        if split == VALIDATION and len(found) == 1 and trainer.early_stopping_rounds is not None and trainer.watched_metric in _OF_MORE_CLASSES:
            raise TrainingError(
                f"Early stopping watches {trainer.watched_metric!r} of the validation split, and {target!r} is {shown(found)} in all of its rows, which have none. "
                "Name another metric last, or build the set with another split."
            )
        strangers = {value: count for value, count in found.items() if value not in counts}
        if strangers:
            raise TrainingError(
                f"The target {target!r} has values in the {split} split that the train split has not ({shown(strangers)}; {sum(strangers.values()):,} rows), "
                "and a model cannot answer what it never saw. Build the set with another split, or leave those labels out."
            )
    return classes


def _check_classes(trainer: XGBoost, target: str, counts: Mapping[ClassValue | float, int]) -> None:
    found, said, objective = len(counts), trainer.parameters.get("num_class"), trainer.parameters["objective"]
    if found == 1:
        raise _constant(target, next(iter(counts)), sum(counts.values()))
    if not all(is_class(value) for value in counts):
        raise TrainingError(
            f"The target {target!r} has values that are no whole numbers ({shown(counts)}), and {objective!r} learns classes. "
            "Take reg:logistic for shares from 0 to 1, reg:squarederror for amounts."
        )
    if trainer.objective.kind is not Kind.CLASSES and found != 2:
        raise TrainingError(
            f"The objective {objective!r} takes a target of two values, and {target!r} has {found:,} in the train split: {shown(counts)}. "
            "Take multi:softprob for more classes, reg:squarederror for amounts."
        )
    if said is not None and said != found:
        raise TrainingError(
            f"`num_class` is {said}, and the target {target!r} has {found:,} values in the train split: {shown(counts)}. "
            "Leave num_class out, and the values are the classes."
        )


def _check_amounts(trainer: XGBoost, rows: Rows) -> None:
    target, allowed = str(rows.training_set.target), trainer.objective.target
    for split in rows.splits:
        count, low, high = 0, math.inf, -math.inf
        for column in rows.targets(split):
            values = numbers_of(f"target {target!r}", column)
            count, low, high = count + len(values), min(low, float(values.min())), max(high, float(values.max()))
        for value in (low, high):
            if not allowed.holds(value):
                raise TrainingError(
                    f"The target {target!r} is {value:g} in the {split} split, and {trainer.parameters['objective']!r} takes {allowed.rule}. "
                    "Take another objective, or mend the labels; XGBoost.help('objective') lists them."
                )
        if split == TRAIN and low == high:
            raise _constant(target, low, count)


def _constant(target: str, value: object, rows: int) -> TrainingError:
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return TrainingError(f"The target {target!r} is {text} in all {rows:,} rows of the train split, so there is nothing to learn. Give it other labels too.")
