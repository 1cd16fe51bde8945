import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from treering.point_in_time import kernel
from treering.point_in_time.kernel import Precedence, last_known

TIMES = st.integers(0, 6)


@given(st.lists(st.lists(TIMES, max_size=9), min_size=1, max_size=4), st.lists(st.tuples(st.integers(0, 3), TIMES), max_size=12), st.booleans())
def test_the_search_finds_what_looking_at_every_record_finds(slices: list[list[int]], labels: list[tuple[int, int]], strictly: bool) -> None:
    slices = [sorted(times) for times in slices]
    begins = np.cumsum([0, *map(len, slices)])
    labels = [(number % len(slices), moment) for number, moment in labels]
    starts, ends = (np.array([begins[number + after] for number, _ in labels], dtype=np.int64) for after in (0, 1))
    times = np.array([time for one in slices for time in one], dtype=np.int64)
    moments = np.array([moment for _, moment in labels], dtype=np.int64)
    seen = [sum(time < moment or (time == moment and not strictly) for time in slices[number]) for number, moment in labels]
    found = last_known(times, starts, ends, moments, strictly_before=strictly)
    assert found.tolist() == [begins[number] + count - 1 for (number, _), count in zip(labels, seen, strict=True)]


def test_labels_are_searched_alike_however_many_there_are() -> None:
    count = 2 * kernel._LABELS_AT_ONCE + 1
    times = np.arange(10, dtype=np.int64)
    found = last_known(times, np.zeros(count, dtype=np.int64), np.full(count, 10), np.arange(count) % 10, strictly_before=False)
    assert np.array_equal(found, np.arange(count) % 10)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), max_size=20))
def test_the_best_so_far_never_leaves_its_slice(rows: list[tuple[int, int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    slices, first, second = (np.array([row[column] for row in rows], dtype=np.int64) for column in range(3))
    best = Precedence.of(slices, [first, second]).best_so_far.tolist()
    for position, (number, *_) in enumerate(rows):
        so_far = [other for other in range(position + 1) if rows[other][0] == number]
        assert best[position] == max(so_far, key=lambda other: (rows[other][1:], other))
