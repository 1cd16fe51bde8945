from typing import Any

import pytest

from treering.errors import FeatureNotFoundError, InvalidDefinitionError
from treering.schema.feature_group import STATIC, AvailableAfter, TimeZone, define
from treering.schema.types import Feature, FeatureType, Schema

SCHEMA = Schema(
    (
        Feature("customer", FeatureType.STRING),
        Feature("purchase", FeatureType.INTEGRAL),
        Feature("at", FeatureType.TIMESTAMP),
        Feature("amount", FeatureType.FRACTIONAL),
    )
)


def defined(**changes: Any) -> Any:
    return define("purchases", **{"entity": "customer", "event_time": "at", "schema": SCHEMA} | changes)


def test_what_a_lookup_returns_by_default_are_neither_keys_nor_clocks() -> None:
    assert defined(record_identifier=["customer", "purchase"]).feature_names == ("amount",)
    assert defined().feature_names == ("purchase", "amount")


def test_a_lag_may_be_written_as_text() -> None:
    assert defined(available_after="1h").availability == AvailableAfter(3_600_000_000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entity": ()}, "has no entity"),
        ({"entity": ["customer", "customer"]}, "The entity of 'purchases' names 'customer' twice"),
        ({"record_identifier": ["customer", "purchase", "purchase"]}, "The record identifier of 'purchases' names 'purchase' twice"),
        ({"event_time": None}, "event_time is a column's name, or tr.STATIC"),
        ({"schema": {"customer": "String"}}, r"is dict; schema is a tr.Schema: tr.Schema.of\(frame\)"),
        ({"date_means": "noon"}, "date_means 'noon' cannot be read.*Or say 'start_of_day' or 'end_of_day'"),
        ({"time_zone": 5}, "No time zone 5"),
        ({"record_identifier": "purchase"}, "has to contain its entity; 'customer' is missing"),
        ({"entity": "amount"}, "never Fractional"),
        ({"event_time": "purchase"}, "event time 'purchase' of 'purchases' is Integral"),
        ({"event_time": STATIC, "available_after": "1h"}, "is static"),
        ({"available_after": "1h", "available_at": "at"}, "both available_after and available_at"),
        ({"record_identifier": ["customer", "at"]}, "cannot be part of its record identifier"),
        ({"time_zone": "Mars/Olympus"}, "No time zone 'Mars/Olympus'"),
        ({"description": "x" * 129}, "at most 128"),
        ({"tags": {str(number): "" for number in range(51)}}, "at most 50"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        defined(**changes)


def test_a_column_that_does_not_exist_comes_with_the_nearest_one() -> None:
    with pytest.raises(FeatureNotFoundError, match="Did you mean 'customer'"):
        defined(entity="custmer")


def test_what_doubtful_local_times_mean_is_one_of_three() -> None:
    with pytest.raises(InvalidDefinitionError, match="'error', 'earliest' or 'latest'"):
        TimeZone("UTC", ambiguous="later")  # type: ignore[arg-type]


@pytest.mark.parametrize(("date_means", "length"), [("start_of_day", 0), ("end_of_day", 86_400_000_000), ("30h", 108_000_000_000)])
def test_what_a_date_means_is_kept_as_a_time_after_the_start_of_the_day(date_means: str, length: int) -> None:
    assert defined(date_means=date_means).date_means == length
