from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from treering.training_sets.ranks import area_under_curve, counted, evenly_spaced, rank_correlation, ranked

PAIRS = st.lists(st.tuples(st.none() | st.integers(-3, 3), st.none() | st.sampled_from([-1.5, 0.0, 2.5, 7.0])), min_size=2, max_size=40)


@given(PAIRS)
def test_rank_correlation_is_that_of_pandas(pairs: list[tuple[int | None, float | None]]) -> None:
    frame = pd.DataFrame(pairs, columns=["x", "y"], dtype=float).dropna()
    one, other = (ranked(pa.array([pair[place] for pair in pairs], pa.float64())) for place in (0, 1))
    assert one is not None
    assert other is not None
    is_defined = len(frame) > 1 and frame["x"].nunique() > 1 and frame["y"].nunique() > 1
    expected = np.corrcoef(frame["x"].rank(), frame["y"].rank())[0, 1] if is_defined else 0.0
    assert rank_correlation(one, other, fewest=2) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40).filter(lambda rows: len({late for _, late in rows}) == 2))
def test_the_area_is_that_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    values, late = zip(*rows, strict=True)
    feature, outcome = ranked(pa.array(values)), ranked(pa.array(late))
    assert feature is not None
    assert outcome is not None
    assert area_under_curve(counted(feature, outcome)) == pytest.approx(roc_auc_score(late, values))


@pytest.mark.parametrize(
    ("column", "codes"),
    [
        (pa.array([2.5, None, float("nan"), -1.0]), [1, -1, -1, 0]),
        (pa.array(np.array([2.5, -1.0], dtype="float16")), [1, 0]),
        (pa.array(["b", "a", None]), [1, 0, -1]),
        (pa.array(["b", "a"]).dictionary_encode(), [1, 0]),
        (pa.chunked_array([[True], [False, None]]), [1, 0, -1]),
        (pa.array([3, 1], pa.timestamp("us", "UTC")), [1, 0]),
    ],
)
def test_codes_rise_with_values(column: Any, codes: list[int]) -> None:
    found = ranked(column)
    assert found is not None
    assert found.codes.tolist() == codes


@pytest.mark.parametrize("column", [pa.nulls(2), pa.array([[1.0]]), pa.array([{"a": 1}]), pa.array([b"x"])])
def test_values_without_an_order_or_a_text_have_no_ranks(column: pa.Array) -> None:
    assert ranked(column) is None


def test_a_sample_is_even_and_has_both_ends() -> None:
    assert evenly_spaced(np.arange(101), 5).tolist() == [0, 25, 50, 75, 100]
    assert evenly_spaced(np.arange(3), 5).tolist() == [0, 1, 2]
