from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import Filter, Recipe
from treering.recipes.expression import Expression

FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "x": [1.5, None, -2.0],
        "origin": ["EWR", "JFK", None],
        "flag": [True, False, True],
        "air-time": [10, 20, 30],
        "time": pd.to_datetime(["2013-01-01", "2013-06-01", "2013-12-01"], utc=True),
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "__import__('os').system('true') == 0",
        "n.__class__ == 1",
        "n.map(print) == 1",
        "().__class__.__bases__ == n",
        "@FRAME > 1",
        "n[0] > 1",
        "(lambda: n)() > 1",
        "[m for m in n] == 1",
        "f'{n}' == 'a'",
        "(m := n) > 1",
        "n if n else n",
        "n > 1; n",
        "n > 1\nimport os",
        "n in [n.__class__]",
        "n in [print]",
        "n in {1, 2}",
        "{1: n} == n",
        "n in origin",
        "n == [1]",
        "[1] == n",
        "n is None",
        "n == None",
        "n == b'1'",
        "n == 1j",
        "n == ...",
        "n ** 9 > 1",
        "n & 1 == 1",
        "n << 9 > 1",
        "~n > 1",
        "n > *n",
        "await n",
        "n\0 > 1",
        "n = 1",
        "1 < 2",
        "",
        " " * 9,
        "(" * 900 + "n > 1" + ")" * 900,
        "-" * 1900 + "n > 1",
        "n > 1" + " and n > 1" * 500,
    ],
)
def test_nothing_but_the_allowed_is_read(text):
    with pytest.raises(InvalidDefinitionError, match="expression"):
        Filter(text)


def test_the_error_says_what_is_allowed():
    with pytest.raises(InvalidDefinitionError, match=r"'n.real' cannot stand in an expression \(Attribute\). Allowed are column names, numbers, text"):
        Filter("n.real > 1")


def test_an_expression_from_a_stored_recipe_is_read_as_strictly():
    value = Recipe([Filter("n > 1")]).to_json()
    value["steps"][0]["parameters"]["expression"] = "__import__('os').getcwd() == origin"
    with pytest.raises(InvalidDefinitionError, match="Call"):
        Recipe.from_json(value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("n > 1", [1, 2]),
        ("1 < n < 3", [1]),
        ("n != 2 and not n == 3", [0]),
        ("n in (1, 3)", [0, 2]),
        ("n not in [1, -3]", [1, 2]),
        ("n * 2 + 1 == 5 or n // 3 == 1", [1, 2]),
        ("-x > 1", [2]),
        ("n % 2 == 1", [0, 2]),
        ("n / 2 - 1 >= 0", [1, 2]),
        ("origin == 'EWR'", [0]),
        ("origin > 'EWR'", [1]),
        ("flag", [0, 2]),
        ("not flag or False", [1]),
        ("`air-time` > 10 and origin != '`air-time`'", [1]),
        ("time >= '2013-06-01'", [1, 2]),
        ("time < '2013-06-01' or flag and n > 1", [0, 2]),
    ],
)
def test_an_expression_keeps_the_rows_that_satisfy_it(text, kept):
    assert Recipe([Filter(text)]).fit_transform(FRAME).index.tolist() == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x != 1.5", [2]),
        ("not x == 1.5", [2]),
        ("x > 0 or n == 2", [0, 1]),
        ("x > 0 and n == 2", []),
        ("origin not in ['EWR']", [1]),
        ("not origin in ['EWR']", [1]),
    ],
)
def test_a_row_is_kept_only_if_nulls_leave_no_doubt(text, kept):
    assert Expression.parse(text).rows(FRAME).nonzero()[0].tolist() == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("origin > 3", "'origin' is text and is compared with a number"),
        ("n == '1'", "'n' is a number and is compared with text"),
        ("n in [1, '1']", "compared with text"),
        ("origin", "'origin' is no condition"),
        ("origin + 'x' == 'EWRx'", "'origin' is no number"),
        ("'x' * 999 == origin", "'x'\" is no number"),
        ("flag + 1 > 0", "'flag' is no number"),
        ("3 in [3] and n > 1", "names no column"),
        ("n > 1 / 0", "division by zero"),
        ("time > 3", "cannot be worked out"),
        ("-" * 600 + "n > 1", "expression|worked out"),
        ("n / 0 > 1", "division by zero"),
        ("n * 9_999_999_999_999_999_999 > 1", "too large"),
    ],
)
def test_columns_that_do_not_fit_the_operators_are_refused(text, message):
    with pytest.raises((RecipeError, InvalidDefinitionError), match=message):
        Recipe([Filter(text)]).fit_transform(FRAME)


@given(st.text(max_size=40) | st.from_regex(r"(n|x|not|and|in|[-+*/%<>=!().,'`\[\]@_1-9 ]){1,20}", fullmatch=True))
def test_whatever_is_written_is_read_or_refused_with_a_reason(text):
    with suppress(InvalidDefinitionError, RecipeError, NotFoundError):
        assert set(Recipe([Filter(text)]).fit_transform(FRAME[["n", "x"]]).index) <= {0, 1, 2}


WHOLE = pd.DataFrame(
    {
        "tiny": pd.array([100, -100], dtype="int8"),
        "unsigned": pd.array([1, 2], dtype="UInt8"),
        "huge": [2**62, 1],
        "large": np.array([7, 8], dtype="uint64"),
        "zero": [0, 2],
        "least": [-(2**63), 5],
        "arrow": pd.array([6, 7], dtype="uint64[pyarrow]"),
    }
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("tiny * 2", [200, -200]),
        ("-unsigned", [-1, -2]),
        ("unsigned - 5", [-4, -3]),
        ("large - 9", [-2, -1]),
        ("huge - 1", [2**62 - 1, 0]),
        ("huge // 2", [2**61, 0]),
        ("least // 2", [-(2**62), 2]),
        ("arrow - 7", [-1, 0]),
    ],
)
def test_whole_numbers_never_wrap_around(text, values):
    assert Expression.parse(text).values(WHOLE).tolist() == values


@pytest.mark.parametrize("text", ["huge * 2", "huge + huge", "0 - huge - huge - 1", "-least", "least // -1", "least // (zero - 1)"])
def test_whole_numbers_that_outgrow_64_bits_are_refused(text):
    with pytest.raises(RecipeError, match="a whole number outgrows 64 bits"):
        Expression.parse(text).values(WHOLE)


def test_whole_numbers_that_no_integral_holds_are_refused():
    with pytest.raises(RecipeError, match="a whole number outgrows 64 bits"):
        Expression.parse("n - 1").values(pd.DataFrame({"n": np.array([2**64 - 1], dtype="uint64")}))


@pytest.mark.parametrize(("text", "result"), [("1 / zero", 0.5), ("huge / zero", 0.5), ("huge // zero", 0), ("huge % zero", 1), ("1.5 % zero", 1.5)])
def test_a_division_by_zero_is_null_in_that_row(text, result):
    values = Expression.parse(text).values(WHOLE)
    assert values.isna().tolist() == [True, False]
    assert values[1] == result


def test_a_division_by_zero_decides_no_filter():
    assert Expression.parse("huge / zero > 0 or tiny < 0").rows(WHOLE).tolist() == [False, True]
    assert Expression.parse("not huge / zero > 0").rows(WHOLE).tolist() == [False, False]
