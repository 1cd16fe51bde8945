import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from treering.storage.sorting import order_of, ranks, starts_of_slices

LARGEST = 2**63 - 1


@given(st.lists(st.tuples(*[st.sampled_from([-LARGEST, -1, 0, 1, 5, 2**40, LARGEST])] * 3), max_size=30))
def test_folded_keys_sort_as_the_keys_themselves(rows: list[tuple[int, int, int]]) -> None:
    keys = [np.array([row[column] for row in rows], dtype=np.int64) for column in range(3)]
    assert order_of(keys).tolist() == sorted(range(len(rows)), key=lambda row: rows[row])


@given(st.lists(st.text(max_size=3), max_size=20))
def test_text_ranks_as_its_utf8_bytes_sort(texts: list[str]) -> None:
    assert np.argsort(ranks(pa.chunked_array([pa.array(texts, pa.string())])), kind="stable").tolist() == sorted(
        range(len(texts)), key=lambda row: texts[row].encode()
    )


def test_a_slice_starts_wherever_any_part_of_the_key_changes() -> None:
    key = [pa.array(["a", "a", "a", "b"]), pa.array([1, 1, 2, 2])]
    assert starts_of_slices(key).tolist() == [0, 2, 3]
    assert starts_of_slices([pa.array([], pa.string())]).tolist() == []
