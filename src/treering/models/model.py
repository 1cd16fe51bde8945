"""A stored model: its archive's papers and booster together, answering frames, and answering labels by looking their features up itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from treering.errors import ArtifactError, LabelsError
from treering.models.evaluation import Answers, Evaluation, Floats, evaluate
from treering.models.scores import Scores
from treering.point_in_time.labels import Labels
from treering.point_in_time.local import LookupResult
from treering.schema.serialise import from_json
from treering.schema.view import Lookup
from treering.training.artifact import Artifact
from treering.training.classes import Classes
from treering.training.matrix import Numbers, as_trained, family_of, numbers_of
from treering.training.objectives import OBJECTIVES, Kind
from treering.training.parameters import ClassValue
from treering.training.xgboost_trainer import Model, load_model
from treering.training_sets.receipt import LabelRoles

LookUp = Callable[[Labels, Sequence[Lookup]], LookupResult]
"""Looks labels up in the store's groups."""


def _as_chance(log_odds: Floats) -> Floats:
    # The logistic function, in a form that does not overflow.
    chance: Floats = (1 + np.tanh(log_odds / 2)) / 2
    return chance


@dataclass(frozen=True, slots=True, repr=False)
class StoredModel:
    """A model that was loaded from its archive, every byte of which was checked first.

    Attributes:
        name: the training job's, or the address that it was loaded from.
        artifact: the archive: parameters, receipt of the training set, recipe, schema, SHA-256.
        lookups: what the model's features are looked up with, as its training set's receipt has it.
    """

    name: str
    artifact: Artifact
    lookups: tuple[tuple[Lookup, int], ...]
    _model: Model = field(compare=False)
    _look_up: LookUp = field(compare=False)

    @classmethod
    def of(cls, name: str, artifact: Artifact, look_up: LookUp, functions: Mapping[str, Any] | None = None) -> "StoredModel":
        """Load the booster and the recipe of an archive that was opened, and so checked.

        Args:
            name: what to call it.
            artifact: from `open_artifact`.
            look_up: answers lookups from the store's groups.
            functions: your own functions by name, where the recipe has steps made by `tr.step`.

        Raises:
            ArtifactError: for an archive whose receipt does not say what to look up.
        """
        try:
            lookups = tuple((from_json(one["lookup"]), int(one["commit"])) for one in artifact.receipt["provenance"]["lookups"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"The receipt in the model archive {name!r} does not say what to look up ({type(error).__name__}: {error}). Train it again."
            ) from error
        return cls(name, artifact, lookups, load_model(artifact, functions), look_up)

    @property
    def objective(self) -> str:
        """XGBoost's word for what it was trained to do."""
        return self._model.objective

    @property
    def kind(self) -> Kind | None:
        """What its answer is; None for a script's model with an objective that treering does not train with."""
        return OBJECTIVES[self.objective].kind if self.objective in OBJECTIVES else None

    @property
    def labels(self) -> LabelRoles:
        """What the columns of the labels that it was trained on meant."""
        roles: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in self.artifact.receipt["labels"].items()}
        return LabelRoles(**roles)

    @property
    def target(self) -> str:
        """The column that it learned to predict."""
        return str(self.artifact.schema["target"][0])

    @property
    def features(self) -> tuple[str, ...]:
        """What reaches the booster, after the recipe, in order."""
        return self._model.features

    @property
    def classes(self) -> tuple[ClassValue, ...]:
        """The target's values in the order of its answers, of two the positive one second; none where the answer is no class."""
        return self._model.classes or ()

    def importance(self, kind: str = "gain") -> Mapping[str, float]:
        """Say how much each feature contributes, most first.

        Args:
            kind: "gain" (the mean improvement of a split), "weight" (how many splits), "cover", "total_gain" or "total_cover".
        """
        return self._model.importance(kind)

    def predict(self, frame: Any) -> Numbers:
        """Answer rows that have the features already.

        Args:
            frame: a pandas or Polars frame, an Arrow table, or what a lookup gave, with the columns the model was trained on;
                the recipe is applied here, and other columns are not looked at.

        Returns:
            float32, one per row, or of shape (rows, classes) for `multi:softprob`.

        Raises:
            NotFoundError: for a column that the frame lacks.
            TrainingError: for a column of another kind than the model was trained on, or that does not become numbers.
        """
        return self._model.predict(frame)

    def score(self, labels: Labels, *, as_of_training: bool = False) -> Scores:
        """Look up what was known at each row's time, and answer the rows.

        Args:
            labels: rows with a time, the keys of the lookups and the model's inputs (`Labels(inputs=...)`); with a target, the
                answers are measured against it.
            as_of_training: see the groups at the commits that the training set saw. Otherwise the newest records are seen,
                which is what rows that are newer than the training set need.

        Raises:
            LabelsError: for labels that do not name the model's inputs, or cannot be looked up.
            FeatureGroupNotFoundError: for a group that the store does not have.
            TrainingError: for an input, a feature or a target of another kind than the model was trained on.
        """
        missing = [name for name in self.labels.inputs if name not in labels.inputs]
        if missing:
            needed = ", ".join(repr(name) for name in self.labels.inputs)
            raise LabelsError(
                f"Model {self.name!r} was trained with inputs that the labels do not name: {', '.join(missing)}. Say Labels(..., inputs=[{needed}])."
            )
        asked = [replace(lookup, as_of=commit if as_of_training else None) for lookup, commit in self.lookups]
        result = self._look_up(labels, asked)
        answers = np.concatenate([self.predict(batch) for batch in result.batches()]) if len(result) else self._no_answers()
        return Scores.of(result, answers, self.classes if self.kind is Kind.CLASSES else (), self._evaluated(result, answers))

    def _no_answers(self) -> Numbers:
        # XGBoost warns of no rows, and forgets the classes.
        return np.empty((0, len(self.classes)) if self.objective == "multi:softprob" else 0, dtype=np.float32)

    def _evaluated(self, result: LookupResult, answers: Numbers) -> Evaluation | None:
        labels = result.labels
        if labels.target is None:
            return None
        happened = as_trained(result.table.select([labels.target]), {labels.target: self.artifact.schema["target"][1]})
        return self._measured(answers, happened[labels.target], None if labels.weight is None else result.table[labels.weight])

    def evaluate(self, batches: Iterable[pa.RecordBatch], target: str, weight: str | None = None) -> Evaluation | None:
        """Answer rows batch by batch and measure the answers.

        Rows without a target or without weight, and those whose target is no class of the model, are left out.

        Args:
            batches: with the columns that the model was trained on, the target and the weight.
            target, weight: the columns' names.

        Returns:
            None if no row is left, the model answers hazards, or what its answers stand for is known to its script alone.
        """
        answers, targets, weights = [], [], []
        for batch in batches:
            answers.append(self.predict(batch))
            targets.append(batch[target])
            weights.append(pa.nulls(len(batch)) if weight is None else batch[weight])
        if not answers:
            return None
        return self._measured(np.concatenate(answers), pa.chunked_array(targets), None if weight is None else pa.chunked_array(weights))

    def _measured(self, answers: Numbers, target: pa.ChunkedArray, weight: pa.ChunkedArray | None) -> Evaluation | None:
        if target.null_count == len(target) or not self._is_measurable:
            return None
        happened = self._numbers(target)
        counts = np.ones(len(happened)) if weight is None else numbers_of("weight", weight).astype(np.float64)
        known = ~np.isnan(happened) & (counts > 0)
        if not known.any():
            return None
        given = answers[known].astype(np.float64)
        chances = _as_chance(given) if self.objective == "binary:logitraw" else given
        weights = None if weight is None else counts[known]
        return evaluate(Answers(happened[known], chances, weights, tuple(map(str, self.classes))), self.kind)

    @property
    def _is_measurable(self) -> bool:
        """Whether it is known which answer a value of the target is; a script may have told texts apart in a way of its own."""
        is_amount = self.kind is not None and not self.kind.is_classes and family_of(self.artifact.schema["target"][1]) != "text"
        return bool(self.classes) or is_amount

    def _numbers(self, target: pa.ChunkedArray) -> Floats:
        column = target.combine_chunks()
        if not self.classes:
            return numbers_of("target", column).astype(np.float64)
        return Classes.of(dict.fromkeys(self.classes, 0)).positions(column).astype(np.float64)

    def to_json(self) -> dict[str, Any]:
        """Write what it was made from and what it needs as what `json.dumps` takes."""
        artifact = self.artifact
        return {
            "name": self.name,
            "sha256": artifact.sha256,
            "trainer": artifact.parameters,
            "schema": artifact.schema,
            "labels": artifact.receipt["labels"],
            "lookups": artifact.receipt["provenance"]["lookups"],
            "recipe": artifact.recipe,
            "training_set": artifact.receipt["id"],
        }

    def __repr__(self) -> str:
        looked_up = ", ".join(dict.fromkeys(lookup.group for lookup, _ in self.lookups))
        lines = [
            f"StoredModel {self.name!r}: {self.objective}, predicts {self.target!r}",
            f"  {'inputs':<10}  {', '.join(self.labels.inputs) or 'none'}",
            f"  {'looks up':<10}  {looked_up or 'nothing'}",
            f"  {'features':<10}  {len(self.features)} reach the booster",
            f"  {'trained on':<10}  training set {self.artifact.receipt['id'][:16]}",
            f"  {'sha256':<10}  {self.artifact.sha256}",
        ]
        return "\n".join(lines)
