import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import KeyTypeError
from treering.point_in_time.keys import cast_key
from treering.storage.record_keys import KeyCodes

PARTS = st.tuples(st.sampled_from(["a", "b", "", None]), st.sampled_from([0, 1, -5, None]), st.sampled_from([True, False, None]))


def columns(rows: list[tuple[str | None, int | None, bool | None]]) -> list[pa.ChunkedArray]:
    types = [pa.string(), pa.int64(), pa.bool_()]
    return [pa.chunked_array([pa.array([row[column] for row in rows], type)]) for column, type in enumerate(types)]


@given(st.lists(PARTS, max_size=12), st.lists(PARTS, max_size=12))
def test_stored_keys_get_the_number_of_the_label_key_they_equal(labels: list[tuple], stored: list[tuple]) -> None:  # type: ignore[type-arg]
    keys = KeyCodes.of(columns(labels))
    numbers = {row: int(code) for row, code in zip(labels, keys.codes, strict=True)}
    assert all((code == -1) == (None in row) for row, code in numbers.items())
    assert len({code for code in numbers.values() if code >= 0}) == keys.count
    expected = [-1 if None in row else numbers.get(row, -1) for row in stored]
    assert keys.codes_of(columns(stored)).tolist() == expected


@pytest.mark.parametrize("values", [[1.5], [2.0**53], [float("inf")], ["1"], [True]])
def test_a_key_that_would_have_to_be_changed_is_an_error(values: list[object]) -> None:
    with pytest.raises(KeyTypeError, match=r"Label column 'customer'.*'id' holds whole numbers.*Cast it first"):
        cast_key(pa.chunked_array([pa.array(values)]), pa.int64(), "Label column 'customer'", "id")


@pytest.mark.parametrize("wanted", [pa.int64(), pa.string(), pa.bool_()])
def test_a_column_of_nothing_but_nan_is_null_whatever_the_key_is(wanted: pa.DataType) -> None:
    assert cast_key(pa.chunked_array([pa.array([float("nan"), None])]), wanted, "Label column 'customer'", "id").to_pylist() == [None, None]


def test_whole_floats_are_integers_and_nan_is_null() -> None:
    column = pa.chunked_array([pa.array([1.0, float("nan"), None, -3.0])])
    assert cast_key(column, pa.int64(), "customer", "id").to_pylist() == [1, None, None, -3]


@pytest.mark.parametrize("type", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_every_kind_of_text_is_text(type: pa.DataType) -> None:
    column = pa.chunked_array([pa.array(["a"]).cast(type)])
    assert cast_key(column, pa.string(), "customer", "id").to_pylist() == ["a"]
