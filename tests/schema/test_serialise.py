import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering.errors import StoreFormatError
from treering.schema.feature_group import STATIC, TimeZone, define
from treering.schema.serialise import from_json, to_json
from treering.schema.types import Feature, FeatureType, Schema
from treering.schema.view import Lookup, View

SCHEMA = Schema(
    (Feature("is", FeatureType.STRING, tags={"is": "Schema", "of": "x"}), Feature("v", FeatureType.VECTOR, 3), Feature("at", FeatureType.TIMESTAMP))
)
DEFINITIONS = [
    define("planes", entity="is", event_time=STATIC, schema=SCHEMA, tags={"is": "Feature"}, owner="Ann"),
    define("weather", entity="is", event_time="at", schema=SCHEMA, available_after="1h", time_zone=TimeZone("America/New_York", "earliest"), date_means="30h"),
    define("late", entity="is", event_time="at", schema=SCHEMA, available_at="at"),
]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_a_definition_is_read_back_equal(definition: object) -> None:
    assert from_json(json.loads(json.dumps(to_json(definition)))) == definition


@given(
    st.builds(
        Lookup,
        st.just("weather"),
        on=st.sampled_from([(), ("origin",), ("a", "b")]),
        features=st.sampled_from([None, {"is": "temp"}, ["temp", "visib"]]),
        prefix=st.sampled_from(["", "dest_"]),
        max_age=st.sampled_from([None, "6h", 0]),
        strictly_before=st.booleans(),
        as_of=st.sampled_from([None, 0, 3, "2013-01-01T00:00Z"]),
        with_age=st.booleans(),
    )
)
def test_a_view_is_read_back_equal(lookup: Lookup) -> None:
    view = View("late", (lookup,), tags={"of": "is"})
    assert from_json(json.loads(json.dumps(to_json(view)))) == view


@pytest.mark.parametrize("value", [{"is": "os.system"}, {"is": "Feature", "name": "a", "type": "String", "colour": "red"}])
def test_stored_json_can_name_nothing_but_definitions(value: dict[str, str]) -> None:
    with pytest.raises(StoreFormatError, match="does not know"):
        from_json(value)
