import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treering as tr
from support.ticking import Ticking
from treering.errors import CorruptDataError, SqlError
from treering.schema.feature_group import EVENT_TIME, KNOWN_AT

HOUR = 3_600_000_000
START = 1_380_000_000_000_000


def times(*hours: int) -> pa.Array:
    return pa.array([START + hour * HOUR for hour in hours], pa.timestamp("us", tz="UTC"))


WEATHER = pa.table({"origin": ["JFK", "JFK", "LGA"], "hour": times(0, 1, 0), "temp": [1.5, None, 3.5], "visits": [2**62, 2**61, 3]})
PLANES = pa.table({"tail-number": ["N1", "N2"], "origin": ["LGA", "JFK"], "shape": pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))})


def filled(root: Path | str) -> tr.Store:
    store = tr.Store(root, clock=Ticking(), settings=tr.Settings(row_group_rows=2))
    store.feature_groups.create("weather", entity="origin", event_time="hour", schema=tr.Schema.of(WEATHER)).ingest(WEATHER)
    store.feature_groups.create("home-planes", entity="tail-number", event_time=tr.STATIC, schema=tr.Schema.of(PLANES)).ingest(PLANES)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tr.Store:
    return filled(tmp_path_factory.mktemp("root"))


def test_groups_are_joined_wherever_the_store_is(any_root: str) -> None:
    answer = filled(any_root).sql('SELECT "tail-number", temp FROM "home-planes" p JOIN Weather w USING (origin) WHERE temp > 2')
    assert answer.equals(pa.table({"tail-number": ["N1"], "temp": [3.5]}))


def test_a_table_has_the_groups_columns_and_types_and_then_the_systems(store: tr.Store) -> None:
    answer = store.sql("SELECT * FROM weather ORDER BY origin, hour")
    assert answer.select(WEATHER.column_names).equals(WEATHER)
    assert answer.column_names[4:] == ["write_time", "api_invocation_time", "is_deleted", EVENT_TIME, KNOWN_AT, "_commit"]
    assert answer[EVENT_TIME].equals(answer["hour"])
    assert answer["_commit"].to_pylist() == [1, 1, 1]


def test_a_vector_comes_back_as_the_group_keeps_it(store: tr.Store) -> None:
    answer = store.sql('SELECT shape, shape[2] AS second FROM "home-planes" ORDER BY "tail-number"')
    assert answer.schema.field("shape").type == store.feature_groups["home-planes"].schema["shape"].arrow_type
    assert answer.to_pylist() == [{"shape": [1.0, 2.0], "second": 2.0}, {"shape": None, "second": None}]


def test_replaced_records_and_deletions_are_rows(tmp_path: Path) -> None:
    store = filled(tmp_path)
    group = store.feature_groups["weather"]
    group.ingest(WEATHER.slice(2))
    group.delete(["LGA"], "2013-09-24T08:00:00Z")
    answer = store.sql("SELECT is_deleted, count(*) AS records, max(_commit) AS last FROM weather WHERE origin = 'LGA' GROUP BY ALL ORDER BY 1")
    assert answer.to_pylist() == [{"is_deleted": False, "records": 2, "last": 2}, {"is_deleted": True, "records": 1, "last": 3}]


def test_a_feature_added_later_is_null_before(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.feature_groups["weather"].add_features([tr.Feature("wind", "Fractional")])
    assert store.sql("SELECT DISTINCT wind FROM weather").to_pylist() == [{"wind": None}]


def test_a_group_without_records_is_an_empty_table(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    store.feature_groups.create("weather", entity="origin", event_time="hour", schema=tr.Schema.of(WEATHER))
    answer = store.sql("SELECT origin, visits, sum(visits) AS total FROM weather GROUP BY ALL")
    assert answer.schema == pa.schema([("origin", pa.string()), ("visits", pa.int64()), ("total", pa.int64())])
    assert answer.num_rows == 0


def test_a_query_without_a_table_has_an_answer(tmp_path: Path) -> None:
    assert tr.Store(tmp_path).sql("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_sum_of_whole_numbers_is_int64_where_it_fits_and_exact_where_not(store: tr.Store) -> None:
    answer = store.sql("SELECT sum(visits) FILTER (WHERE hour > '2013-09-24 05:30:00+00') AS fits, sum(visits * 2::HUGEINT) AS large FROM weather")
    assert answer.schema.types == [pa.int64(), pa.decimal128(38, 0)]
    assert answer.to_pylist() == [{"fits": 2**61, "large": Decimal(2**63 + 2**62 + 6)}]


def test_lists_with_gaps_keep_them(store: tr.Store) -> None:
    assert store.sql("SELECT [1, NULL]::FLOAT[] AS gaps").to_pylist() == [{"gaps": [1.0, None]}]


def test_texts_are_read_as_times_in_utc(store: tr.Store) -> None:
    answer = store.sql("SELECT hour::VARCHAR AS written FROM weather WHERE hour = '2013-09-24T05:20:00' ORDER BY 1 LIMIT 1")
    assert answer.to_pylist() == [{"written": "2013-09-24 05:20:00+00"}]


def test_rows_come_in_the_order_asked_for_through_many_batches(store: tr.Store) -> None:
    answer = store.sql("SELECT x FROM range(200_000) r(x) ORDER BY x DESC")
    assert answer["x"].to_numpy().tolist() == list(range(199_999, -1, -1))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DROP VIEW weather", "A query is one SELECT"),
        ("SELECT tmp FROM weather", 'Candidate bindings: "temp"'),
        ("SELECT * FROM wether", "Did you mean 'weather'"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT error('told')", "told"),
        ("SELECT temp::INT / 0, ('x' || origin)::INT FROM weather", "Could not convert string 'x[A-Z]+' to INT32"),
        (f"SELECT {'(SELECT ' * 400}1{')' * 400}", "nested|depth"),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_the_reason(store: tr.Store, query: str, reason: str) -> None:
    with pytest.raises(SqlError, match=reason):
        store.sql(query)


def test_an_error_at_a_late_row_is_told_with_the_reason(store: tr.Store) -> None:
    late = "SELECT CAST(v AS INT) FROM (SELECT CASE WHEN i = 1_999_999 THEN 'x' ELSE '1' END AS v FROM range(2_000_000) t(i))"
    with pytest.raises(SqlError, match="Could not convert string 'x' to INT32"):
        store.sql(late)


def test_an_answer_with_too_many_rows_is_an_error(store: tr.Store) -> None:
    with pytest.raises(SqlError, match=r"more than 2 rows\. .* raise maximum_rows"):
        store.sql("SELECT * FROM weather", maximum_rows=2)
    assert store.sql("SELECT * FROM weather", maximum_rows=3).num_rows == 3


def test_an_answer_of_too_many_bytes_is_an_error(store: tr.Store) -> None:
    with pytest.raises(SqlError, match=r"larger than 1,000,000 bytes\. .* raise maximum_bytes"):
        store.sql("SELECT repeat('x', 1000) FROM range(100_000)", maximum_bytes=1_000_000)


def test_a_query_that_needs_too_much_memory_is_an_error(tmp_path: Path) -> None:
    store = tr.Store(tmp_path, settings=tr.Settings(memory_budget_bytes=64 * 1024**2))
    with pytest.raises(SqlError, match=r"needs more than 67,108,864 bytes of memory"):
        store.sql("SELECT count(*) FROM (SELECT DISTINCT x FROM range(50_000_000) r(x))")


def test_a_limit_of_nothing_is_refused(store: tr.Store) -> None:
    with pytest.raises(SqlError, match=r"timeout_seconds is 0; it has to be more than 0"):
        store.sql("SELECT 1", timeout_seconds=0)


def test_a_damaged_page_is_noticed(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (run,) = tmp_path.glob("feature-groups/weather-*/data/*.parquet")
    page = pq.ParquetFile(run).metadata.row_group(0).column(2)
    data = bytearray(run.read_bytes())
    data[page.data_page_offset + page.total_compressed_size - 1] ^= 0xFF
    run.chmod(0o644)
    run.write_bytes(bytes(data))
    with pytest.raises(CorruptDataError, match="damaged"):
        store.sql("SELECT temp FROM weather")
    assert store.sql("SELECT count(visits) AS visits FROM weather").to_pylist() == [{"visits": 3}]


def test_a_missing_duckdb_is_named_with_the_extra_that_brings_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['duckdb'] = None; import treering; treering.Store(sys.argv[1]).sql('SELECT 1')"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert "MissingExtraError: SQL needs duckdb: pip install 'treering[sql]'" in done.stderr


def test_only_the_child_loads_duckdb(tmp_path: Path) -> None:
    code = "import sys, treering; treering.Store(sys.argv[1]).sql('SELECT 1'); print([name for name in sys.modules if 'duckdb' in name])"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
