from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import treering as tr
from support.airports import FLIGHTS, FRAME, LABELS, store_with_weather
from treering.errors import BadRowsError, FeatureGroupNotFoundError, FeatureNotFoundError, InvalidDefinitionError

LOOKUP = tr.Lookup("weather", on="origin", features=["temp"])
RECORDS = tr.Records(FRAME, event_time="observed_at", available_after="1h")


def test_frames_and_files_answer_as_a_store_does(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path / "store")
    FRAME.to_parquet(tmp_path / "weather.parquet")
    stored = store.lookup(LABELS, [LOOKUP]).to_arrow()
    for source in (FRAME, tmp_path / "weather.parquet"):
        records = tr.Records(source, event_time="observed_at", available_after="1h")
        assert tr.lookup(LABELS, [LOOKUP], {"weather": records}).to_arrow().equals(stored)


def test_the_only_time_column_is_the_event_time() -> None:
    assert tr.lookup(LABELS, [LOOKUP], {"weather": FRAME}).to_arrow()["temp"].to_pylist() == [3.0, 4.0, None]


@pytest.mark.parametrize("columns", [["origin", "temp"], ["origin", "temp", "observed_at", "published_at"]])
def test_a_frame_whose_event_time_is_not_clear_is_refused(columns: list[str]) -> None:
    frame = FRAME.assign(published_at=FRAME["observed_at"])[columns]
    with pytest.raises(InvalidDefinitionError, match=r"tr\.Records\(\.\.\., event_time=\.\.\.\)"):
        tr.lookup(LABELS, [LOOKUP], {"weather": frame})


def test_a_static_source_says_so() -> None:
    planes = tr.Records(pd.DataFrame({"origin": ["EWR"], "runways": [3]}), event_time=tr.STATIC)
    result = tr.lookup(LABELS, [tr.Lookup("airports", on="origin")], {"airports": planes})
    assert result.to_arrow()["runways"].to_pylist() == [3, None, None]


def test_the_entity_may_have_another_name_than_the_labels_column() -> None:
    labels = tr.Labels(FLIGHTS.rename(columns={"origin": "from_airport"}), time="departs")
    records = tr.Records(FRAME, event_time="observed_at", entity="origin")
    assert tr.lookup(labels, [tr.Lookup("weather", on="from_airport", features=["temp"])], {"weather": records}).counts[0].matched == 2


@pytest.mark.parametrize(
    ("lookup", "error", "message"),
    [
        (tr.Lookup("wether", on="origin"), FeatureGroupNotFoundError, "Did you mean 'weather'"),
        (tr.Lookup("weather", on="origin", as_of=1), InvalidDefinitionError, "needs a store"),
    ],
)
def test_what_only_a_store_could_answer_is_refused(lookup: tr.Lookup, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tr.lookup(LABELS, [lookup], {"weather": RECORDS})


def test_a_feature_mistyped_is_told_from_all_columns_of_the_source() -> None:
    with pytest.raises(FeatureNotFoundError, match=r"No column 'tmp' in source 'weather'\. Did you mean 'temp'\?"):
        tr.lookup(LABELS, [tr.Lookup("weather", on="origin", features=["tmp"])], {"weather": RECORDS})


def test_a_key_of_another_name_is_asked_for() -> None:
    labels = tr.Labels(FLIGHTS.rename(columns={"origin": "from_airport"}), time="departs")
    with pytest.raises(InvalidDefinitionError, match=r"It has no 'from_airport', which the labels call their key\. Say so with tr\.Records\(\.\.\., entity="):
        tr.lookup(labels, [tr.Lookup("weather", on="from_airport")], {"weather": RECORDS})


def test_rows_that_no_group_could_take_are_named() -> None:
    frame = pd.concat([FRAME, FRAME.iloc[[0]].assign(origin=None)])
    with pytest.raises(BadRowsError, match=r"1 of 5 rows of pandas frame(.|\n)*row 4: null identifier"):
        tr.lookup(LABELS, [LOOKUP], {"weather": tr.Records(frame, event_time="observed_at")})


def test_one_group_is_looked_up_twice_under_prefixes() -> None:
    labels = tr.Labels(FLIGHTS.assign(dest=["JFK", "EWR", "EWR"]), time="departs")
    lookups = [tr.Lookup("weather", on=column, features=["temp"], prefix=f"{column}_") for column in ("origin", "dest")]
    result = tr.lookup(labels, lookups, {"weather": RECORDS})
    assert result.features == ("origin_temp", "dest_temp")
    assert result.to_pandas()["dest_temp"].fillna(-1).tolist() == [4.0, -1, 2.0]


def test_a_result_is_given_in_batches_that_add_up() -> None:
    result = tr.lookup(LABELS, [LOOKUP], {"weather": RECORDS})
    rows: list[dict[str, Any]] = [row for batch in result.batches(rows=1) for row in batch.to_pylist()]
    assert rows == result.to_arrow().to_pylist() == result.to_polars().to_arrow().to_pylist()
    assert (len(result), repr(result).splitlines()[0]) == (3, "3 rows x 5 columns")
