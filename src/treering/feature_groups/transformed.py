"""A source whose rows go through a recipe before they are ingested, and what is kept of that recipe."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from treering.errors import InvalidDefinitionError
from treering.ingestion.report import IngestionReport
from treering.recipes.recipe import Recipe
from treering.schema.arrow import pandas_column
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.fitted import FittedSteps
from treering.schema.types import FeatureType, Schema
from treering.sources.batches import Part, Source, SourceBatch, Types, distinct
from treering.storage.objects import Objects, create_own

if TYPE_CHECKING:
    import pandas as pd

_BATCH_ROWS = 131_072

# Text is read as what it looks like, widened to what the group declares under the same name: nothing is lost by it.
_WIDENED: dict[tuple[FeatureType | None, pa.DataType], pa.DataType] = {
    (FeatureType.FRACTIONAL, pa.int64()): pa.float64(),
    (FeatureType.BOOLEAN, pa.int64()): pa.bool_(),
}
_PARSED = (pa.int64(), pa.float64(), pa.bool_())
# Up to here, floats hold every whole number.
_WHOLE_FLOATS = 2**53


class Transformed:
    """Rows of a source after a recipe. They keep their positions, so that a bad one is still found by its line.

    A fitted recipe whose steps take each row by itself works batch by batch. Any other sees all rows at once, in memory; one that
    is not fitted learns from them. The recipe that was given stays as it is.

    Attributes:
        recipe: the recipe that the rows went through; fitted once they did.
        rows_in: how many rows went into it.
        rows_out: how many came out.
    """

    def __init__(self, source: Source, recipe: Recipe) -> None:
        """Keep both; rows are read when they are asked for.

        Raises:
            InvalidDefinitionError: for what is no recipe.
        """
        if not isinstance(recipe, Recipe):
            raise InvalidDefinitionError(f"A recipe is a tr.Recipe, and {type(recipe).__name__} is none. Say recipe=tr.Recipe([...]).")
        self.description = source.description
        self.total_bytes = source.total_bytes
        self.manner = source.manner
        # Its owner may have asked it for Polars frames, which have no index to carry the positions.
        self.recipe = copy.copy(recipe).set_output(transform="default")
        self.rows_in = self.rows_out = 0
        self._source, self._given = source, recipe
        self._begun: tuple[SourceBatch, Iterator[SourceBatch]] | None = None

    @property
    def bytes_read(self) -> int:
        """How many bytes of the source have been read."""
        return self._source.bytes_read

    @property
    def learned_here(self) -> bool:
        """Whether the recipe learned from these very rows."""
        return not self._given.is_fitted

    def column_names(self) -> tuple[str, ...]:
        """The columns that come out of the recipe."""
        return tuple(self.arrow_schema().names)

    def arrow_schema(self, schema: Types | None = None) -> pa.Schema:
        """The columns that come out, with the types that the first batch has; it is read for that."""
        if self._begun is None:
            batches = self._transformed(schema)
            self._begun = (next(batches), batches)
        columns: pa.Schema = self._begun[0].table.schema
        return columns

    def batches(self, schema: Types | None = None) -> Iterator[SourceBatch]:
        """Give the transformed rows, in the source's order unless the recipe changes it."""
        self.arrow_schema(schema)
        assert self._begun is not None
        (first, rest), self._begun = self._begun, None
        yield first
        yield from rest

    def parts(self) -> tuple[Part, ...]:
        """The source's parts that have been come to."""
        return self._source.parts()

    def digest(self) -> str:
        """SHA-256 of the source's digest and the recipe that was given."""
        return self._with_recipe(self._source.digest())

    def content(self) -> str | None:
        """What `digest` will say; None for a stream."""
        content = self._source.content()
        return None if content is None else self._with_recipe(content)

    def _with_recipe(self, digest: str) -> str:
        return f"sha256:{hashlib.sha256(f'{digest} {self._given.digest()}'.encode()).hexdigest()}"

    def _transformed(self, schema: Types | None) -> Iterator[SourceBatch]:
        """At least one batch, since its columns are asked for."""
        self.rows_in = self.rows_out = 0
        types = _read_as(self._source.arrow_schema(), schema)
        empty = SourceBatch(self._source.arrow_schema(types).empty_table(), np.empty(0, np.int64))
        batches = self._source.batches(types)
        if self._given.is_fitted and not any(step.looks_across_rows for step in self._given.steps):
            first = next(batches, empty)
            yield self._applied(first)
            for batch in batches:
                yield self._applied(batch)
        else:
            yield from _pieces(self._applied(_joined([empty, *batches])))

    def _applied(self, batch: SourceBatch) -> SourceBatch:
        import pandas as pd

        frame = _frame_of(batch.table)
        frame.index = pd.Index(batch.positions)
        self.rows_in += len(frame)
        if not self._given.is_fitted:
            self.recipe = Recipe(list(self._given.steps)).fit(frame)
        frame = self.recipe.transform(frame)
        self.rows_out += len(frame)
        return SourceBatch(_table_of(frame), frame.index.to_numpy(dtype=np.int64), batch.bad_rows)


class RecipeRecord:
    """What an ingestion writes down about the recipe that its rows went through.

    Args:
        rows: the rows that went through it.
        definition: the group's.
        objects: where the recipe is kept.
        folder: the key of the group's folder.
        note_fitted: writes into the group's document that there may be steps that had learned from values.
    """

    def __init__(self, rows: Transformed, definition: FeatureGroupDefinition, *, objects: Objects, folder: str, note_fitted: Callable[[], None]) -> None:
        self._rows, self._definition = rows, definition
        self._objects, self._folder, self._note_fitted = objects, folder, note_fitted

    @property
    def digest(self) -> str:
        """The digest of the fitted recipe."""
        return self._rows.recipe.digest()

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps, in order."""
        return tuple(step.name for step in self._rows.recipe.steps)

    def notes(self) -> tuple[str, ...]:
        """How many rows the recipe left out, and what it learned from which rows."""
        left_out = self._rows.rows_in - self._rows.rows_out
        notes = [f"{'1 row was' if left_out == 1 else f'{left_out:,} rows were'} left out by the recipe"] if left_out else []
        learned = self._learned()
        if learned:
            rows = f"{self._rows.recipe.fitted_on_.rows:,} {'of these rows' if self._rows.learned_here else 'rows'}"
            notes.append(f"{', '.join(learned)} learned from {rows}: a model tested on them will look better than it is")
        return tuple(notes)

    def keep(self, report: IngestionReport) -> FittedSteps | None:
        """Keep the fitted recipe beside the group's data, and note in the group's document if any of its steps had learned."""
        key = f"{self._folder}/recipes/{self.digest.removeprefix('sha256:')}.json"
        if self._objects.size(key) is None:
            create_own(self._objects, key, json.dumps(self._rows.recipe.to_json(), indent=1, allow_nan=False).encode())
        fitted = self._fitted(report)
        if fitted is not None:
            self._note_fitted()
        return fitted

    def _fitted(self, report: IngestionReport) -> FittedSteps | None:
        steps = self._learned()
        if not steps:
            return None
        first, last = self._learned_from(report)
        return FittedSteps(report.ingestion, steps, self._rows.recipe.fitted_on_.rows, first, last)

    def _learned_from(self, report: IngestionReport) -> tuple[int | None, int | None]:
        times, event_time = self._rows.recipe.fitted_on_.times, str(self._definition.event_time)
        if not self._rows.learned_here:
            only = next(iter(times.values())) if len(times) == 1 else (None, None)
            return times.get(event_time, only)
        # Rows that a later step, or the group, left out were learned from too; while their times are text, they are not known.
        moments = [moment for moment in (*times.get(event_time, ()), report.first_event_time, report.last_event_time) if moment is not None]
        return min(moments, default=None), max(moments, default=None)

    def _learned(self) -> tuple[str, ...]:
        fitted = (one for one in self._rows.recipe.fitted_steps_ if one.step.is_fitted_step)
        return tuple(f"{one.step.name}({', '.join(one.learned.columns)})" for one in fitted)


def _read_as(inferred: pa.Schema, declared: Types | None) -> pa.Schema:
    """The types that the columns of a text file are read as before a recipe; other sources have types of their own."""
    if not isinstance(declared, Schema):
        return pa.schema([(field.name, field.type if field.type in _PARSED else pa.string()) for field in inferred])
    fields = []
    for field in inferred:
        wanted = declared[field.name].type if field.name in declared else None
        is_text = wanted is FeatureType.STRING or field.type not in _PARSED
        fields.append((field.name, pa.string() if is_text else _WIDENED.get((wanted, field.type), field.type)))
    return pa.schema(fields)


def _joined(batches: list[SourceBatch]) -> SourceBatch:
    table = pa.concat_tables([batch.table for batch in batches])
    positions = np.concatenate([batch.positions for batch in batches])
    return SourceBatch(table, positions, tuple(row for batch in batches for row in batch.bad_rows))


def _pieces(batch: SourceBatch) -> Iterator[SourceBatch]:
    for start in range(0, max(batch.table.num_rows, 1), _BATCH_ROWS):
        bad_rows = batch.bad_rows if start == 0 else ()
        yield SourceBatch(batch.table.slice(start, _BATCH_ROWS), batch.positions[start : start + _BATCH_ROWS], bad_rows)


def _frame_of(table: pa.Table) -> "pd.DataFrame":
    """Whole numbers with gaps are floats to pandas; those that no float holds keep their type instead."""
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas()
    nullable = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count and column.type in nullable:
            ends = pc.min_max(column).as_py().values()
            if any(abs(end or 0) > _WHOLE_FLOATS for end in ends):
                frame[name] = column.to_pandas(types_mapper=nullable.get)
    return frame


def _table_of(frame: "pd.DataFrame") -> pa.Table:
    names = distinct((str(name) for name in frame.columns), "the recipe's output")
    return pa.table([_without_nan(pandas_column(frame[name], name)) for name in frame.columns], names=list(names))


def _without_nan(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A null of the source is NaN to pandas: it comes back as the null that it was."""
    return pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column
