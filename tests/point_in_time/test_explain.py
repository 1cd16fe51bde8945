import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treering as tr
from support.airports import FRAME, LABELS, store_with_weather
from treering.errors import FeatureNotFoundError

LOOKUP = tr.Lookup("weather", on="origin", features=["temp", "sky"], with_age=True)

PRINTED = """\
temp of label row 0

  label    origin = 'EWR' at 2013-01-01 12:30Z
  cell     2
  because  a record answers; it happened 1h 30min before the label and was known 30min before
  from     weather.csv, line 3, ingested with token 'first' (commit 1, ingestion {ingestion})

     event time         known  written           temp  verdict
  ·  2013-01-01 12:00Z  +1h    2023-11-14 22:13  3     known 30min too late
  ✓  2013-01-01 11:00Z  +1h    2023-11-14 22:13  2     the answer: latest known by then
  ·  2013-01-01 10:00Z  +1h    2023-11-14 22:13  1     older by 1h"""


def test_a_cell_is_traced_to_the_line_of_the_file_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = store_with_weather(tmp_path / "other")
    store = tr.Store(tmp_path / "store", clock=store._shelf.clock)
    FRAME.to_csv(tmp_path / "weather.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    group = store.feature_groups.create("weather", entity="origin", event_time="observed_at", schema=tr.Schema.of(FRAME), available_after="1h")
    monkeypatch.chdir(tmp_path)
    report = group.ingest("weather.csv", token="first")
    explanation = store.lookup(LABELS, [LOOKUP]).explain(0, "temp")
    assert str(explanation) == PRINTED.format(ingestion=report.ingestion)


def test_an_explanation_is_data_too(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    explanation = store.lookup(LABELS, [LOOKUP]).explain(0, "sky")
    assert (explanation.value, explanation.outcome, [one.is_answer for one in explanation.candidates]) == ("rain", "matched", [False, True, False])
    assert json.loads(json.dumps(explanation.to_json(), default=str))["candidates"][1]["commit"] == 1


@pytest.mark.parametrize(("row", "reason"), [(1, "none was known by then"), (2, "has no record of this key")])
def test_an_empty_cell_is_explained_as_well(tmp_path: Path, row: int, reason: str) -> None:
    store, _ = store_with_weather(tmp_path)
    explanation = store.lookup(LABELS, [LOOKUP]).explain(row, "temp")
    assert explanation.value is None
    assert reason in str(explanation)


def test_the_age_and_the_event_time_of_an_answer_are_explained_as_what_they_are(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    result = store.lookup(LABELS, [tr.Lookup("weather", on="origin", features=["temp"], with_age=True, with_event_time=True)])
    age, event_time = (result.explain(0, f"weather_{name}") for name in ("age_seconds", "event_time"))
    assert (age.value, age.feature) == (5400.0, None)
    assert event_time.value == FRAME["observed_at"][1]
    assert "older by 1h" in str(age)


def test_a_static_record_is_shown_as_static(tmp_path: Path) -> None:
    planes = tr.Records(pd.DataFrame({"origin": ["EWR"], "runways": [3]}), event_time=tr.STATIC)
    printed = str(tr.lookup(LABELS, tr.Lookup("airports", on="origin"), {"airports": planes}).explain(0, "runways"))
    assert "✓  static      always" in printed
    assert "0001" not in printed


def test_a_deletion_a_correction_and_an_age_limit_are_named_as_reasons(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    group.ingest(FRAME.iloc[[1]].assign(temp=99.0))
    expired = store.lookup(LABELS, [tr.Lookup("weather", on="origin", max_age="75min")]).explain(0, "temp")
    assert "older than max_age (1h 15min)" in expired.reason
    assert any(one.value == 99.0 and "known 3969d" in one.verdict for one in expired.candidates)
    group.delete(["EWR"], "2013-01-01T12:15Z", available_at="2013-01-01T12:15Z")
    deleted = store.lookup(LABELS, [LOOKUP]).explain(0, "temp")
    assert "is a deletion" in deleted.reason
    assert deleted.value is None


def test_records_of_later_commits_do_not_exist_for_an_older_one(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    group.ingest(FRAME.iloc[[1]].assign(observed_at=pd.to_datetime(["2013-01-01T11:15Z"])))
    counts = [len(store.lookup(LABELS, [tr.Lookup("weather", on="origin", as_of=commit)]).explain(0, "temp").candidates) for commit in (1, 2)]
    assert counts == [3, 4]


def test_only_the_neighbours_of_the_answer_are_printed(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    hours = pd.date_range("2013-01-02", periods=100, freq="h", tz="UTC").astype("datetime64[us, UTC]")
    group.ingest(pd.DataFrame({"origin": "EWR", "observed_at": hours, "temp": range(100), "sky": "clear"}).astype({"temp": float}))
    labels = tr.Labels(pd.DataFrame({"origin": ["EWR"], "at": pd.to_datetime(["2013-01-04T00:00Z"])}), time="at")
    printed = str(store.lookup(labels, [LOOKUP]).explain(0, "temp"))
    assert "↑ 48 later records of EWR" in printed
    assert "↓ 47 earlier records of EWR" in printed
    assert printed.count("\n") < 20


@pytest.mark.parametrize(("row", "column", "error"), [(3, "temp", IndexError), (-1, "temp", IndexError), (0, "flight", FeatureNotFoundError)])
def test_a_cell_that_was_not_looked_up_cannot_be_explained(tmp_path: Path, row: int, column: str, error: type[Exception]) -> None:
    store, _ = store_with_weather(tmp_path)
    with pytest.raises(error):
        store.lookup(LABELS, [LOOKUP]).explain(row, column)


TIMES = st.sampled_from(pd.date_range("2013-01-01", periods=6, freq="h", tz="UTC").astype("datetime64[us, UTC]").tolist())
RECORDS = st.lists(st.tuples(st.sampled_from("ab"), TIMES, TIMES, st.integers(0, 9)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.lists(st.tuples(st.sampled_from("abc"), TIMES), min_size=1, max_size=4))
def test_an_explanation_never_disagrees_with_the_cell(records: list[tuple[object, ...]], labels: list[tuple[object, ...]]) -> None:
    kinds = {"k": "object", "at": "datetime64[us, UTC]", "seen": "datetime64[us, UTC]", "v": "int64"}
    frame = pd.DataFrame(records, columns=list(kinds)).astype(kinds)
    rows = pd.DataFrame(labels, columns=["k", "t"]).astype({"t": "datetime64[us, UTC]"})
    schema = tr.Schema((tr.Feature("k", "String"), tr.Feature("at", "Timestamp"), tr.Feature("seen", "Timestamp"), tr.Feature("v", "Integral")))
    source = tr.Records(frame, event_time="at", available_at="seen", schema=schema)
    result = tr.lookup(tr.Labels(rows, time="t"), [tr.Lookup("g", on="k", features=["v"])], {"g": source})
    for row, value in enumerate(result.to_arrow()["v"].to_pylist()):
        explanation = result.explain(row, "v")
        assert explanation.value == value
        assert sum(one.is_answer for one in explanation.candidates) == (explanation.outcome == "matched")
        if explanation.outcome == "matched":
            assert next(one.value for one in explanation.candidates if one.is_answer) == value
