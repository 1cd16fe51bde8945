"""Scores: a model's answers beside the label rows that they answer, and how good they were where that is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from treering.errors import ColumnCollisionError
from treering.models.evaluation import Evaluation
from treering.point_in_time.counts import LookupCounts, counts_text
from treering.point_in_time.local import LookupResult
from treering.training.matrix import Numbers
from treering.training.parameters import ClassValue

if TYPE_CHECKING:
    import pandas as pd

PREDICTION = "prediction"


@dataclass(frozen=True, slots=True, repr=False)
class Scores:
    """One answer per label row, in the labels' order.

    Attributes:
        table: the label columns, then `prediction`: what `predict` answers. Where a model chooses among several classes it is the
            likeliest class, and `chance_<class>` columns follow.
        counts: how the label rows of each lookup ended.
        evaluation: metrics and curves against the labels' target; None where no row has one.
    """

    table: pa.Table
    counts: tuple[LookupCounts, ...]
    evaluation: Evaluation | None

    @classmethod
    def of(cls, result: LookupResult, answers: Numbers, classes: Sequence[ClassValue], evaluation: Evaluation | None) -> "Scores":
        """Put answers beside the labels that they answer.

        Raises:
            ColumnCollisionError: for a label column of the name of an answer.
        """
        table = result.rows.table
        taken = {name.lower(): name for name in table.column_names}
        for name, column in _columns(answers, classes).items():
            if name.lower() in taken:
                raise ColumnCollisionError(f"The labels have a column {taken[name.lower()]!r}, and the answers are called {name!r}. Rename the label column.")
            table = table.append_column(name, column)
        return cls(table, result.counts, evaluation)

    @property
    def metrics(self) -> Mapping[str, float | None] | None:
        """How good the answers are; None where no row has a target."""
        return None if self.evaluation is None else self.evaluation.metrics

    def to_arrow(self) -> pa.Table:
        """Return label columns and answers as an Arrow table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return label columns and answers as a pandas frame."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        measured = "no target to measure against" if self.metrics is None else _metrics_text(self.metrics)
        looked_up = [counts_text(self.counts)] if self.counts else []
        return "\n".join([f"Scores of {len(self):,} rows: {measured}", *looked_up])


def _columns(answers: Numbers, classes: Sequence[ClassValue]) -> dict[str, pa.Array]:
    if answers.ndim == 1 and not classes:
        return {PREDICTION: pa.array(answers)}
    # A script's own codes of texts have no other names than their positions.
    classes = classes or range(answers.shape[1])
    if answers.ndim == 1:
        return {PREDICTION: pa.array(classes).take(pa.array(answers.astype(np.int64)))}
    chances = {f"chance_{name}": pa.array(answers[:, position]) for position, name in enumerate(classes)}
    return {PREDICTION: pa.array(classes).take(pa.array(answers.argmax(axis=1)))} | chances


def _metrics_text(metrics: Mapping[str, float | None]) -> str:
    return "  ".join(f"{name} {'-' if value is None else format(value, '.5f')}" for name, value in metrics.items())
