"""Reads small CSV texts and frames the way ingestion does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treering.ingestion.check import CheckedBatch, Checker
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.types import Feature, Schema
from treering.settings import Settings
from treering.sources.bad_rows import BadRow
from treering.sources.batches import Source
from treering.sources.csv import BLOCK_BYTES, Csv, CsvSource
from treering.sources.files import find_files
from treering.sources.source import open_source


@dataclass(frozen=True)
class Read:
    """All that a source gave."""

    rows: list[dict[str, Any]]
    positions: list[int]
    bad_rows: list[BadRow]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(row.position, row.reason) for row in self.bad_rows]


def schema(**types: str) -> Schema:
    return Schema(tuple(Feature(name, type) for name, type in types.items()))


def everything(source: Source, wanted: Schema | None = None) -> Read:
    batches = list(source.batches(wanted))
    rows = [row for batch in batches for row in batch.table.to_pylist()]
    return Read(rows, [int(p) for batch in batches for p in batch.positions], [bad for batch in batches for bad in batch.bad_rows])


def csv_source(folder: Path, text: str | bytes, *, name: str = "data.csv", block_bytes: int = BLOCK_BYTES, **options: Any) -> CsvSource:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return CsvSource(Csv(path, **options), find_files(str(path), (".csv",), Settings()), block_bytes=block_bytes)


def checked(definition: FeatureGroupDefinition, given: object, **options: Any) -> list[CheckedBatch]:
    source = open_source(given, Settings())
    checker = Checker(definition, source.arrow_schema(definition.schema), **options)
    return [checker.check(batch) for batch in source.batches(definition.schema)]
