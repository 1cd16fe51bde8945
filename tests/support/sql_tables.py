"""Tables for queries, and a database that is locked as a query's child locks its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from treering.sql.functions import LISTING, permitted
from treering.sql.gate import Needs
from treering.sql.order import Order, QueryLimits
from treering.sql.worker import check, open_duckdb

HOURS = pa.array([hour * 3_600_000_000 for hour in range(6)], pa.timestamp("us", tz="UTC"))
TABLES: Mapping[str, pa.Table] = {
    "weather": pa.table({"origin": list("aabbcc"), "hour": HOURS, "temp": [1.0, 2.0, None, 4.0, 5.0, 6.0], "wind": [3, 1, 4, 1, 5, 9]}),
    "flight-delays": pa.table({"flight": [1, 2, 3], "origin": list("abz"), "hour": HOURS[:3], "delay": [10, 20, 30]}),
}


class Database:
    """What a child holds once it has its order, in this process."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._functions = permitted(connection.execute(LISTING).fetchall())

    def needs(self, query: str) -> Needs:
        """Check a query as a child does."""
        order = Order(query, {name: table.schema for name, table in TABLES.items()}, QueryLimits())
        return check(self.connection, order, self._functions)[1]

    def answer(self, query: str, needs: Mapping[str, list[str]]) -> pa.Table:
        """Run a query over tables that hold only some columns."""
        for name, columns in needs.items():
            self.connection.register(name, TABLES[name].select(columns or [TABLES[name].column_names[-1]]))
        return self.connection.sql(query).to_arrow_table()


@contextmanager
def locked_database() -> Iterator[Database]:
    """A database with the settings of a child's, that this process may use."""
    with open_duckdb(QueryLimits(memory_bytes=256 * 1024**2)) as connection:
        yield Database(connection)
