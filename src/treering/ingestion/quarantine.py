"""Rows that a group could not take: counted, the first of them shown, and, if asked, all of them kept beside the group."""

import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from treering.errors import BadRowsError
from treering.ingestion.check import describe
from treering.sources.bad_rows import BadRow
from treering.sources.batches import Part, locate
from treering.sources.times import CLOCK_CHANGES
from treering.storage.objects import Objects

_SHOWN = 10
# What other tools write for a missing number, and the reasons for which such a field of a CSV file is turned down.
_MISSING = frozenset({"NA", "N/A", "null", "NULL"})
_NO_NUMBER = frozenset({"not an Integral", "not a Fractional"})
_SCHEMA = pa.schema({"source": pa.string(), "position": pa.int64(), "reason": pa.string(), "column": pa.string(), "text": pa.string()})


def quarantine_key(folder: str, ingestion: str) -> str:
    """Choose where an ingestion's bad rows are kept; every try of a token, which has one id, gets a file of its own."""
    return f"{folder}/quarantine/{ingestion}-{secrets.token_hex(4)}.parquet"


class BadRows:
    """Collects bad rows as they come, without holding them: counts by reason, the first few, and a file.

    Args:
        objects: where the file goes.
        key: the file's key; None keeps no file. It appears when the context ends without an error, if there was a bad row.
    """

    def __init__(self, objects: Objects | None = None, key: str | None = None) -> None:
        self._objects, self._key = objects, key
        self._exit = ExitStack()
        self._writer: pq.ParquetWriter | None = None
        self._reasons: Counter[str] = Counter()
        self._missing: dict[str, None] = {}
        self.lines: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.__exit__(kind, error, trace)

    @property
    def count(self) -> int:
        """How many there were."""
        return self._reasons.total()

    @property
    def reasons(self) -> dict[str, int]:
        """How many there were by reason, the commonest first."""
        return dict(self._reasons.most_common())

    @property
    def kept_as(self) -> str | None:
        """The key of the file; None where none was written."""
        return None if self._writer is None else self._key

    def add(self, rows: Sequence[BadRow], parts: Sequence[Part]) -> None:
        """Take bad rows, in order.

        Args:
            rows: the rows.
            parts: the parts of their source, as far as it was read.
        """
        self._reasons.update(row.reason for row in rows)
        self._missing |= {row.text: None for row in rows if row.reason in _NO_NUMBER and row.text in _MISSING}
        self.lines += tuple(describe(row, parts) for row in rows[: _SHOWN - len(self.lines)])
        if rows and self._key is not None and self._objects is not None:
            self._keep(self._objects, self._key, rows, parts)

    def refusal(self, rows: int, source: str, group: str, *, can_quarantine: bool) -> BadRowsError:
        """Build the error that says which rows cannot go into a group.

        Args:
            rows: how many rows the source has, good and bad.
            source: what the source is called.
            group: the group's name.
            can_quarantine: whether the bad rows could be kept apart instead.
        """
        fate = f"cannot go into {group!r}; nothing was written" if can_quarantine else f"cannot be looked up as {group!r}"
        lines = [f"{self.count:,} of {rows:,} rows of {source} {fate}."]
        lines += [f"  {line}" for line in self.lines]
        lines += [f"  and {self.count - len(self.lines):,} more"] if self.count > len(self.lines) else []
        lines.append('Mend them, or pass on_bad_rows="quarantine" to keep them apart and take the others.' if can_quarantine else "Mend or drop them.")
        lines += [f"If {word!r} stands for a missing value, say tr.Csv(path, null_values=('', {word!r}))." for word in list(self._missing)[:1]]
        choices = [f"{argument}='latest'" for reason, argument in CLOCK_CHANGES.items() if reason in self._reasons]
        # The later moment of two never makes a record known too early.
        lines += (
            [f"Where clocks change, a group says which moment is meant when it is created: time_zone=tr.TimeZone(zone, {', '.join(choices)})."]
            if choices
            else []
        )
        return BadRowsError("\n".join(lines), self.reasons)

    def _keep(self, objects: Objects, key: str, rows: Sequence[BadRow], parts: Sequence[Part]) -> None:
        if self._writer is None:
            sink = self._exit.enter_context(objects.output(key))
            self._writer = self._exit.enter_context(pq.ParquetWriter(sink, _SCHEMA, write_page_checksum=True))
        columns = {
            "source": [locate(parts, row.position) for row in rows],
            "position": [row.position for row in rows],
            "reason": [row.reason for row in rows],
            "column": [row.column for row in rows],
            "text": [row.text for row in rows],
        }
        self._writer.write_table(pa.table(columns, schema=_SCHEMA))
