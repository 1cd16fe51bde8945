import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.recipes.windows import STATISTICS, of_windows

EXACT = {
    "mean": lambda values: math.fsum(values) / len(values) if values else None,
    "sum": lambda values: math.fsum(values) if values else None,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "count": len,
    "std": lambda values: statistics.stdev(values) if len(values) > 1 else None,
}
CELLS = st.lists(st.floats(-1000, 1000) | st.none(), min_size=1, max_size=40)


@given(CELLS, st.integers(0, 40), st.booleans(), st.sampled_from(list(STATISTICS)))
def test_a_statistic_is_that_of_the_values_in_the_window(cells, length, include_current, name):
    values, places = np.array([math.nan if cell is None else cell for cell in cells]), np.arange(len(cells))
    found = of_windows(STATISTICS[name], values, np.maximum(places - length, 0), places, include_current=include_current)
    for place in places:
        window = [cell for cell in cells[max(place - length, 0) : place + include_current] if cell is not None]
        expected = EXACT[name](window)
        assert math.isnan(found[place]) if expected is None else math.isclose(found[place], expected, rel_tol=1e-9, abs_tol=1e-6)


@pytest.mark.parametrize("name", list(STATISTICS))
def test_what_left_a_window_leaves_no_trace(name):
    values = np.array([1e300, -1e300, 1e300, 0.1, 0.1, 0.1])
    starts, ends = np.array([0, 0, 0, 3, 3, 3]), np.array([0, 1, 2, 3, 4, 5])
    alone = of_windows(STATISTICS[name], values[3:], starts[3:] - 3, ends[3:] - 3, include_current=True)
    np.testing.assert_array_equal(of_windows(STATISTICS[name], values, starts, ends, include_current=True)[3:], alone)


def test_equal_values_have_no_spread():
    places = np.arange(1000)
    spread = of_windows(STATISTICS["std"], np.full(1000, 0.1), np.maximum(places - 99, 0), places, include_current=True)
    assert spread[1:].max() < 1e-15
