import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import treering as tr
from support.airports import FRAME, LABELS, store_with_weather
from treering.errors import (
    FeatureGroupNotFoundError,
    FeatureNotFoundError,
    InvalidDefinitionError,
    InvalidNameError,
    KeyTypeError,
    RelocatedTableError,
    UnknownArgumentError,
)
from treering.feature_groups.group_documents import GroupDocuments

AGAIN = FRAME.iloc[[1]].assign(temp=99.0)


def test_of_two_records_of_one_moment_the_later_one_counts_and_both_stay_readable(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    group.ingest(AGAIN)
    assert group.to_pandas(identifiers=["EWR"])["temp"].tolist() == [1.0, 99.0, 3.0]
    assert group.to_pandas(identifiers=["EWR"], include_duplicates=True)["temp"].tolist() == [1.0, 2.0, 99.0, 3.0]


def test_a_deletion_leaves_what_was_before_it(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    group.delete(["EWR"], "2013-01-01T12:30Z")
    assert group.to_pandas(identifiers=["EWR"])["temp"].tolist() == [1.0, 2.0, 3.0]
    assert group.latest()["origin"].to_pylist() == ["JFK"]
    assert group.history("EWR")["is_deleted"].to_pylist() == [False, False, False, True]


def test_the_group_is_read_as_it_was(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    between = group.commits()[0].committed_at
    group.ingest(AGAIN)
    moment = pd.Timestamp(between, unit="us", tz="UTC").to_pydatetime()
    assert group.to_pandas(as_of=1).equals(group.to_pandas(as_of=moment))
    assert group.to_pandas(as_of=1)["temp"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert group.to_pandas(as_of=0).empty


def test_a_commit_that_does_not_exist_yet_is_refused(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    with pytest.raises(InvalidDefinitionError, match="no commit 2 yet: its newest is 1"):
        group.to_arrow(as_of=2)


def test_a_range_of_event_times_includes_its_start_and_not_its_end(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    assert group.to_pandas(between=("2013-01-01T10:00Z", "2013-01-01T12:00Z"))["temp"].tolist() == [1.0, 2.0, 4.0]
    assert group.to_pandas(between=("2013-01-01T12:00Z", None))["temp"].tolist() == [3.0]


def test_columns_come_in_the_order_asked_for(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    assert group.to_arrow(columns=["temp", "write_time", "origin"]).column_names == ["temp", "write_time", "origin"]
    with pytest.raises(FeatureNotFoundError, match="Did you mean 'temp'"):
        group.to_arrow(columns=["tmp"])


def test_every_form_of_reading_gives_the_same_rows(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    table = group.to_arrow()
    assert group.to_polars().to_arrow().to_pylist() == table.to_pylist()
    assert [row for batch in group.batches() for row in batch.to_pylist()] == table.to_pylist()
    assert group.to_pandas()["temp"].tolist() == table["temp"].to_pylist()


def test_reading_in_small_chunks_changes_nothing(tmp_path: Path) -> None:
    tables = []
    for sort_bytes in (1, 1_000_000):
        _, group = store_with_weather(tmp_path / str(sort_bytes), settings=tr.Settings(sort_bytes=sort_bytes))
        group.ingest(AGAIN)
        group.ingest(FRAME.assign(observed_at=FRAME["observed_at"] + pd.Timedelta(days=1)))
        tables.append(group.to_arrow())
    assert tables[0].equals(tables[1])


WRONG_IDENTIFIERS = {
    "a text": ("EWR", r"a list, such as \['EWR'\]"),
    "a text by column": ({"origin": "EWR"}, r"a list, such as \['EWR'\]"),
    "a number": (5, r"a list, such as \[5\]"),
    "another column": ({"dest": ["EWR"]}, "are identified by origin; these identifiers name dest"),
    "another type": ([5], "'origin' holds text"),
}


@pytest.mark.parametrize(("identifiers", "message"), WRONG_IDENTIFIERS.values(), ids=WRONG_IDENTIFIERS)
def test_identifiers_that_could_mean_something_else_neither_read_nor_delete(tmp_path: Path, identifiers: Any, message: str) -> None:
    _, group = store_with_weather(tmp_path)
    with pytest.raises(KeyTypeError, match=message):
        group.to_arrow(identifiers=identifiers)
    with pytest.raises(KeyTypeError, match=message):
        group.delete(identifiers, "2013-01-01T13:00Z")
    assert len(group.commits()) == 1


@pytest.mark.parametrize("identifiers", [["EWR"], ("EWR",), {"origin": ["EWR"]}, pd.Series(["EWR"]), pd.DataFrame({"origin": ["EWR"], "other": [1]})])
def test_identifiers_are_given_as_lists_or_frames(tmp_path: Path, identifiers: Any) -> None:
    _, group = store_with_weather(tmp_path)
    group.delete(identifiers, "2013-01-01T13:00Z")
    assert group.latest(identifiers=identifiers).num_rows == 0
    assert group.latest()["origin"].to_pylist() == ["JFK"]


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda group: group.to_pandas(asof=0), "Did you mean 'as_of'"),
        (lambda group: group.latest(identifier=["EWR"]), "Did you mean 'identifiers'"),
        (lambda group: group.latest(include_duplicates=True), "one record of every identifier"),
        (lambda group: group.history("EWR", identifiers=["JFK"]), "takes no 'identifiers'"),
        (lambda group: group.to_arrow(columns="temp"), r"columns=\['temp'\]"),
        (lambda group: group.to_arrow(between="2013-01-01T00:00Z"), "a pair of times"),
        (lambda group: group.to_arrow(as_of=-1), "Commits count from 1"),
    ],
)
def test_an_argument_that_would_be_passed_over_is_refused(tmp_path: Path, read: Callable[[Any], Any], message: str) -> None:
    _, group = store_with_weather(tmp_path)
    with pytest.raises((UnknownArgumentError, InvalidDefinitionError), match=message):
        read(group)


def test_a_group_whose_features_were_added_by_half_still_reads(tmp_path: Path) -> None:
    store_with_weather(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    store = tr.Store(tmp_path / "there")
    with pytest.raises(RelocatedTableError):
        store.feature_groups["weather"].add_features([tr.Feature("wind", tr.FeatureType.FRACTIONAL)])
    assert "wind" not in store.feature_groups["weather"].schema
    half = GroupDocuments(store._shelf.documents)
    state = half.get("weather")
    half.change(state, lambda state: replace(state, definition=state.definition.adding([tr.Feature("wind", tr.FeatureType.FRACTIONAL)])))
    assert store.lookup(LABELS, tr.Lookup("weather", on="origin", features=["wind"])).to_arrow()["wind"].to_pylist() == [None] * 3


def test_what_two_handles_change_is_kept_of_both(tmp_path: Path) -> None:
    store, one = store_with_weather(tmp_path)
    other = store.feature_groups["weather"]
    one.add_features(tr.Feature("wind", tr.FeatureType.FRACTIONAL))
    other.add_features(tr.Feature("rain", tr.FeatureType.FRACTIONAL))
    store.feature_groups.describe("weather", owner="Ann")
    assert [name for name in ("wind", "rain") if other.records(as_of=1).lacks(name)] == ["wind", "rain"]
    assert store.feature_groups["weather"].schema.names[-2:] == ("wind", "rain")


@pytest.mark.parametrize("again", [False, True])
def test_nothing_is_acknowledged_that_goes_into_a_dropped_group(tmp_path: Path, again: bool) -> None:
    store, group = store_with_weather(tmp_path)
    store.feature_groups.drop("weather", confirm="weather")
    if again:
        store.feature_groups.create("weather", entity="origin", event_time="observed_at", schema=tr.Schema.of(FRAME))
    for write in (lambda: group.ingest(FRAME), lambda: group.delete(["EWR"], "2013-01-01T13:00Z")):
        with pytest.raises(FeatureGroupNotFoundError, match="was dropped after you got it"):
            write()


def test_a_composite_entity_is_read_by_columns(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    frame = pd.DataFrame({"a": ["x", "x", "y"], "b": [1, 2, 1], "at": pd.to_datetime(["2020-01-01T00:00Z"] * 3), "v": [1, 2, 3]})
    group = store.feature_groups.create("pairs", entity=["a", "b"], event_time="at", schema=tr.Schema.of(frame))
    group.ingest(frame)
    assert group.to_pandas(identifiers={"a": ["x", "y"], "b": [2, 2]})["v"].tolist() == [2]
    assert group.history({"a": "y", "b": 1})["v"].to_pylist() == [3]


def test_a_static_group_keeps_the_latest_record_of_each_identifier(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    planes = pd.DataFrame({"tailnum": ["N1", "N2"], "seats": [100, 200]})
    group = store.feature_groups.create("planes", entity="tailnum", event_time=tr.STATIC, schema=tr.Schema.of(planes))
    group.ingest(planes)
    group.ingest(planes.iloc[[0]].assign(seats=120))
    assert group.to_pandas()["seats"].tolist() == [120, 200]


def test_added_features_are_null_in_old_rows_and_kept_in_new_ones(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    group.add_features([tr.Feature("wind", tr.FeatureType.FRACTIONAL)])
    store.feature_groups["weather"].ingest(AGAIN.assign(wind=7.0))
    assert store.feature_groups["weather"].to_pandas(identifiers=["EWR"])["wind"].fillna(-1).tolist() == [-1, 7.0, -1]


def test_a_feature_is_never_retyped_or_added_twice(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    with pytest.raises(InvalidNameError, match="appears twice"):
        group.add_features([tr.Feature("temp", tr.FeatureType.STRING)])
    assert group.schema["temp"].type is tr.FeatureType.FRACTIONAL


def test_a_lookup_as_of_an_older_commit_counts_features_that_did_not_exist_yet(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    group.add_features([tr.Feature("wind", tr.FeatureType.FRACTIONAL)])
    group.ingest(AGAIN.assign(wind=7.0), rewrites_history=True)
    old, new = (store.lookup(LABELS, [tr.Lookup("weather", on="origin", features=["wind"], as_of=commit)]) for commit in (1, 2))
    assert old.counts[0].before_feature_existed == {"wind": 1}
    assert (old.to_arrow()["wind"][0].as_py(), new.to_arrow()["wind"][0].as_py()) == (None, 7.0)
    assert "was added after commit 1" in str(old.explain(0, "wind"))


def test_a_feature_added_after_the_commit_asked_for_did_not_exist_even_if_that_is_the_newest(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    group.add_features([tr.Feature("wind", tr.FeatureType.FRACTIONAL)])
    existed = [store.lookup(LABELS, [tr.Lookup("weather", on="origin", as_of=commit)]).counts[0].before_feature_existed for commit in (None, 1)]
    assert existed == [{}, {"wind": 1}]


def test_all_six_types_come_back_as_they_went_in(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    schema = tr.Schema(
        (
            tr.Feature("id", "Integral"),
            tr.Feature("at", "Timestamp"),
            tr.Feature("is_new", "Boolean"),
            tr.Feature("name", "String"),
            tr.Feature("share", "Fractional"),
            tr.Feature("seen", "Timestamp"),
            tr.Feature("embedding", "Vector", 2),
        )
    )
    group = store.feature_groups.create("all", entity="id", event_time="at", schema=schema)
    times = pd.to_datetime(["2020-01-01T00:00Z", "2020-01-02T00:00Z"])
    frame = pd.DataFrame(
        {"id": [1, 2], "at": times, "is_new": [True, None], "name": ["é", None], "share": [0.1, None], "seen": times, "embedding": [[1.0, 0.5], None]}
    )
    group.ingest(frame)
    rows = group.to_arrow().to_pylist()
    assert [rows[0][name] for name in ("is_new", "name", "share", "embedding")] == [True, "é", 0.1, [1.0, 0.5]]
    assert [rows[1][name] for name in ("is_new", "name", "share", "embedding")] == [None] * 4
