import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.recipes.timeline import Histories

# pandas keeps the least integer for nulls.
LEAST, GREATEST = -(2**63) + 1, 2**63 - 1
TIMES = st.sampled_from([LEAST, LEAST + 1, GREATEST - 1, GREATEST]) | st.integers(-5, 5)


@given(st.lists(st.tuples(st.integers(0, 2), TIMES), min_size=1, max_size=15), st.sampled_from([1, 2, 5, GREATEST, GREATEST + 2, 2**64, 2**70]))
def test_the_youngest_rows_are_found_at_any_time_and_distance(rows, window):
    entities, times = (np.array(part, dtype=np.int64) for part in zip(*rows, strict=True))
    line = Histories("Test", entities, times, 1).timeline(pd.Series(np.zeros(len(rows))))
    found = line.younger_than(window)
    for place, row in enumerate(line.order):
        inside = [other for other, its in enumerate(line.order) if entities[its] == entities[row] and int(times[its]) > int(times[row]) - window]
        assert found[place] == inside[0]
        assert line.starts[place] <= found[place] <= line.ends[place]


def test_rows_are_sorted_by_entity_then_time_then_value():
    frame = pd.DataFrame({"k": ["b", "a", "b", None, "b"], "t": [2, 5, 1, 1, 2], "x": [9.0, 1.0, 2.0, 3.0, None]})
    line = Histories.of("Test", frame, ("k",), "t").timeline(frame["x"])
    assert line.order.tolist() == [2, 4, 0, 1, 3]
    assert line.starts.tolist() == [0, 0, 0, 3, 4]
    assert line.ends.tolist() == [0, 1, 1, 3, 4]
    assert line.in_frame_order(line.order).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("times", [pd.array([3, 1, 2], dtype="Int64"), [3.5, 1.5, 2.5], pd.array([3, 1, 2], dtype="int64[pyarrow]")])
def test_numbers_of_any_type_say_when(times):
    frame = pd.DataFrame({"k": "a", "t": times, "x": [1.0, 2.0, 3.0]})
    assert Histories.of("Test", frame, ("k",), "t").timeline(frame["x"]).order.tolist() == [1, 2, 0]
