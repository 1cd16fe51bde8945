from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.utils.class_weight import compute_class_weight

from treering.errors import TrainingError
from treering.training.classes import MAXIMUM_CLASSES, Classes, count_values


def classes_of(column: pa.Array) -> Classes:
    return Classes.of(count_values("late", [column[:1], column[1:]]))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array(["UA", "AA", "UA"]), ("AA", "UA")),
        (pa.array(["UA", "AA"]).dictionary_encode(), ("AA", "UA")),
        (pa.array([True, False]), (False, True)),
        (pa.array([2, -1, 2], pa.int8()), (-1, 2)),
        (pa.array([2.0, 0.0, 1.0]), (0, 1, 2)),
        (pa.array([2**62 + 1, 2**62]), (2**62, 2**62 + 1)),
    ],
)
def test_the_values_of_a_column_in_order_are_its_classes(column: pa.Array, values: tuple[Any, ...]) -> None:
    classes = classes_of(column)
    assert [(type(value), value) for value in classes.values] == [(type(value), value) for value in values]
    assert sum(classes.rows) == len(column)
    assert [values[int(position)] for position in classes.positions(column)] == column.to_pylist()


def test_a_value_that_is_no_class_has_no_position() -> None:
    assert np.isnan(Classes(("AA", "UA"), (1, 1)).positions(pa.array(["UA", "ZZ", None]))).tolist() == [False, True, True]


def test_only_whole_numbers_from_nought_are_their_own_positions() -> None:
    assert Classes((0, 1, 2), (1, 1, 1)).are_positions
    assert not any(Classes(values, (1, 1)).are_positions for values in ((1, 2), (False, True), ("AA", "UA")))


def test_too_many_values_are_no_classes() -> None:
    with pytest.raises(TrainingError, match=r"more than 1,000 values.*reg:squarederror"):
        count_values("late", [pa.array(range(MAXIMUM_CLASSES + 1))])


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    column = np.repeat(["AA", "DL", "UA"], [10, 3, 87])
    expected = compute_class_weight("balanced", classes=np.unique(column), y=column)
    assert classes_of(pa.array(column)).weights("balanced").tolist() == expected.astype(np.float32).tolist()


def test_a_class_that_no_weight_names_counts_once() -> None:
    assert Classes((False, True), (3, 1)).weights({True: 4.0}).tolist() == [1.0, 4.0]


@pytest.mark.parametrize(("wanted", "message"), [({"UAA": 1.0}, "names 'UAA'.*Did you mean 'UA'"), ({"AA": 0.0, "UA": 0.0}, "every class the weight 0")])
def test_weights_that_cannot_weigh_are_refused(wanted: dict[Any, float], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Classes(("AA", "UA"), (3, 1)).weights(wanted)


def test_classes_say_which_is_the_positive_one() -> None:
    assert str(Classes(("no", "yes"), (1_200, 3))) == "'no' (1,200 rows), 'yes' (3 rows); 'yes' is the positive one"
