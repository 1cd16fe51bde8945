from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import InvalidDefinitionError
from treering.schema.view import Lookup, View, lookups_of

LOOKUP = Lookup("g", on="k", features={"v": "x"}, max_age="6h", as_of="2013-01-01T00:00Z", with_age=True)


@given(
    st.sampled_from([None, 0, 2.5, "6h", "7us"]), st.sampled_from([None, 0, 3, datetime(2013, 1, 1, 0, 0, 0, 1, UTC)]), st.sampled_from([None, "v", {"v": "x"}])
)
def test_a_changed_copy_keeps_everything_else(max_age: Any, as_of: Any, features: Any) -> None:
    lookup = Lookup("g", max_age=max_age, as_of=as_of, features=features)
    assert replace(lookup) == lookup
    assert replace(lookup, prefix="p_") == Lookup("g", max_age=max_age, as_of=as_of, features=features, prefix="p_")


def test_a_copy_may_be_as_of_something_else() -> None:
    assert (replace(LOOKUP, as_of=3).as_of, replace(LOOKUP, as_of=3).as_of_time) == (3, None)


def test_ages_and_times_are_kept_in_microseconds() -> None:
    assert (LOOKUP.max_age, LOOKUP.as_of_time) == (21_600_000_000, 1_356_998_400_000_000)


def test_seen_strictly_before_changes_nothing_else() -> None:
    strict = LOOKUP.seen_strictly_before()
    assert strict.strictly_before
    assert replace(strict, strictly_before=False) == LOOKUP


@pytest.mark.parametrize("commit", [0, 1, np.int64(1)])
def test_a_commit_is_any_whole_number_from_0(commit: Any) -> None:
    assert (Lookup("g", as_of=commit).as_of, type(Lookup("g", as_of=commit).as_of)) == (commit, int)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"as_of": True}, "as_of=True is neither a commit nor a time"),
        ({"as_of": -1}, "Commits count from 1; 0 is before the first; -1 is none"),
        ({"as_of": 1.5}, "The as_of 1.5 cannot be read"),
        ({"max_age": float("nan")}, "The max_age nan is no length of time"),
        ({"max_age": float("inf")}, "The max_age inf is no length of time"),
        ({"features": {"v": ""}}, "The lookup of 'g' would call 'v' '': both have to be names"),
        ({"features": [5]}, "The lookup of 'g' would call 5 5"),
        ({"features": {"v": "x", "q": "x"}}, r"'v' and 'q' of 'g' would both be called 'x'\. Give one"),
        ({"features": {"v": "x", "q": "X"}}, "'v' and 'q' of 'g' would both be called 'x' and 'X', which differ only by case"),
        ({"features": {"v": "v", "q": "p_v"}, "prefix": "p_"}, "'v' and 'q' of 'g' would both be called 'p_v'"),
        ({"on": 5}, "`on` of the lookup of 'g' is a column's name"),
        ({"on": {"k": "id"}}, r"`on` of the lookup of 'g' .* is no mapping\. Write on=\['k'\] .*, on=\['id'\]"),
    ],
)
def test_a_lookup_that_could_not_be_answered_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        Lookup("g", **given)


def test_lookups_are_listed_however_they_are_given() -> None:
    assert lookups_of(LOOKUP) == lookups_of([LOOKUP]) == lookups_of(iter([LOOKUP])) == lookups_of(View("v", (LOOKUP,))) == (LOOKUP,)


@pytest.mark.parametrize("given", ["g", ["g"], (LOOKUP, "g")])
def test_text_is_no_lookup(given: Any) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"A lookup is tr\.Lookup\('g'\), not the text 'g'\."):
        View("v", given)


@pytest.mark.parametrize("given", [5, [None], [View("v", (LOOKUP,))]])
def test_nothing_else_is_a_lookup(given: Any) -> None:
    with pytest.raises(InvalidDefinitionError, match=r"A lookup is made by .*, and (int|NoneType|View) is none"):
        lookups_of(given)
