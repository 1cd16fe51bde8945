"""The rows of a training set as numbers: which rows train, which columns feed a model, and what each becomes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import NotFoundError, TrainingError
from treering.recipes.recipe import Recipe
from treering.training.classes import Classes
from treering.training_sets.splits import TEST, TRAIN, VALIDATION
from treering.training_sets.training_set import BATCH_ROWS, TrainingSet

USED_SPLITS = (TRAIN, VALIDATION, TEST)
"""In the order in which metrics are shown; embargoed rows are never read."""

Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows that a trainer can take.

    Attributes:
        data: float32 of shape (rows, features); NaN is a null.
        target: float32, one per row.
        weight: float32, one per row; None where every row counts the same.
    """

    data: Numbers
    target: Numbers
    weight: Numbers | None


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a training set, batch after batch, behind a fitted recipe.

    Attributes:
        training_set: where they are read from.
        recipe: fitted on the train split, or None.
        drop_null_targets: whether rows without a target are left out.
        batch_rows: how many rows are read at once. No number depends on it, unless a function of `tr.step` looks at other rows
            than the one it answers: it sees a batch at a time.
    """

    training_set: TrainingSet
    recipe: Recipe | None
    drop_null_targets: bool
    batch_rows: int = BATCH_ROWS

    @classmethod
    def of(cls, training_set: TrainingSet, recipe: Recipe | None, *, drop_null_targets: bool = False) -> "Rows":
        """Fit the recipe on the rows of the train split that have a target, and on no other.

        Raises:
            TrainingError: for a set that cannot be trained on, or a recipe with a step that is for before ingestion.
        """
        check_trainable(training_set, recipe, drop_null_targets=drop_null_targets)
        unfitted = cls(training_set, None, drop_null_targets)
        if recipe is None:
            return unfitted
        features = list(training_set.features)
        fitted = recipe.fit_batches(lambda: (batch.select(features).to_pandas() for batch in unfitted._batches(TRAIN)))
        return cls(training_set, fitted, drop_null_targets)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns that reach the model, in order."""
        return self.training_set.features if self.recipe is None else tuple(self.recipe.get_feature_names_out().tolist())

    @property
    def categories(self) -> frozenset[str]:
        """Those of them whose numbers name categories."""
        return frozenset(() if self.recipe is None else self.recipe.categories_out)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have rows to train or measure on."""
        found = self.training_set.receipt.splits
        dropped = {name: summary.null_targets if self.drop_null_targets else 0 for name, summary in found.items()}
        return tuple(name for name in USED_SPLITS if name in found and found[name].rows > dropped[name])

    def matrices(self, split: str, classes: Classes | None = None, class_weights: Numbers | None = None) -> Iterator[Matrix]:
        """Read one split as numbers, in label order; every call reads it anew.

        Args:
            split: which.
            classes: of a target that has some; positions stand for them.
            class_weights: how much a row of each class counts, besides its own weight.
        """
        target, weight = str(self.training_set.target), self.training_set.weight
        for batch in self._batches(split):
            features = features_of(batch, self.training_set.features, self.recipe)
            answers = numbers_of(f"target {target!r}", batch[target]) if classes is None else classes.positions(batch[target])
            weights = None if weight is None else numbers_of(f"weight {weight!r}", batch[weight])
            if class_weights is not None:
                of_class = class_weights[answers.astype(np.int64)]
                weights = of_class if weights is None else of_class * weights
            yield Matrix(as_numbers(features), answers, weights)

    def targets(self, split: str) -> Iterator[pa.Array]:
        """Read the targets of one split as they are."""
        return (batch[str(self.training_set.target)] for batch in self._batches(split, ()))

    def weights(self, split: str) -> Numbers:
        """Read the weights of one split; the labels have to have some."""
        column = str(self.training_set.weight)
        return np.concatenate([numbers_of(f"weight {column!r}", batch[column]) for batch in self._batches(split, ())])

    def _batches(self, split: str, features: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        training_set = self.training_set
        columns = dict.fromkeys((*(training_set.features if features is None else features), training_set.target, training_set.weight))
        for batch in training_set.batches(split, [name for name in columns if name is not None], batch_rows=self.batch_rows):
            kept = batch.filter(pc.invert(pc.is_null(batch[training_set.target], nan_is_null=True))) if self.drop_null_targets else batch
            if kept.num_rows:
                yield kept


def check_trainable(training_set: TrainingSet, recipe: Recipe | None, *, drop_null_targets: bool) -> None:
    """Refuse what cannot be trained on; nothing is read but the weights, where there are any.

    Raises:
        TrainingError: for a set without target, features, training rows or some targets; for a recipe with a step that is for before ingestion;
            for weights that are null, negative, or 0 in all rows of a split.
    """
    name, receipt = repr(training_set.name), training_set.receipt
    if training_set.target is None:
        raise TrainingError(f"Training set {name} has no target. Build it from labels with target=.")
    if not training_set.features:
        raise TrainingError(f"Training set {name} has nothing that may feed a model: no inputs and no looked-up features. Name inputs in its labels.")
    if TRAIN not in receipt.splits:
        raise TrainingError(f"Training set {name} has no row in its train split. Build it with other boundaries.")
    nulls = {split: receipt.splits[split].null_targets for split in USED_SPLITS if split in receipt.splits}
    if sum(nulls.values()) and not drop_null_targets:
        where = ", ".join(f"{count:,} in {split}" for split, count in nulls.items() if count)
        raise TrainingError(f"Training set {name} has rows without a target ({where}). Pass drop_null_targets=True to leave them out, or mend the labels.")
    if nulls[TRAIN] == receipt.splits[TRAIN].rows:
        raise TrainingError(f"No row of the train split of {name} has a target. Mend the labels.")
    if recipe is not None and recipe.before_ingestion_only:
        raise TrainingError(
            f"The recipe has {recipe.before_ingestion_only[0]}, which drops rows or looks at other rows, and a model has to answer each row by itself. "
            "Put it into the recipe of the ingestion: group.ingest(source, recipe=...)."
        )
    if training_set.weight is not None:
        rows = Rows(training_set, None, drop_null_targets=drop_null_targets)
        for split in rows.splits:
            _check_weights(rows, split, training_set.weight)


def _check_weights(rows: Rows, split: str, column: str) -> None:
    weights = rows.weights(split)
    negative, missing, where = int((weights < 0).sum()), int(np.isnan(weights).sum()), f"in the {split} split of {rows.training_set.name!r}"
    if negative or missing:
        raise TrainingError(
            f"The weight {column!r} is null in {missing:,} rows and negative in {negative:,} {where}. Give every row of the labels a weight of 0 or more."
        )
    if not weights.any():
        raise TrainingError(f"The weight {column!r} is 0 in all {len(weights):,} rows {where}, so no row counts. Give some rows a weight above 0.")


def features_of(rows: pa.RecordBatch | pa.Table, features: Sequence[str], recipe: Recipe | None) -> pa.Table:
    """Take the columns that feed a model and apply the fitted recipe to them.

    Raises:
        NotFoundError: for a feature that the rows lack.
    """
    names = rows.schema.names
    for name in features:
        if name not in names:
            missing = NotFoundError.among("column", name, names, "the rows given to the model")
            raise NotFoundError(f"{missing} Looked-up features come with store.lookup(labels, view).to_pandas(), or by themselves with model.score(labels).")
    chosen = pa.table({name: rows[name] for name in features})
    if recipe is None:
        return chosen
    return pa.Table.from_pandas(recipe.transform(chosen.to_pandas()), preserve_index=False)


# Arrow's names of types begin with these; what else there is makes a family of its own.
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "number": ("int", "uint", "float", "double", "halffloat", "decimal"),
    "text": ("string", "large_string"),
    "boolean": ("bool",),
    "time": ("timestamp", "date", "time"),
    "vector": ("fixed_size_list", "list", "large_list"),
}


def family_of(type: str) -> str:
    """Say what kind of value a column of an Arrow type holds, however wide or encoded.

    >>> family_of("int16"), family_of("dictionary<values=string, indices=int32, ordered=0>")
    ('number', 'text')

    Args:
        type: as Arrow writes it.
    """
    values = type.removeprefix("dictionary<values=")
    return next((family for family, beginnings in _FAMILIES.items() if values.startswith(beginnings)), values)


def as_trained(rows: pa.RecordBatch | pa.Table, types: Mapping[str, str]) -> pa.RecordBatch | pa.Table:
    """Refuse columns that hold another kind of value than the model learnt from; one without any value fits, and takes its kind.

    Args:
        rows: what the model is asked about; columns that it lacks are passed over.
        types: Arrow's, as text, by column.

    Raises:
        TrainingError: naming the first such column.
    """
    for name in [name for name in types if name in rows.schema.names]:
        found, wanted = family_of(str(rows[name].type)), family_of(types[name])
        is_void = pc.all(pc.is_null(rows[name], nan_is_null=True), min_count=0).as_py()
        if found != wanted and not is_void:
            raise TrainingError(f"Column {name!r} is {found}; the model was trained on {wanted}. Cast it.")
        if is_void and wanted == "number":
            # Steps that take numbers refuse the type that Arrow gives to nulls alone.
            rows = rows.set_column(rows.schema.get_field_index(name), name, pa.nulls(rows.num_rows, pa.float64()))
    return rows


def as_numbers(features: pa.Table) -> Numbers:
    """Turn columns into float32 of shape (rows, columns).

    Raises:
        TrainingError: for a column that is no number, with what would make it one, and for infinite values.
    """
    numbers = np.empty((features.num_rows, features.num_columns), dtype=np.float32)
    for position, name in enumerate(features.column_names):
        numbers[:, position] = numbers_of(f"feature {name!r}", features[name])
    return numbers


_REFUSED: Mapping[str, Any] = {
    "holds text, and XGBoost takes numbers. Put LabelEncode, OneHot or Category for it into the recipe.": (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_dictionary,
    ),
    "holds times, and a model that learns moments cannot be asked about later ones. Put DateParts for it into the recipe, or derive an age with tr.step.": (
        pa.types.is_timestamp,
        pa.types.is_date,
        pa.types.is_time,
        pa.types.is_duration,
    ),
    "holds vectors, which XGBoost cannot take as one feature. Derive numbers from it with tr.step, or drop it there.": (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
    ),
}


def numbers_of(what: str, column: pa.ChunkedArray | pa.Array) -> Numbers:
    """Turn one column into float32, nulls into NaN.

    Args:
        what: the column is, for errors, such as "feature 'wind'".
        column: of numbers or booleans.

    Raises:
        TrainingError: for a column that is no number, and for infinite values.
    """
    kind = column.type
    for reason, tests in _REFUSED.items():
        if any(test(kind) for test in tests):
            raise TrainingError(f"The {what} {reason}")
    try:
        # By way of float64: Arrow refuses to cast a large integer to float32, which rounds it.
        floats = pc.cast(column, pa.float64(), safe=False) if not pa.types.is_boolean(kind) else pc.cast(pc.cast(column, pa.uint8()), pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TrainingError(f"The {what} is {kind}, which XGBoost cannot take ({error}). Convert it with tr.step, or leave it out.") from error
    with np.errstate(over="ignore"):
        numbers: Numbers = pc.fill_null(floats, np.nan).to_numpy().astype(np.float32)
    if np.isinf(numbers).any():
        raise TrainingError(
            f"The {what} holds values that are infinite, or too large for 32-bit floats, and XGBoost takes neither. Replace them in the recipe."
        )
    return numbers
