"""The life of the child process that answers one query: take the order, give up every right, check, run, send rows.

It talks over a channel whose descriptor is its first argument and reads the feature groups' rows from the file whose
descriptor is its second. Besides these it can open neither file nor connection, whatever the query makes DuckDB do.
"""

import json
import math
import mmap
import os
import resource
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection

import duckdb
import pyarrow as pa

from treering.errors import SqlError
from treering.sql.functions import LISTING, permitted
from treering.sql.gate import Gate, Needs
from treering.sql.order import END, ERROR, NEEDS, ROWS, Channel, Order, QueryLimits, say

_BATCH_ROWS = 65_536
_GIB = 1024**3
_THREAD_BYTES = 16 * 1024**2
_STDERR_BYTES = 64 * 1024


def open_duckdb(limits: QueryLimits) -> duckdb.DuckDBPyConnection:
    """Start an empty database in memory that reaches nothing outside itself."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "allow_community_extensions": "false",
            "allow_unsigned_extensions": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "memory_limit": f"{limits.memory_bytes}B",
            "python_enable_replacements": "false",
            "python_scan_all_frames": "false",
            "temp_directory": "",
            "threads": str(_threads()),
        },
    )
    # A setting of the extension for time zones, which is there only once the database is.
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    return connection


def confine(limits: QueryLimits) -> None:
    """Give up the rights to open and write files and connections, to run for ever and to take all memory."""
    cpu_seconds = math.ceil(limits.timeout_seconds) * _threads() + 5
    # The whole stack takes gigabytes of address space, so only what is data is capped.
    data_bytes = limits.memory_bytes + limits.maximum_bytes + _GIB + _threads() * _THREAD_BYTES
    # The one file that stays open for writing is the parent's, for this process's last words.
    limited = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _STDERR_BYTES, resource.RLIMIT_CPU: cpu_seconds, resource.RLIMIT_DATA: data_bytes}
    for kind, value in limited.items():
        hard = resource.getrlimit(kind)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (lowest, lowest))
    # The hard limit falls as soon as the spool is mapped.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def check(connection: duckdb.DuckDBPyConnection, order: Order, functions: frozenset[str]) -> tuple[duckdb.Statement, Needs]:
    """Let the query through the gate, and have DuckDB match its names and types to tables without rows.

    Raises:
        SqlError: for what the gate refuses.
        duckdb.Error: for what DuckDB refuses.
    """
    statements = connection.extract_statements(order.query)
    if len(statements) != 1:
        raise SqlError(f"A query is one SELECT; this text holds {len(statements)} statements.")
    (statement,) = statements
    if statement.type != duckdb.StatementType.SELECT:
        raise SqlError(f"A query is one SELECT; this is a statement of the kind {statement.type.name}.")
    ((serialized,),) = connection.execute("SELECT json_serialize_sql(?, skip_default := true, skip_empty := true)", [order.query]).fetchall()
    parsed = json.loads(serialized)
    if parsed.get("error", True) or len(parsed["statements"]) != 1:
        raise SqlError(f"The query cannot be checked: {parsed.get('error_message', 'it is not one SELECT')}.")
    needs = Gate({name: schema.names for name, schema in order.tables.items()}, functions).needs(parsed["statements"][0])
    for name in needs:
        connection.register(name, pa.Table.from_batches([], order.tables[name]))
    connection.sql(statement)
    for name in needs:
        connection.unregister(name)
    return statement, needs


def stored_tables(spool: int, spans: Mapping[str, tuple[int, int]]) -> dict[str, pa.Table]:
    """Map the tables that the parent wrote into memory, from where each begins to where it ends."""
    # Mapping takes a descriptor for a moment; after it this process can never have another.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    mapped = pa.py_buffer(mmap.mmap(spool, 0, prot=mmap.PROT_READ) if spans else b"")
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    return {name: pa.ipc.open_stream(mapped.slice(start, end - start)).read_all() for name, (start, end) in spans.items()}


def rows_within(limits: QueryLimits, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass the answer's batches on until they grow beyond the limits.

    Raises:
        SqlError: for an answer beyond the limits.
    """
    rows = size = 0
    for batch in batches:
        rows += batch.num_rows
        size += batch.nbytes
        if rows > limits.maximum_rows:
            raise SqlError(f"The answer has more than {limits.maximum_rows:,} rows. Aggregate or filter it, add a LIMIT, or raise maximum_rows.")
        if size > limits.maximum_bytes:
            raise SqlError(f"The answer is larger than {limits.maximum_bytes:,} bytes. Aggregate it, select fewer columns, or raise maximum_bytes.")
        yield batch


def rows_of(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Run the query as its batches are asked for, with errors that cannot be taken for those of the channel.

    Raises:
        SqlError: for what DuckDB refuses at some row.
        MemoryError: if DuckDB has no more memory.
    """
    try:
        yield from reader
    except OSError as error:
        # Arrow's stream interface carries DuckDB's message, and no kind of error but OSError.
        if str(error).startswith("Out of Memory Error"):
            raise MemoryError from error
        raise SqlError(str(error)) from error


def stream_of(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.Buffer:
    """Write batches as one Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def answer(channel: Channel, spool: int, order: Order, connection: duckdb.DuckDBPyConnection, functions: frozenset[str]) -> None:
    """Say which columns are needed, wait until they are in the spool, and send the rows."""
    statement, needs = check(connection, order, functions)
    say(channel, NEEDS, json.dumps(needs).encode())
    spans = json.loads(channel.recv_bytes())
    # Nothing more comes from the parent: the next thing to be read is its end.
    threading.Thread(target=_end_with_parent, args=(channel,), daemon=True).start()
    for name, table in stored_tables(spool, spans).items():
        connection.register(name, table)
    reader = connection.sql(statement).to_arrow_reader(_BATCH_ROWS)
    say(channel, ROWS, stream_of(reader.schema, []))
    for batch in rows_within(order.limits, rows_of(reader)):
        say(channel, ROWS, stream_of(reader.schema, [batch]))
    say(channel, END, b"")


def _end_with_parent(channel: Channel) -> None:
    with suppress(EOFError, OSError):
        channel.recv_bytes()
    os._exit(1)


def _threads() -> int:
    return os.cpu_count() or 1


def main() -> int:
    """Answer the query that comes through the channel."""
    channel: Channel = Connection(int(sys.argv[1]))
    order = Order.receive(channel)
    connection = open_duckdb(order.limits)
    functions = permitted(connection.execute(LISTING).fetchall())
    confine(order.limits)
    try:
        answer(channel, int(sys.argv[2]), order, connection, functions)
    except (duckdb.OutOfMemoryException, MemoryError):
        memory = f"{order.limits.memory_bytes:,} bytes of memory"
        say(channel, ERROR, f"The query needs more than {memory}. Aggregate or filter earlier, or raise memory_budget_bytes in the settings.".encode())
    except RecursionError:
        say(channel, ERROR, b"The query is nested too deeply to be checked. Write it with common table expressions.")
    except (SqlError, duckdb.Error, pa.ArrowException) as error:
        # After the first paragraphs of an internal error comes a stack trace, with paths.
        say(channel, ERROR, str(error).partition("\nStack Trace")[0].strip().encode())
    except OSError:
        # The parent is gone: nobody waits for the answer.
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not sys.exit: DuckDB would first wait for the end of a query that is still running, and that may have none.
    os._exit(code)
