import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import treering as tr
from treering.errors import InvalidDefinitionError, NotFoundError, RecipeError
from treering.recipes import Cast, ParseTimes, Recipe

MOMENTS = "datetime64[us, UTC]"


def cast(values: object, to: str) -> "pd.Series":
    return Recipe([Cast("x", to)]).fit_transform(pd.DataFrame({"x": values}))["x"]


def parsed(values: object, **options: object) -> "pd.Series":
    return Recipe([ParseTimes("x", **options)]).fit_transform(pd.DataFrame({"x": values}))["x"]


@pytest.mark.parametrize(
    ("values", "to", "result", "dtype"),
    [
        (["12", "-3", "7.0"], "Integral", [12, -3, 7], "int64"),
        (["12", None], "Integral", [12, None], "Int64"),
        ([12.0, np.nan], "Integral", [12, None], "Int64"),
        ([2**53 + 1, 1], "Integral", [2**53 + 1, 1], "int64"),
        (pd.array([2**53 + 1, None], dtype="Int64"), "Integral", [2**53 + 1, None], "Int64"),
        ([True, False], "Integral", [1, 0], "int64"),
        (pd.Categorical(["1", None]), "Integral", [1, None], "Int64"),
        (["1.5", "-2e3", ".5"], "Fractional", [1.5, -2000.0, 0.5], "float64"),
        (pd.array([1, None], dtype="Int64"), "Fractional", [1.0, None], "float64"),
        ([Decimal("1.50"), None], "Fractional", [1.5, None], "float64"),
        ([1, 2], "String", ["1", "2"], "str"),
        ([1.0, 0.1, None], "String", ["1", "0.1", None], "str"),
        ([True, None], "String", ["true", None], "str"),
        (pd.Categorical(["a", "b"]), "String", ["a", "b"], "str"),
        (["a", 1, 2.5, True, None], "String", ["a", "1", "2.5", "true", None], "str"),
        (["true", "FALSE", "1"], "Boolean", [True, False, True], "bool"),
        ([1, 0], "Boolean", [True, False], "bool"),
        ([1.0, np.nan], "Boolean", [True, None], "boolean"),
        (pd.array([True, None], dtype="boolean"), "Boolean", [True, None], "boolean"),
        (pd.array(["1", None], dtype="string"), "Boolean", [True, None], "boolean"),
    ],
)
def test_values_become_what_they_say(values, to, result, dtype):
    casted = cast(values, to)
    assert [None if missing else value for value, missing in zip(casted, casted.isna(), strict=True)] == result
    assert casted.dtype == dtype


@pytest.mark.parametrize(
    ("values", "to", "message"),
    [
        (["12", "12.5", "n/a", "", "x"], "Integral", r"not an Integral in 4 rows of column 'x': '12.5' \(row b\), 'n/a' \(row c\), '' \(row d\) and 1 more"),
        ([1.0, 1.5], "Integral", r"not an Integral in 1 row of column 'x': 1.5 \(row b\)"),
        ([np.inf], "Integral", "whole float beyond 2\\^53"),
        ([2.0**60], "Integral", "whole float beyond 2\\^53"),
        (["9" * 30], "Integral", "integer overflow"),
        (np.array([2**64 - 1], dtype="uint64"), "Integral", "integer overflow"),
        ([2**53 + 1], "Fractional", "whole number beyond 2\\^53"),
        (["x"], "Fractional", "not a Fractional"),
        (["yes"], "Boolean", "not a Boolean"),
        ([2], "Boolean", "not a Boolean"),
        ([b"1"], "Integral", "holds binary"),
        (pd.to_datetime(["2013-01-01"]), "String", "ParseTimes reads times"),
        ([{}, 1], "String", "mixes kinds of values"),
    ],
)
def test_what_a_type_does_not_hold_is_refused_with_its_rows(values, to, message):
    frame = pd.DataFrame({"x": values}, index=list("abcde")[: len(values)])
    with pytest.raises(RecipeError, match=message):
        Recipe([Cast("x", to)]).fit_transform(frame)


@pytest.mark.parametrize(("to", "dtype"), [("Integral", "Int64"), ("Fractional", "float64"), ("String", "str"), ("Boolean", "boolean")])
@pytest.mark.parametrize("nothing", [[None, None], [np.nan, np.nan]])
def test_a_column_of_nulls_has_the_type_too(nothing, to, dtype):
    assert cast(nothing, to).dtype == dtype
    assert cast(nothing, to).isna().all()


@pytest.mark.parametrize("step", [Cast("x", "Integral"), ParseTimes("x")])
def test_no_rows_stay_no_rows_and_labels_of_the_index_may_repeat(step):
    assert len(Recipe([step]).fit_transform(pd.DataFrame({"x": pd.Series([], dtype=object)}))) == 0
    twice = pd.DataFrame({"x": [None, None]}, index=[3, 3])
    assert Recipe([step]).fit_transform(twice).index.tolist() == [3, 3]


def test_a_type_is_named_in_sagemakers_words():
    assert Cast("x", tr.FeatureType.INTEGRAL) == Cast("x", "Integral")
    with pytest.raises(InvalidDefinitionError, match="There are: 'Integral', 'Fractional', 'String', 'Boolean'; ParseTimes reads times"):
        Cast("x", "int")


def test_times_with_a_zone_are_converted_to_utc_and_finer_ones_rounded_up():
    times = parsed(["2013-01-01T10:00:00.0000001+01:00", None, "2013-01-01T10:00Z"])
    assert times.tolist() == [pd.Timestamp("2013-01-01 09:00:00.000001Z"), pd.NaT, pd.Timestamp("2013-01-01 10:00Z")]
    assert times.dtype == MOMENTS


@pytest.mark.parametrize(
    "values", [["2013-07-01 10:00"], pd.to_datetime(["2013-07-01 10:00"]), [datetime(2013, 7, 1, 10)], pd.Categorical(["2013-07-01T10:00"])]
)
def test_a_time_without_a_zone_is_refused_until_the_zone_is_declared(values):
    assert parsed(values, time_zone="America/New_York").tolist() == [pd.Timestamp("2013-07-01 14:00Z")]
    with pytest.raises(RecipeError, match="Step ParseTimes: Column 'x' holds times without a zone, and no time zone is declared"):
        parsed(values)


def test_a_zone_that_is_written_counts_more_than_the_one_declared():
    assert parsed(pd.to_datetime(["2013-01-01 10:00"]).tz_localize("Asia/Tokyo"), time_zone="UTC").tolist() == [pd.Timestamp("2013-01-01 01:00Z")]


@pytest.mark.parametrize(("text", "reason"), [("2013-03-10 02:30", "does not exist"), ("2013-11-03 01:30", "occurs twice")])
def test_a_doubtful_local_time_is_refused_unless_the_zone_says_which_is_meant(text, reason):
    with pytest.raises(RecipeError, match=rf"local time that {reason} in 1 row of column 'x': '{text}' \(row 1\)"):
        parsed(["2013-01-01 00:00", text], time_zone="America/New_York")
    assert parsed([text], time_zone=tr.TimeZone("America/New_York", ambiguous="latest", nonexistent="latest")).notna().all()


def test_a_date_needs_to_say_which_moment_it_means():
    with pytest.raises(RecipeError, match=r"holds dates. Say which moment of the day is meant"):
        parsed([date(2013, 1, 1)], time_zone="UTC")
    assert parsed(["2013-01-01"], time_zone="UTC", date_means="end_of_day").tolist() == [pd.Timestamp("2013-01-02 00:00Z")]
    assert parsed(["1.2.2013"], format="%d.%m.%Y", time_zone="UTC", date_means="start_of_day").tolist() == [pd.Timestamp("2013-02-01 00:00Z")]


@pytest.mark.parametrize(
    ("text", "format", "time"),
    [
        ("31.01.2013 10:00", "%d.%m.%Y %H:%M", "2013-01-31 10:00Z"),
        ("31.01.2013 10:00 -0500", "%d.%m.%Y %H:%M %z", "2013-01-31 15:00Z"),
        ("Jan 31 2013 1PM", "%b %d %Y %I%p", "2013-01-31 13:00Z"),
        ("10:00:00.1234567 01/31/13", "%H:%M:%S.%f %m/%d/%y", "2013-01-31 10:00:00.123457Z"),
    ],
)
def test_text_is_read_by_a_format(text, format, time):
    assert parsed([text, None], format=format, time_zone="UTC").tolist() == [pd.Timestamp(time), pd.NaT]


def test_text_that_does_not_follow_the_format_is_refused_with_its_row():
    with pytest.raises(RecipeError, match=r"not written as %d.%m.%Y %H:%M in 2 rows of column 'x': 'nan' \(row 1\), '31.02.2013 10:00' \(row 2\)"):
        parsed(["31.01.2013 10:00", "nan", "31.02.2013 10:00"], format="%d.%m.%Y %H:%M", time_zone="UTC")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2013-01-01T10:00Z", "hello"], r"unreadable time in 1 row of column 'x': 'hello' \(row 1\). Write ISO 8601"),
        (["2013-01-01T10:00Z", "2013-01-01T10:00"], "mixes times with a zone and times without a zone"),
        (["0000-01-01T00:00Z"], "time outside years 1 to 9999"),
        ([1, 2], "reads text and datetimes; column 'x' is int64"),
        ([True], "reads text and datetimes; column 'x' is bool"),
        ([datetime(2013, 1, 1), datetime(2013, 1, 1, tzinfo=UTC)], "mixes kinds of values"),
    ],
)
def test_what_is_no_time_is_refused(values, message):
    with pytest.raises(RecipeError, match=message):
        parsed(values)


@pytest.mark.parametrize("nothing", [[None], [np.nan], pd.Series([None], dtype="Int64"), pd.to_datetime([None])])
def test_nulls_of_any_type_stay_null(nothing):
    assert parsed(nothing).dtype == MOMENTS
    assert parsed(nothing).isna().all()


@pytest.mark.parametrize(
    "options",
    [
        {"columns": None},
        {"time_zone": "Nowhere"},
        {"format": "iso"},
        {"format": "%Y %Z"},
        {"format": "%"},
        {"format": "%d.%m."},
        {"format": 3},
        {"date_means": "noon"},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(InvalidDefinitionError):
        ParseTimes(**{"columns": "x", **options})


def test_a_format_that_pandas_cannot_use_is_refused():
    with pytest.raises(RecipeError, match="cannot read by format='%Y %d %d'"):
        parsed(["2013 1 1"], format="%Y %d %d", time_zone="UTC")


@pytest.mark.parametrize(
    "step",
    [
        Cast(["x", "y"], "Boolean"),
        ParseTimes("x"),
        ParseTimes("x", tr.TimeZone("Europe/Berlin", ambiguous="latest"), "%d.%m.%Y", "end_of_day"),
        ParseTimes("x", "UTC"),
    ],
)
def test_a_step_read_back_from_json_is_the_same(step):
    recipe = Recipe([step])
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), sort_keys=True)))
    assert again == recipe
    assert again.steps[0] == step


@pytest.mark.parametrize("step", [Cast("lef_at", "String"), ParseTimes("lef_at")])
def test_a_column_that_is_missing_is_named_with_the_nearest(step):
    with pytest.raises(NotFoundError, match=r"Did you mean 'left_at'\?"):
        Recipe([step]).fit(pd.DataFrame({"left_at": ["a"]}))
