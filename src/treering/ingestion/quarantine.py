"""Rows that a group could not take, kept beside it with their place and reason."""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from treering.errors import BadRowsError
from treering.ingestion.check import describe
from treering.sources.bad_rows import BadRow
from treering.sources.batches import Part, locate
from treering.storage.objects import Objects

SHOWN = 10


def refuse(bad_rows: Sequence[BadRow], parts: Sequence[Part], rows: int, source: str, group: str) -> BadRowsError:
    """Build the error that says which rows cannot go into a group."""
    lines = [f"{len(bad_rows):,} of {rows:,} rows of {source} cannot go into {group!r}; nothing was written."]
    lines += [f"  {describe(row, parts)}" for row in bad_rows[:SHOWN]]
    if len(bad_rows) > SHOWN:
        lines.append(f"  and {len(bad_rows) - SHOWN:,} more")
    lines.append('Mend them, or pass on_bad_rows="quarantine" to keep them apart and take the others.')
    return BadRowsError("\n".join(lines), counted(bad_rows))


def counted(bad_rows: Iterable[BadRow]) -> dict[str, int]:
    """Count bad rows by reason, the commonest first."""
    return dict(Counter(row.reason for row in bad_rows).most_common())


def keep(objects: Objects, folder: str, ingestion: str, bad_rows: Sequence[BadRow], parts: Sequence[Part]) -> str:
    """Write an ingestion's bad rows beside its group.

    Returns:
        The key of the file. A token's ingestion has one id however often it is tried, so every try writes a file of its own.
    """
    key = f"{folder}/quarantine/{ingestion}-{secrets.token_hex(4)}.parquet"
    table = pa.table(
        {
            "source": [locate(parts, row.position) for row in bad_rows],
            "position": pa.array([row.position for row in bad_rows], pa.int64()),
            "reason": [row.reason for row in bad_rows],
            "column": pa.array([row.column for row in bad_rows], pa.string()),
            "text": [row.text for row in bad_rows],
        }
    )
    with objects.output(key) as sink:
        pq.write_table(table, sink, write_page_checksum=True)
    return key
