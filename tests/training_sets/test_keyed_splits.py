import hashlib
import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from support.nyc_files import planes
from treering.errors import FeatureNotFoundError, InvalidDefinitionError, LabelsError
from treering.training_sets.keyed_splits import ColumnSplit, GroupSplit, HashSplit
from treering.training_sets.splits import Split

PLANES = pa.table(planes()[["tailnum", "manufacturer", "seats"]])


def names(split: Split, labels: pa.Table) -> list[str]:
    return split.assign(np.zeros(labels.num_rows, dtype=np.int64), labels).to_pylist()


def column(values: Any, kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"id": pa.array(values, kind)})


def shares(split: Split, labels: pa.Table) -> dict[str, float]:
    found = names(split, labels)
    return {name: found.count(name) / len(found) for name in sorted(set(found))}


def test_a_hash_split_comes_near_its_shares() -> None:
    found = shares(HashSplit("tailnum", validation=0.1, test=0.2), PLANES)
    assert found == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.02)


def test_a_row_never_moves_whatever_the_order_and_the_other_rows() -> None:
    split = HashSplit("tailnum", validation=0.1, test=0.2)
    whole = dict(zip(PLANES["tailnum"].to_pylist(), names(split, PLANES), strict=True))
    part = PLANES.take(np.random.default_rng(0).permutation(PLANES.num_rows)[:300])
    assert names(split, part) == [whole[tailnum] for tailnum in part["tailnum"].to_pylist()]


def test_a_hash_split_can_be_computed_by_hand() -> None:
    def split_of(tailnum: str) -> str:
        digest = hashlib.sha256(("7:" + json.dumps([tailnum])).encode()).digest()
        return "test" if (int.from_bytes(digest[:8], "big") >> 11) / 2**53 < 0.2 else "train"

    assert names(HashSplit("tailnum", test=0.2, seed=7), PLANES) == [split_of(tailnum) for tailnum in PLANES["tailnum"].to_pylist()]


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int32(), pa.uint64(), pa.float64(), pa.decimal128(30, 3), pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_a_key_is_dealt_alike_whatever_its_type(kind: pa.DataType) -> None:
    split = HashSplit("id", validation=0.3, test=0.3)
    values = column(range(100)).column("id")
    as_kind = values.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(kind) else values.cast(kind)
    assert names(split, pa.table({"id": as_kind})) == names(split, pa.table({"id": values}))


def test_a_time_is_dealt_alike_whatever_its_unit_and_zone() -> None:
    split, moments = HashSplit("id", test=0.5), pa.array(range(0, 10**9, 10**7), pa.timestamp("s"))
    kinds = [pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.timestamp("ms", "America/New_York")]
    assert all(names(split, pa.table({"id": moments.cast(kind)})) == names(split, pa.table({"id": moments})) for kind in kinds)


def test_the_test_rows_stay_when_the_validation_share_changes() -> None:
    some, more = (names(HashSplit("tailnum", validation=share, test=0.2), PLANES) for share in (0.1, 0.3))
    assert [name == "test" for name in some] == [name == "test" for name in more]
    assert {two for one, two in zip(some, more, strict=True) if one == "validation"} == {"validation"}


def test_another_seed_deals_anew() -> None:
    assert names(HashSplit("tailnum", test=0.2, seed=1), PLANES) != names(HashSplit("tailnum", test=0.2, seed=2), PLANES)


def test_a_key_of_several_columns_is_not_their_joined_text() -> None:
    labels = pa.table({"a": ["x", "xy"] * 50, "b": [f"y{n}" for n in range(100)]})
    swapped = pa.table({"a": [f"{a}{b}" for a, b in zip(*(labels[name].to_pylist() for name in "ab"), strict=True)], "b": [""] * 100})
    assert names(HashSplit(["a", "b"], test=0.5), labels) != names(HashSplit(["a", "b"], test=0.5), swapped)


@pytest.mark.parametrize("split", [HashSplit("id", test=0.5), GroupSplit("id", test=0.5)])
@pytest.mark.parametrize("lacking", [[1.0, None, float("nan")], ["a", None, None]])
def test_a_row_without_a_key_cannot_be_placed(split: Split, lacking: list[Any]) -> None:
    with pytest.raises(LabelsError, match=r"2 of 3 label rows have no value in 'id'.*Fill them, drop these rows"):
        names(split, column(lacking))


@pytest.mark.parametrize("split", [HashSplit("tailnumber", test=0.5), GroupSplit("tailnumber", test=0.5), ColumnSplit("tailnumber")])
def test_a_column_that_labels_lack_comes_with_the_nearest_name(split: Split) -> None:
    with pytest.raises(FeatureNotFoundError, match=r"No column 'tailnumber' in the labels\. Did you mean 'tailnum'"):
        names(split, PLANES)


def test_a_list_cannot_tell_rows_apart() -> None:
    with pytest.raises(InvalidDefinitionError, match=r"Column 'id' holds list<.*text, numbers"):
        names(HashSplit("id", test=0.5), column([[1], [2]]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_groups_are_never_parted_and_shares_are_met(seed: int) -> None:
    split = GroupSplit("manufacturer", validation=0.1, test=0.2, seed=seed)
    found = names(split, PLANES)
    sides = {(maker, name) for maker, name in zip(PLANES["manufacturer"].to_pylist(), found, strict=True)}
    assert len(sides) == len(set(PLANES["manufacturer"].to_pylist()))
    assert shares(split, PLANES) == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.01)


@pytest.mark.parametrize("split", [GroupSplit, HashSplit])
def test_zero_and_minus_zero_are_one_group(split: Any) -> None:
    for seed in range(20):
        found = names(split("id", test=0.4, seed=seed), column([0.0, -0.0, 1.0, -0.0, 2.0]))
        assert found[0] == found[1] == found[3]


def test_a_group_split_does_not_depend_on_the_order_of_rows() -> None:
    split, order = GroupSplit("tailnum", validation=0.1, test=0.2), np.random.default_rng(0).permutation(PLANES.num_rows)
    whole = np.array(names(split, PLANES))
    assert names(split, PLANES.take(order)) == whole[order].tolist()


def test_a_group_that_is_too_large_is_trained_on() -> None:
    labels = column(["large"] * 90 + ["small"] * 10)
    assert shares(GroupSplit("id", test=0.1), labels) == {"train": 0.9, "test": 0.1}


def test_the_smallest_group_left_is_taken_where_that_comes_nearer() -> None:
    labels = column(["a"] * 40 + ["b"] * 35 + ["c"] * 25)
    assert shares(GroupSplit("id", test=0.2), labels) == {"train": 0.75, "test": 0.25}


def test_a_group_split_that_cannot_be_filled_says_how_large_the_groups_are() -> None:
    labels = column(["a"] * 60 + ["b"] * 40)
    assert GroupSplit("id", test=0.1).advice(np.zeros(100, dtype=np.int64), labels).startswith("The 2 groups of id have 40 to 60 of 100 rows each")


@pytest.mark.parametrize("make", [HashSplit, GroupSplit])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test": 0.0}, "take some"),
        ({"test": 1.0}, "less than 1"),
        ({"test": "0.2"}, "The test share is '0.2'; it has to be a number"),
        ({"validation": 0.6, "test": 0.4}, "leave some to train on"),
        ({"test": 0.2, "seed": "x"}, "The seed of a split is a whole number"),
    ],
)
def test_shares_and_seeds_that_make_no_sense_are_refused(make: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        make("id", **arguments)


@pytest.mark.parametrize(("make", "what"), [(HashSplit, "key"), (GroupSplit, "by")])
def test_a_split_by_no_column_is_refused(make: Any, what: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=f"`{what}` of a split names no column"):
        make([], test=0.2)


def test_a_column_may_hold_the_names_of_splits() -> None:
    labels = column(["train", "test", "validation", "train"])
    assert names(ColumnSplit("id"), labels) == ["train", "test", "validation", "train"]


def test_values_make_splits_whatever_their_type() -> None:
    split = ColumnSplit("id", train=[2011, 2012], test="2013")
    assert (names(split, column([2011, 2013, 2012])), split.names) == (["train", "test", "train"], ("train", "test"))
    assert names(ColumnSplit("id", train=False, test=True), column([True, False])) == ["test", "train"]
    assert names(ColumnSplit("id", train=0.5, test=1.0), column([1, 0.5])) == ["test", "train"]


@pytest.mark.parametrize(("values", "shown"), [(["train", "tset"], "'tset'"), (["train", None], "None")])
def test_a_value_that_makes_no_split_is_an_error(values: list[Any], shown: str) -> None:
    with pytest.raises(LabelsError, match=rf"values that make no split: {shown}\. It makes train of 'train'.*rest='train'"):
        names(ColumnSplit("id"), column(values))


def test_the_values_of_an_array_are_plain_in_a_receipt() -> None:
    split = ColumnSplit("id", train=np.arange(2), test=np.int64(2))
    assert json.dumps(split.to_json()["train"]) == "[0, 1]"
    assert names(split, column([0, 1, 2])) == ["train", "train", "test"]


def test_the_rest_goes_where_it_is_told_to() -> None:
    assert names(ColumnSplit("id", test="b", rest="embargo"), column(["train", "b", "c", None])) == ["train", "test", "embargo", "embargo"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": [1, 2], "test": 2.0}, "The value '2' of 'id' makes train and test"),
        ({"rest": "tests"}, "rest='tests' is no split. Did you mean 'test'"),
        ({"test": float("nan")}, "A value of a ColumnSplit is nan; give text, finite numbers or booleans"),
        ({"test": [None]}, "A value of a ColumnSplit is None"),
        ({"test": date(2013, 1, 31)}, "a date is text, as '2013-01-31'"),
    ],
)
def test_a_column_split_that_contradicts_itself_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        ColumnSplit("id", **arguments)
