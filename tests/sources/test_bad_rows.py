import numpy as np
import pyarrow as pa
import pytest

from treering.sources.bad_rows import BadRow, Violation, sift


@pytest.mark.parametrize("type", [pa.string(), pa.large_string(), pa.string_view()])
def test_a_bad_row_shows_its_text_however_the_text_is_held(type: pa.DataType) -> None:
    table = pa.table({"at": pa.array(["2013-01-01", "soon", None], type)})
    good, bad_rows = sift(table, np.array([7, 8, 9]), [Violation(np.array([1, 2]), "unreadable time", "at")])
    assert good.tolist() == [True, False, False]
    assert bad_rows == [BadRow(8, "unreadable time", "at", "soon"), BadRow(9, "unreadable time", "at", "")]


def test_a_row_is_bad_for_the_first_of_its_reasons() -> None:
    violations = [Violation(np.array([0]), "null identifier", "k"), Violation(np.array([0, 1]), "not an Integral", "k")]
    _, bad_rows = sift(pa.table({"k": [None, "x"]}), np.array([0, 1]), violations)
    assert [(row.position, row.reason) for row in bad_rows] == [(0, "null identifier"), (1, "not an Integral")]
