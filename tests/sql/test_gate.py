from collections.abc import Iterator

import duckdb
import pytest

from support.sql_tables import TABLES, Database, locked_database
from treering.errors import SqlError
from treering.sql.functions import LISTING, permitted

HOSTILE = [
    # Files, networks and databases outside.
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('s3://bucket/key')",
    "SELECT * FROM parquet_metadata('x.parquet')",
    "SELECT * FROM read_duckdb('x.db')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM weather, LATERAL read_text('/etc/' || origin)",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "FROM '/etc/passwd'",
    "SELECT * FROM 'weather.parquet'",
    'SELECT * FROM "https://example.org/x.csv"',
    "COPY weather TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    "WITH a AS (COPY weather TO '/tmp/x.csv') SELECT 1",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "ATTACH '/tmp/x.db'",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    # Writing.
    "WITH a AS (DELETE FROM weather RETURNING *) SELECT * FROM a",
    "WITH a AS (INSERT INTO weather VALUES (1) RETURNING *) SELECT * FROM a",
    "WITH a AS (UPDATE weather SET wind = 1 RETURNING *) SELECT * FROM a",
    "SELECT * FROM (WITH a AS (DELETE FROM weather RETURNING *) SELECT * FROM a)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE MACRO f(x) AS x",
    "DROP VIEW weather",
    "TRUNCATE weather",
    "EXPLAIN ANALYZE DELETE FROM weather",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN SELECT 1",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "BEGIN",
    "CHECKPOINT",
    # Settings and the engine's own state.
    "SET memory_limit = '100GB'",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "PRAGMA version",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "USE memory",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_functions()",
    "SELECT * FROM duckdb_views",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('HOME')",
    "SELECT getvariable('x')",
    "SELECT nextval('s')",
    "SELECT write_log('x')",
    "SELECT pg_catalog.current_setting('threads')",
    "SELECT weather.current_setting('threads') FROM weather",
    "SELECT current_setting('threads') OVER () FROM weather",
    "SELECT setseed(0.5)",
    "SHOW TABLES",
    "FROM (SHOW ALL TABLES)",
    "DESCRIBE weather",
    "SUMMARIZE weather",
    # SQL inside text, and time wasted.
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('weather')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT json_serialize_plan('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT pg_sleep(1000)",
    "SELECT sleep_ms(1000)",
    "SELECT finalize('x'::BLOB)",
    # Shapes that could slip past the walk.
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW weather",
    "",
    "-- nothing",
    "PIVOT weather ON origin USING sum(wind)",
    "SELECT * FROM (PIVOT weather ON origin IN ('a') USING sum(wind))",
    "SELECT * FROM weather AT (VERSION => 1)",
    "SELECT * FROM main.weather",
    "SELECT * FROM memory.main.weather",
    "SELECT $1",
    "SELECT ?",
    "WITH a AS (SELECT * FROM duckdb_views), duckdb_views AS (SELECT 1) SELECT * FROM a",
    "WITH duckdb_views AS (SELECT * FROM duckdb_views) SELECT * FROM duckdb_views",
    "SELECT * FROM duckdb_views, (WITH duckdb_views AS (SELECT 1) SELECT * FROM duckdb_views) x",
    "WITH RECURSIVE duckdb_views AS (SELECT * FROM duckdb_views UNION ALL SELECT * FROM duckdb_views) SELECT 1",
    "SELECT list_transform([1], lambda x: (SELECT count(*) FROM duckdb_settings()))",
    "SELECT * FROM weather ORDER BY (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM weather LIMIT (SELECT count(*) FROM duckdb_settings())",
    "VALUES ((SELECT content FROM read_text('/etc/passwd')))",
    "SELECT 1 UNION ALL SELECT count(*) FROM duckdb_settings()",
    "SELECT count(*) FILTER (WHERE (SELECT true FROM duckdb_settings())) FROM weather",
]


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with locked_database() as database:
        yield database


@pytest.mark.parametrize("query", HOSTILE)
def test_what_is_not_one_harmless_select_is_refused(database: Database, query: str) -> None:
    with pytest.raises((SqlError, duckdb.ParserException)):
        database.needs(query)


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO 'x.csv'",
        "ATTACH 'x.db'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 64",
        "SET enable_external_access = true",
        "EXPORT DATABASE 'x'",
        "SELECT * FROM TABLES",
    ],
)
def test_behind_the_gate_the_database_reaches_nothing_either(database: Database, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        database.connection.execute(statement).fetchall()


READING = {
    "SELECT origin, sum(wind) FROM weather GROUP BY origin ORDER BY 1": {"weather": ["origin", "wind"]},
    "SELECT count(*) FROM weather": {"weather": []},
    'SELECT count(*) FROM "Flight-Delays"': {"flight-delays": []},
    "FROM WEATHER": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT * EXCLUDE (temp) FROM weather": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT COLUMNS('t.*') FROM weather": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT w FROM weather w": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT weather FROM weather": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT (w).wind FROM weather w": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT b FROM weather w(a, b)": {"weather": ["origin", "hour", "temp", "wind"]},
    "SELECT #2 FROM weather": {"weather": ["origin", "hour", "temp", "wind"]},
    'SELECT count(*) FROM weather NATURAL JOIN "flight-delays"': {
        "weather": ["origin", "hour", "temp", "wind"],
        "flight-delays": ["flight", "origin", "hour", "delay"],
    },
    'SELECT delay, wind FROM weather JOIN "flight-delays" USING (origin, hour)': {
        "weather": ["origin", "hour", "wind"],
        "flight-delays": ["origin", "hour", "delay"],
    },
    'SELECT f.*, w.wind FROM "flight-delays" f LEFT JOIN (SELECT origin, wind FROM weather) w ON w.origin = f.origin ORDER BY ALL': {
        "weather": ["origin", "wind"],
        "flight-delays": ["flight", "origin", "hour", "delay"],
    },
    "WITH windy AS (SELECT origin FROM weather WHERE wind > 3) SELECT * FROM windy": {"weather": ["origin", "wind"]},
    "WITH weather AS (SELECT wind FROM weather) SELECT * FROM weather": {"weather": ["wind"]},
    'SELECT delay FROM "flight-delays" f ASOF JOIN weather w ON f.origin = w.origin AND f.hour >= w.hour': {
        "weather": ["origin", "hour"],
        "flight-delays": ["origin", "hour", "delay"],
    },
    "SELECT wind.abs() + abs(temp) FROM weather": {"weather": ["temp", "wind"]},
    "SELECT wind, row_number() OVER (PARTITION BY origin ORDER BY hour) FROM weather QUALIFY temp IS NOT NULL": {
        "weather": ["origin", "hour", "temp", "wind"],
    },
    'SELECT (SELECT max(delay) FROM "flight-delays" f WHERE f.origin = w.origin) FROM weather w': {
        "weather": ["origin"],
        "flight-delays": ["origin", "delay"],
    },
    'SELECT wind FROM weather WHERE origin IN (SELECT origin FROM "flight-delays") UNION ALL BY NAME SELECT delay FROM "flight-delays"': {
        "weather": ["origin", "wind"],
        "flight-delays": ["origin", "delay"],
    },
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n": {},
    "SELECT unnest([1, 2]), x FROM range(3) r(x), generate_series(1, 2), unnest([1, 2])": {},
    "SELECT CASE WHEN wind BETWEEN 1 AND 3 THEN 'calm' END, temp::INT, try_cast(origin AS INT), date_trunc('day', hour), {'a': wind}, [t + 1 for t in [wind]] FROM weather": {
        "weather": ["origin", "hour", "temp", "wind"],
    },
}


@pytest.mark.parametrize("query", READING)
def test_a_query_needs_the_columns_that_it_reads(database: Database, query: str) -> None:
    assert database.needs(query) == READING[query]


@pytest.mark.parametrize("query", READING)
def test_the_columns_that_are_needed_give_the_answer_of_all(query: str) -> None:
    with locked_database() as some, locked_database() as all_columns:
        needs = some.needs(query)
        whole = all_columns.answer(query, {name: table.column_names for name, table in TABLES.items()})
        answer = some.answer(query, needs)
    assert answer.schema == whole.schema
    # Threads decide the order of rows that nobody asked to order.
    assert sorted(map(str, answer.to_pylist())) == sorted(map(str, whole.to_pylist()))


@pytest.mark.parametrize("query", ["SELECT now(), today(), current_date, current_timestamp", "SELECT random(), uuid()"])
def test_the_clock_and_chance_may_be_asked(database: Database, query: str) -> None:
    assert database.needs(query) == {}


def test_an_unknown_table_is_answered_with_the_nearest_name(database: Database) -> None:
    with pytest.raises(SqlError, match=r"'wether', and no feature group has that name\. Did you mean 'weather'\?"):
        database.needs("SELECT * FROM wether")


def test_an_unknown_function_is_answered_with_the_nearest_name(database: Database) -> None:
    with pytest.raises(SqlError, match=r"'summ', which is no function .* Did you mean 'sum'\?"):
        database.needs("SELECT summ(wind) FROM weather")


def test_an_unknown_column_is_answered_with_columns_that_the_query_does_not_name(database: Database) -> None:
    with pytest.raises(duckdb.BinderException, match='Candidate bindings: "temp"'):
        database.needs("SELECT tmep FROM weather")


def test_every_function_that_reads_settings_or_state_is_left_out(database: Database) -> None:
    functions = permitted(database.connection.execute(LISTING).fetchall())
    assert {"sum", "+", "row_number", "nullif", "now"} <= functions
    assert not [name for name in functions if name.startswith(("pg_", "__", "current_setting", "read_", "json_execute", "has_", "duckdb"))]
