"""What a query's two processes say to each other: the order, and the kinds of the child's answers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

import pyarrow as pa

from treering.errors import SqlError

Channel = Connection
"""The two ends of the talk; messages are bytes with a length, nothing is pickled."""

NEEDS, ROWS, END, ERROR = b"needs", b"rows", b"end", b"error"
"""What a child says: the columns it needs, as JSON; rows, as an Arrow IPC stream; that all were sent; why it gives up."""

_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """How much one query may use.

    Attributes:
        timeout_seconds: from the call to the whole answer, reading the feature groups included.
        maximum_rows: of the answer.
        maximum_bytes: of the answer, as Arrow.
        memory_bytes: what DuckDB may use; the feature groups' rows do not count, they lie in a temporary file.
    """

    timeout_seconds: float = 60.0
    maximum_rows: int = 10_000_000
    maximum_bytes: int = 2 * _GIB
    memory_bytes: int = _GIB

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise SqlError(f"A query's {name} is {value}; it has to be more than 0.")


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to do.

    Attributes:
        query: the SQL text.
        tables: the columns of every table that there is, by the table's name.
        limits: how much it may use.
    """

    query: str
    tables: Mapping[str, pa.Schema]
    limits: QueryLimits

    def messages(self) -> Iterator[bytes]:
        """Write the order: a message of JSON, then the schema of each table as Arrow IPC."""
        yield json.dumps({"query": self.query, "tables": list(self.tables), "limits": asdict(self.limits)}).encode()
        for schema in self.tables.values():
            yield schema.serialize().to_pybytes()

    @classmethod
    def receive(cls, channel: Channel) -> "Order":
        """Read what `messages` wrote."""
        told = json.loads(channel.recv_bytes())
        tables = {name: pa.ipc.read_schema(pa.py_buffer(channel.recv_bytes())) for name in told["tables"]}
        return cls(told["query"], tables, QueryLimits(**told["limits"]))


def say(channel: Channel, kind: bytes, content: bytes | pa.Buffer) -> None:
    """Send one answer of a child: its kind, then its content."""
    channel.send_bytes(kind)
    channel.send_bytes(content)
