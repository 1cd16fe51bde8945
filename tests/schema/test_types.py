from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from treering.errors import FeatureNotFoundError, InvalidDefinitionError, InvalidNameError, SchemaMismatchError
from treering.schema.types import Feature, FeatureType, Schema
from treering.sources.frames import of_pandas

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


@pytest.mark.parametrize(
    ("type", "meant"), [("Int", "Integral"), ("float", "Fractional"), ("string", "String"), ("datetime64[ns]", "Timestamp"), (bool, "Boolean")]
)
@pytest.mark.parametrize(
    "declare",
    [lambda given: Feature("a", given), lambda given: Schema.of(FRAME, share=given), lambda given: Schema.of(FRAME).with_type("share", given)],
    ids=["Feature", "of", "with_type"],
)
def test_a_type_that_does_not_exist_comes_with_the_nearest_one_and_all_there_are(declare: Any, type: object, meant: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=rf"No type .*\. Did you mean '{meant}'\? There are: 'Integral', 'Fractional', 'String', 'Boolean'"):
        declare(type)


def test_a_type_like_no_other_comes_with_all_there_are() -> None:
    with pytest.raises(InvalidDefinitionError, match=r"^No type 'xyz'\. There are: 'Integral'"):
        Feature("a", "xyz")  # type: ignore[arg-type]


def test_a_column_of_lists_comes_with_how_to_make_it_a_vector() -> None:
    with pytest.raises(SchemaMismatchError, match=r"'e' holds lists .*tr\.Feature\('e', 'Vector', N\), or cast the column to pa\.list_\(pa\.float32\(\), N\)"):
        Schema.of(pd.DataFrame({"e": [[1.0, 2.0], [1.0]]}))


@pytest.mark.parametrize("values", [["a", 1], [object(), object()]])
def test_a_pandas_column_that_arrow_cannot_hold_is_refused_by_name(values: list[object]) -> None:
    with pytest.raises(SchemaMismatchError, match=r"Column 'x' of the pandas frame (mixes kinds of values: row 0 is 'a' and row 1 is 1|cannot be read)"):
        Schema.of(pd.DataFrame({"x": pd.Series(values, dtype=object)}))


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [(["a", "a"], InvalidNameError, "'a' appears twice"), (["a", 0], SchemaMismatchError, "is named 0, which is no text")],
)
def test_pandas_columns_need_names_of_their_own(names: list[object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Schema.of(pd.DataFrame([[1, 2]], columns=names))


@pytest.mark.parametrize("given", [5, None, {"a": [1]}, pd.Series([1]), pl.Series([1])])
def test_what_is_no_table_has_no_schema(given: object) -> None:
    with pytest.raises(SchemaMismatchError, match=f"A schema cannot be read from {type(given).__name__}"):
        Schema.of(given)


def test_a_stream_is_not_used_up_by_asking_for_its_schema() -> None:
    reader = pa.table({"a": [1]}).to_reader()
    assert (Schema.of(reader).names, reader.read_all().num_rows) == (("a",), 1)


INDEXES = [
    (pd.Index(["x"], name="k"), ("v", "k")),
    (pd.RangeIndex(1, name="k"), ("v", "k")),
    (pd.Index(["x"]), ("v",)),
    (pd.MultiIndex.from_arrays([[1], [2], [3]], names=["k", None, "l"]), ("v", "k", "l")),
]


@pytest.mark.parametrize(("index", "names"), INDEXES)
def test_a_named_index_is_a_column_in_a_schema_as_in_a_source(index: pd.Index, names: tuple[str, ...]) -> None:
    frame = pd.DataFrame({"v": [1.0]}, index=index)
    assert Schema.of(frame).names == of_pandas(frame).column_names() == names


def test_a_column_may_have_the_name_of_an_argument() -> None:
    assert Schema.of(pa.table({"frame": [1], "cls": [1]}), frame="String", cls="String")["frame"].type is FeatureType.STRING


def test_a_feature_is_found_by_name_and_an_error_says_where_it_was_looked_for() -> None:
    schema = Schema.of(FRAME)
    assert ("share" in schema, "shar" in schema, 0 in schema, [] in schema) == (True, False, False, False)
    assert schema.named("share") is schema["share"]
    with pytest.raises(FeatureNotFoundError, match=r"No feature 'shar' in group 'g'\. Did you mean 'share'"):
        schema.named("shar", where="group 'g'")


def test_a_schema_is_made_of_features() -> None:
    with pytest.raises(InvalidDefinitionError, match=r"made of tr\.Feature, and 'a' is none"):
        Schema(("a",))  # type: ignore[arg-type]
