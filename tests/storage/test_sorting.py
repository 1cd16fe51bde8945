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


def test_a_narrow_key_far_from_zero_is_folded_without_overflow() -> None:
    wide = np.array([2**61, 2**61, 0, 0])
    far = 2**43 + np.array([0, -1, 0, -2])
    row = np.array([2**20 - 1, 3, 2, 0])
    assert order_of([wide, far, row]).tolist() == [3, 2, 1, 0]


def test_times_in_whole_seconds_sort_as_their_microseconds_do() -> None:
    times = 1_704_067_200_000_000 + np.array([3, 1, 2, 1]) * 1_000_000
    assert order_of([times, np.array([0, 7, 0, 5])]).tolist() == [3, 1, 2, 0]


@given(st.lists(st.text(max_size=3), max_size=20))
def test_text_ranks_as_its_utf8_bytes_sort(texts: list[str]) -> None:
    assert np.argsort(ranks(pa.chunked_array([pa.array(texts, pa.string())])), kind="stable").tolist() == sorted(
        range(len(texts)), key=lambda row: texts[row].encode()
    )


def test_a_slice_starts_wherever_any_part_of_the_key_changes() -> None:
    key = [pa.array(["a", "a", "a", "b"]), pa.array([1, 1, 2, 2])]
    assert starts_of_slices(key).tolist() == [0, 2, 3]
    assert starts_of_slices([pa.array([], pa.string())]).tolist() == []
