from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from support.sources import checked, schema
from treering.errors import SchemaMismatchError
from treering.ingestion.check import CheckedBatch, Checker, describe
from treering.schema.feature_group import STATIC, FeatureGroupDefinition, define
from treering.schema.times import FIRST_TIME, time_text
from treering.schema.types import Feature, Schema
from treering.sources.bad_rows import BadRow
from treering.sources.batches import Part

AT = "2024-01-01T00:00:00Z"


def group(columns: Schema | None = None, **options: Any) -> FeatureGroupDefinition:
    options = {"entity": "k", "event_time": "at"} | options
    return define("weather", schema=columns or schema(k="Integral", at="Timestamp", x="Fractional"), **options)


def one(definition: FeatureGroupDefinition, given: object, **options: Any) -> CheckedBatch:
    (batch,) = checked(definition, given, **options)
    assert isinstance(batch, CheckedBatch)
    return batch


def reasons(batch: CheckedBatch) -> list[tuple[int, str, str | None]]:
    return [(row.position, row.reason, row.column) for row in batch.bad_rows]


def times(column: pa.Array) -> list[str]:
    return [time_text(time) for time in column.view(pa.int64()).to_pylist()]


def feature(type: str, values: object, dimension: int | None = None) -> CheckedBatch:
    """Check one column of values beside a key and a time."""
    definition = group(Schema((Feature("k", "Integral"), Feature("at", "Timestamp"), Feature("x", type, dimension))))  # type: ignore[arg-type]
    column = values if isinstance(values, pa.Array) else pa.array(values)
    return one(definition, pa.table({"x": column, "k": range(len(column)), "at": [AT] * len(column)}))


def test_good_rows_have_the_columns_and_types_of_the_group() -> None:
    batch = one(group(), pd.DataFrame({"x": [1], "at": [AT], "k": pd.array([7], "Int8")}))
    assert batch.table.schema == pa.schema([("k", pa.int64()), ("at", pa.timestamp("us", tz="UTC")), ("x", pa.float64())])
    assert batch.table.num_rows == 1
    assert batch.known_at is batch.event_time


def test_a_row_is_rejected_once_for_its_first_reason() -> None:
    batch = one(group(), pa.table({"k": [1.5, None, 3], "at": ["x", None, AT], "x": [1.0, 2.0, 3.0]}))
    assert reasons(batch) == [(0, "not an Integral", "k"), (1, "null identifier", "k")]
    assert batch.positions.tolist() == [2]
    assert batch.table["k"].to_pylist() == [3]
    assert times(batch.event_time) == ["2024-01-01 00:00:00Z"]


@pytest.mark.parametrize("column", ["k", "at", "x"])
def test_a_missing_column_is_an_error_with_the_nearest_name(column: str) -> None:
    table = pa.table({"k": [1], "at": [AT], "x": [1.0]})
    with pytest.raises(SchemaMismatchError, match=rf"no column '{column}' \(.*'weather' needs"):
        one(group(), table.drop([column]))
    with pytest.raises(SchemaMismatchError, match=f"'{column.upper()}', which differs only by case"):
        one(group(), table.rename_columns([name.upper() if name == column else name for name in table.column_names]))


def test_a_column_may_be_missing_if_it_is_named_and_no_record_needs_it() -> None:
    table = pa.table({"k": [1], "at": [AT]})
    assert one(group(), table, allow_missing=("x",)).table["x"].to_pylist() == [None]
    with pytest.raises(SchemaMismatchError, match="no column 'k'"):
        one(group(), table.drop(["k"]), allow_missing=("k", "x"))


def test_an_unknown_column_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(SchemaMismatchError, match=r"'temp'.*Did you mean 'tempe'"):
        one(group(schema(k="Integral", at="Timestamp", tempe="Fractional")), pa.table({"k": [1], "at": [AT], "tempe": [1.0], "temp": [1.0]}))


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("Integral", ["1"]),
        ("Integral", [True]),
        ("Fractional", ["1"]),
        ("String", [1]),
        ("Boolean", [1]),
        ("Boolean", ["true"]),
        ("Timestamp", [1]),
    ],
)
def test_a_type_that_cannot_be_meant_is_an_error_that_names_both(type: str, values: list[object]) -> None:
    with pytest.raises(SchemaMismatchError, match=f"'x' of 'weather' is declared {type}; the source has"):
        feature(type, values)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (pa.array([1.0, 1.5]), 1, "not an Integral"),
        (pa.array([1.0, float("inf")]), 1, "not an Integral"),
        (pa.array([2.0**53 - 1, 2.0**53]), 2**53 - 1, "whole float beyond 2^53"),
        (pa.array([0.0, -(2.0**63)]), 0, "integer overflow"),
        (pa.array([2**63 - 1, 2**63], pa.uint64()), 2**63 - 1, "integer overflow"),
        (pa.array([Decimal(1), Decimal(2**63)]), 1, "integer overflow"),
        (pa.array([Decimal(1), Decimal("1.5")]), 1, "not an Integral"),
    ],
)
def test_numbers_that_no_integer_holds_are_bad_rows(column: pa.Array, value: int, reason: str) -> None:
    batch = feature("Integral", column)
    assert batch.table["x"].to_pylist() == [value]
    assert reasons(batch) == [(1, reason, "x")]


def test_integers_with_gaps_are_read_from_pandas_floats() -> None:
    batch = one(group(schema(k="Integral", at="Timestamp", n="Integral")), pd.DataFrame({"k": [1, 2], "at": AT, "n": [3.0, np.nan]}))
    assert batch.table["n"].to_pylist() == [3, None]
    assert batch.nans == 0


def test_nan_is_null_and_infinity_is_kept_and_both_are_counted_among_good_rows() -> None:
    nan, inf = float("nan"), float("inf")
    batch = one(group(), pa.table({"k": [1, 2, None, None], "at": [AT] * 4, "x": [nan, -inf, nan, inf]}))
    assert batch.table["x"].to_pylist() == [None, -inf]
    assert (batch.nans, batch.infinities) == (1, 1)


@pytest.mark.parametrize("type", [pa.float16(), pa.float32(), pa.int8(), pa.uint64(), pa.decimal128(21, 2)])
def test_numbers_of_every_width_are_fractional(type: pa.DataType) -> None:
    column = pa.array(np.array([1.5, 2], dtype=np.float16)) if type == pa.float16() else pa.array([1, 2]).cast(type, safe=False)
    assert feature("Fractional", column).table["x"].to_pylist() == column.cast(pa.float64()).to_pylist()


@pytest.mark.parametrize("type", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.large_string()), pa.binary(), pa.large_binary()])
def test_text_of_every_form_is_a_string(type: pa.DataType) -> None:
    column = pa.array(["a", None, "\u00e4"]).cast(type)
    assert feature("String", column).table["x"].combine_chunks().equals(pa.chunked_array([["a", None, "\u00e4"]]).combine_chunks())


def test_text_that_is_not_utf_8_is_a_bad_row() -> None:
    as_text = pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"a\xff"))
    for column in (pa.array([b"a", b"\xff"]), as_text):
        batch = feature("String", column)
        assert batch.table["x"].to_pylist() == ["a"]
        assert reasons(batch) == [(1, "not UTF-8", "x")]


@pytest.mark.parametrize("type", [pa.list_(pa.float64()), pa.large_list(pa.float32())])
def test_a_vector_has_its_length_and_finite_elements(type: pa.DataType) -> None:
    column = pa.array([[1, 2], [1], None, [1, None], [1, float("inf")], [3, 4]], type)
    batch = feature("Vector", column, 2)
    assert batch.table["x"].to_pylist() == [[1, 2], None, [3, 4]]
    assert batch.table.schema.field("x").type == Feature("x", "Vector", 2).arrow_type  # type: ignore[arg-type]
    assert [reason for _, reason, _ in reasons(batch)] == [
        "vector not of 2 elements",
        "vector with a null element",
        "vector with an element that is not finite",
    ]


def test_a_polars_array_is_a_vector() -> None:
    frame = pl.DataFrame({"k": [1, 2], "at": [AT, AT], "x": [[1.0, 2.0], None]}, schema_overrides={"x": pl.Array(pl.Float64, 2)})
    batch = one(group(Schema((Feature("k", "Integral"), Feature("at", "Timestamp"), Feature("x", "Vector", 2)))), frame)  # type: ignore[arg-type]
    assert batch.table["x"].to_pylist() == [[1, 2], None]


@pytest.mark.parametrize(("type", "value"), [("String", AT), ("Fractional", 1_704_067_200.0)])
def test_a_declared_form_of_time_is_kept_beside_its_microseconds(type: str, value: object) -> None:
    batch = one(group(schema(k="Integral", at=type)), pa.table({"k": [1], "at": [value]}))
    assert batch.table["at"].to_pylist() == [value]
    assert times(batch.event_time) == ["2024-01-01 00:00:00Z"]


def test_a_time_that_cannot_be_read_is_a_bad_row_and_so_is_a_null() -> None:
    batch = one(group(), pa.table({"k": [1, 2, 3], "at": ["yesterday", None, AT], "x": [1.0] * 3}))
    assert reasons(batch) == [(0, "unreadable time", "at"), (1, "null event time", "at")]
    assert batch.bad_rows[0].text == "yesterday"


def test_kinds_of_times_may_not_change_between_batches() -> None:
    definition = group(schema(k="Integral", at="String"), time_zone="UTC")
    batches = [pa.record_batch({"k": [1], "at": [text]}) for text in (AT, "2024-01-01T00:00:00")]
    with pytest.raises(SchemaMismatchError, match="'at' mixes"):
        checked(definition, pa.RecordBatchReader.from_batches(batches[0].schema, batches))


def test_a_record_is_known_at_the_later_of_event_and_availability() -> None:
    definition = group(schema(k="Integral", at="Timestamp", seen="Timestamp"), available_at="seen")
    batch = one(definition, pa.table({"k": [1, 2, 3], "at": [AT] * 3, "seen": ["2024-01-02T00:00Z", "2023-01-01T00:00Z", None]}))
    assert times(batch.known_at) == ["2024-01-02 00:00:00Z", "2024-01-01 00:00:00Z"]
    assert reasons(batch) == [(2, "null availability", "seen")]


def test_a_record_is_known_a_lag_after_its_event_and_never_after_year_9999() -> None:
    batch = one(group(available_after="1h"), pa.table({"k": [1, 2], "at": [AT, "9999-12-31T23:30:00Z"], "x": [1.0, 2.0]}))
    assert times(batch.known_at) == ["2024-01-01 01:00:00Z"]
    assert reasons(batch) == [(1, "known after year 9999", "at")]


def test_a_static_record_is_known_always() -> None:
    batch = one(group(schema(k="Integral", x="Fractional"), event_time=STATIC), pa.table({"k": [1], "x": [1.0]}))
    assert batch.event_time.view(pa.int64()).to_pylist() == [FIRST_TIME]
    assert batch.known_at is batch.event_time


def test_a_date_that_is_a_feature_is_the_start_of_its_day() -> None:
    definition = group(schema(k="Integral", at="Timestamp", born="Timestamp"))
    batch = one(definition, pa.table({"k": [1], "at": [AT], "born": pa.array([0], pa.date32())}))
    assert times(batch.table["born"].combine_chunks()) == ["1970-01-01 00:00:00Z"]


def test_a_wider_identifier_has_no_nulls_in_any_part() -> None:
    batch = one(group(record_identifier=("k", "s"), columns=schema(k="Integral", s="String", at="Timestamp")), pa.table({"k": [1], "s": [None], "at": [AT]}))
    assert reasons(batch) == [(0, "null identifier", "s")]


def test_no_rows_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,at,x\n")
    assert checked(group(), tmp_path / "a.csv") == []


def test_a_source_with_names_that_differ_only_by_case_is_refused() -> None:
    with pytest.raises(SchemaMismatchError, match="differ only by case"):
        Checker(group(), pa.schema([("k", pa.int64()), ("K", pa.int64())]))


def test_a_bad_row_is_described_by_place_reason_and_value() -> None:
    parts = [Part("a.csv", 0, "line"), Part("b.csv", 10, "line")]
    assert describe(BadRow(7, "null identifier", "k", ""), parts[:1]) == "line 7: null identifier (k)"
    assert describe(BadRow(12, "not an Integral", "x", "1.5"), parts) == "b.csv, line 2: not an Integral (x: '1.5')"
    assert describe(BadRow(10, "too few fields", None, "1,"), parts) == "a.csv, line 10: too few fields ('1,')"
