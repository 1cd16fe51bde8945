import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from treering.errors import FeatureNotFoundError, InvalidDefinitionError, InvalidNameError, SchemaMismatchError
from treering.schema.types import Feature, FeatureType, Schema

FRAME = pd.DataFrame({"id": [1], "at": pd.to_datetime(["2020-01-01"]), "name": ["a"], "share": [0.5], "is_new": [True]})
TYPES = ["Integral", "Timestamp", "String", "Fractional", "Boolean"]


def test_a_schema_is_inferred_from_pandas_and_polars_and_arrow_alike() -> None:
    schemas = [Schema.of(FRAME), Schema.of(pl.from_pandas(FRAME)), Schema.of(pa.Table.from_pandas(FRAME, preserve_index=False))]
    assert [[feature.type_text for feature in schema] for schema in schemas] == [TYPES] * 3


def test_a_wanted_type_overrides_the_inferred_one() -> None:
    assert Schema.of(FRAME, id="String")["id"].type is FeatureType.STRING


def test_a_wanted_type_for_no_column_names_the_nearest_one() -> None:
    with pytest.raises(FeatureNotFoundError, match="Did you mean 'share'"):
        Schema.of(FRAME, shar="String")


def test_a_fixed_size_list_is_a_vector_of_its_dimension() -> None:
    table = pa.table({"embedding": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))})
    assert Schema.of(table)["embedding"].type_text == "Vector(2)"


def test_a_column_that_no_feature_can_hold_is_refused_by_name() -> None:
    with pytest.raises(SchemaMismatchError, match="'when' has Arrow type duration"):
        Schema.of(pd.DataFrame({"when": pd.to_timedelta(["1h"])}))


def test_a_schema_shows_its_columns() -> None:
    assert repr(Schema.of(FRAME)).splitlines()[1] == "  id      Integral"


def test_a_schema_can_be_edited() -> None:
    edited = Schema.of(FRAME).with_type("share", "String").without("name").adding([Feature("embedding", FeatureType.VECTOR, 3)])
    assert [feature.type_text for feature in edited] == ["Integral", "Timestamp", "String", "Boolean", "Vector(3)"]


def test_a_feature_that_is_there_cannot_be_added_in_another_case() -> None:
    with pytest.raises(InvalidNameError, match="differ only by case"):
        Schema.of(FRAME).adding([Feature("SHARE", FeatureType.INTEGRAL)])


def test_a_group_has_at_most_2500_features() -> None:
    features = tuple(Feature(f"f{number}", FeatureType.FRACTIONAL) for number in range(2_501))
    assert len(Schema(features[:2_500])) == 2_500
    with pytest.raises(InvalidDefinitionError, match="1 to 2500 features"):
        Schema(features)


@pytest.mark.parametrize("dimension", [None, 0, 8_193])
def test_a_vector_needs_a_dimension_from_1_to_8192(dimension: int | None) -> None:
    with pytest.raises(InvalidDefinitionError, match="dimension"):
        Feature("embedding", FeatureType.VECTOR, dimension)
