"""What a report is made from: the job, its training set and model, how it learnt, and how good it is on rows it never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treering.models.evaluation import Evaluation
from treering.models.model import StoredModel
from treering.training.job import TrainingJob
from treering.training_sets.splits import TEST, TRAIN, VALIDATION
from treering.training_sets.training_set import TrainingSet

History = Mapping[str, Mapping[str, Sequence[float]]]
"""Values per round by metric by split; NaN where a round had none."""

_MEASURED = (TEST, VALIDATION, TRAIN)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a report tells.

    Attributes:
        importance: how much each feature that the model uses contributes, most first.
        split: the one that was measured: the test split if there is one, else the validation split, else the train split.
        evaluation: of the model on that split; None where none of its rows has a target.
        history: values per round by metric by split.
    """

    job: TrainingJob
    training_set: TrainingSet
    model: StoredModel
    importance: Mapping[str, float]
    split: str
    evaluation: Evaluation | None
    history: History


def gather(job: TrainingJob, model: StoredModel, training_set: TrainingSet, history: History) -> Findings:
    """Measure a model on the split that is held back the furthest and has targets.

    Args:
        job: completed.
        model: the job's.
        training_set: the job's.
        history: of the job's metrics.
    """
    summaries = training_set.receipt.splits
    split = next(split for split in _MEASURED if split in summaries and summaries[split].rows > summaries[split].null_targets)
    columns = dict.fromkeys((*training_set.features, model.target, training_set.weight))
    batches = training_set.batches(split, [name for name in columns if name is not None])
    evaluation = model.evaluate(batches, model.target, training_set.weight)
    return Findings(job, training_set, model, model.importance(), split, evaluation, history)
