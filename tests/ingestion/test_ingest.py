"""An ingestion as a whole: all or nothing, what its report says, and what becomes of bad rows."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treering as tr
from support.ticking import Ticking
from support.weather import HOUR, START, all_records, create_weather, in_batches_of_one, records, rows
from treering.errors import BadRowsError, InvalidDefinitionError, ReadOnlyStoreError, SchemaMismatchError, SourceError, StorageError
from treering.feature_groups.feature_group import FeatureGroup
from treering.ingestion.report import IngestionReport

GOOD = "origin,observed_at,temperature\nEWR,2023-11-14T23:13:20Z,1.0\n"
MIXED = GOOD + "JFK,2023-11-14T23:13:20Z,warm\n,2023-11-14T23:13:20Z,3\nLGA,2023-11-14T23:13:20Z,4.0\nORD,2023-11-14T23:13:20Z\n"


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    return create_weather(tr.Store(tmp_path / "store", clock=Ticking(START + 48 * HOUR)).feature_groups)


def csv(folder: Path, text: str, name: str = "weather.csv") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def files_of(group: FeatureGroup) -> set[str]:
    folder = Path(group._shelf.objects.root)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_report_says_what_was_done(group: FeatureGroup, tmp_path: Path):
    path = csv(tmp_path, GOOD + "JFK,2023-11-15T02:13:20Z,2.0\n")
    report = group.ingest(path)
    assert (report.group, report.commit, report.rows, report.source) == ("weather", 1, 2, str(path))
    assert (report.first_event_time, report.last_event_time) == (START + HOUR, START + 4 * HOUR)
    assert (report.rejected, report.rejected_lines, report.notes, report.token, report.reused, report.quarantine) == ({}, (), (), None, False, None)
    assert report.ingestion == group.commits()[0].ingestion
    assert report.bytes_written == sum(path.stat().st_size for path in tmp_path.rglob("data/*.parquet"))
    assert report.digest.startswith("sha256:")
    assert report.seconds > 0
    assert report.rows_per_second == pytest.approx(2 / report.seconds)


def test_a_report_outlives_json(group: FeatureGroup):
    report = group.ingest(rows(("EWR", 1, 1.0), (None, 1, 1.0)), on_bad_rows="quarantine")
    assert IngestionReport.from_json(report.to_json() | {"of a newer version": 1}) == report


def test_a_report_reads_like_a_report(group: FeatureGroup, tmp_path: Path):
    text = str(group.ingest(csv(tmp_path, MIXED), on_bad_rows="quarantine"))
    assert "2 rows of " in text
    assert "event times    2023-11-14 23:13:20Z to 2023-11-14 23:13:20Z" in text
    assert "quarantined    1 rows: not a Fractional" in text
    assert "line 3: not a Fractional (temperature: 'warm')" in text


@pytest.mark.parametrize("source", [rows(), rows().to_pandas(), "origin,observed_at,temperature\n"], ids=["Arrow", "pandas", "CSV"])
def test_no_rows_are_a_valid_ingestion(group: FeatureGroup, tmp_path: Path, source: Any):
    report = group.ingest(csv(tmp_path, source) if isinstance(source, str) else source)
    assert (report.rows, report.commit, report.bytes_written) == (0, 1, 0)
    assert (report.first_event_time, report.last_event_time) == (None, None)
    assert all_records(group) == []


def test_records_say_where_they_come_from(group: FeatureGroup, tmp_path: Path):
    report = group.ingest(csv(tmp_path, GOOD + "\nJFK,2023-11-14T23:13:20Z,2.0\n"))
    table = group.to_arrow(include_duplicates=True)
    assert table["_row"].to_pylist() == [2, 4]
    assert set(table["_ingestion"].to_pylist()) == {report.ingestion}
    assert set(table["_commit"].to_pylist()) == {1}
    assert table["is_deleted"].to_pylist() == [False, False]


def test_the_order_and_number_of_batches_change_nothing(tmp_path: Path):
    table = rows(*((f"A{number * 7 % 5}", number * 3 % 11, float(number)) for number in range(40)))
    found = []
    for name, given, settings in (("one", table, tr.Settings()), ("many", in_batches_of_one(table), tr.Settings(sort_bytes=1, run_rows=5))):
        group = create_weather(tr.Store(tmp_path / name, settings=settings).feature_groups)
        group.ingest(given)
        found.append((records(group), all_records(group)))
    assert found[0] == found[1]
    assert len(list((tmp_path / "many").rglob("data/*.parquet"))) > 1


def test_sorting_leaves_no_temporary_files(tmp_path: Path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    settings = tr.Settings(sort_bytes=1, temporary_folder=str(temporary))
    group = create_weather(tr.Store(tmp_path / "store", settings=settings).feature_groups)
    group.ingest(in_batches_of_one(rows(("EWR", 1, 1.0), ("JFK", 1, 2.0))))
    with pytest.raises(BadRowsError):
        group.ingest(in_batches_of_one(rows(("EWR", 1, 1.0), ("JFK", 1, 2.0), (None, 1, 2.0))))
    assert list(temporary.iterdir()) == []


def test_nan_becomes_null_and_infinity_is_kept_and_both_are_noted(group: FeatureGroup):
    frame = pd.DataFrame(
        {"origin": ["A", "B", "C"], "observed_at": pd.to_datetime(["2023-11-14T23:13:20Z"] * 3), "temperature": [float("nan"), float("inf"), 1]}
    )
    report = group.ingest(frame)
    assert report.notes == ("1 NaN became null", "1 infinite values were kept")
    assert [value for *_, value in records(group)] == [None, float("inf"), 1.0]


def test_missing_columns_are_null_if_that_is_allowed(group: FeatureGroup):
    group.ingest(rows(("EWR", 1, 1.0)).drop_columns(["temperature"]), allow_missing=["temperature"])
    assert records(group) == [("EWR", 1.0, None)]


def test_bad_rows_go_to_quarantine_and_good_ones_land(group: FeatureGroup, tmp_path: Path):
    report = group.ingest(csv(tmp_path, MIXED), on_bad_rows="quarantine")
    assert [origin for origin, *_ in records(group)] == ["EWR", "LGA"]
    assert report.rows == 2
    assert report.rejected == {"not a Fractional": 1, "null identifier": 1, "too few fields": 1}
    assert report.rejected_lines == (
        "line 3: not a Fractional (temperature: 'warm')",
        "line 4: null identifier (origin)",
        "line 6: too few fields ('ORD,2023-11-14T23:13:20Z')",
    )


def test_the_quarantine_keeps_every_bad_row_with_its_place_and_reason(group: FeatureGroup, tmp_path: Path):
    path = csv(tmp_path, MIXED + ",2023-11-14T23:13:20Z,9\n" * 20)
    report = group.ingest(path, on_bad_rows="quarantine")
    assert report.quarantine is not None
    kept = pq.read_table(tmp_path / "store" / report.quarantine)
    assert kept.num_rows == sum(report.rejected.values()) == 23
    assert kept.slice(0, 2).to_pylist() == [
        {"source": f"{path}, line 3", "position": 3, "reason": "not a Fractional", "column": "temperature", "text": "warm"},
        {"source": f"{path}, line 4", "position": 4, "reason": "null identifier", "column": "origin", "text": ""},
    ]
    assert len(report.rejected_lines) == 10


def test_a_source_of_bad_rows_alone_is_an_ingestion_of_no_rows(group: FeatureGroup):
    report = group.ingest(rows((None, 1, 1.0)), on_bad_rows="quarantine")
    assert (report.rows, report.rejected) == (0, {"null identifier": 1})


def test_without_bad_rows_there_is_no_quarantine(group: FeatureGroup):
    report = group.ingest(rows(("EWR", 1, 1.0)), on_bad_rows="quarantine")
    assert report.quarantine is None
    assert not any("quarantine" in name for name in files_of(group))


ERRORS: list[tuple[type[Exception], Any, dict[str, Any]]] = [
    (BadRowsError, in_batches_of_one(rows(*((f"A{number}", 1, 1.0) for number in range(20)), (None, 1, 1.0))), {}),
    (SchemaMismatchError, rows(("EWR", 1, 1.0)).drop_columns(["temperature"]), {}),
    (SchemaMismatchError, rows(("EWR", 1, 1.0)).append_column("wind", pa.array([1.0])), {}),
    (SourceError, "no/such/file.csv", {}),
    (SourceError, 7, {}),
    (InvalidDefinitionError, rows(("EWR", 1, 1.0)), {"on_bad_rows": "ignore"}),
]


@pytest.mark.parametrize(("error", "source", "options"), ERRORS, ids=[f"{error.__name__}-{number}" for number, (error, *_) in enumerate(ERRORS)])
def test_after_an_error_nothing_is_visible_and_nothing_was_committed(group: FeatureGroup, error: type[Exception], source: Any, options: dict[str, Any]):
    group.ingest(rows(("EWR", 1, 1.0)))
    before = files_of(group)
    with pytest.raises(error):
        group.ingest(source, **options)
    assert files_of(group) == before
    assert len(group.commits()) == 1
    assert records(group) == [("EWR", 1.0, 1.0)]


def test_a_reader_that_fails_half_way_leaves_nothing(group: FeatureGroup):
    def batches() -> Any:
        yield from in_batches_of_one(rows(("EWR", 1, 1.0), ("JFK", 1, 1.0))).to_batches()
        raise StorageError("the source went away")

    reader = pa.RecordBatchReader.from_batches(rows().schema, batches())
    with pytest.raises(StorageError, match="went away"):
        group.ingest(reader, on_bad_rows="quarantine")
    assert group.commits() == []


def test_a_store_opened_to_read_takes_nothing(group: FeatureGroup, tmp_path: Path):
    reading = tr.Store(tmp_path / "store", read_only=True).feature_groups["weather"]
    with pytest.raises(ReadOnlyStoreError, match="opened read-only"):
        reading.ingest(rows(("EWR", 1, 1.0)))


def test_records_that_share_identifier_and_event_time_are_noted(tmp_path: Path) -> None:
    group = create_weather(tr.Store(tmp_path).feature_groups)
    report = group.ingest(rows(("EWR", 1, 1.0), ("EWR", 1, 2.0), ("JFK", 1, 3.0)))
    assert [note for note in report.notes if note.startswith("1 records have the identifier and event time of a later one")]
    assert len(group.to_arrow()) == 2


def test_corrections_are_noted_with_what_would_make_them_count_earlier(tmp_path: Path) -> None:
    group = create_weather(tr.Store(tmp_path).feature_groups)
    group.ingest(rows(("EWR", 1, 1.0)))
    assert any("1 records correct ones that were there" in note and "rewrites_history=True" in note for note in group.ingest(rows(("EWR", 1, 2.0))).notes)
    assert group.ingest(rows(("EWR", 1, 3.0)), rewrites_history=True).notes == ()
