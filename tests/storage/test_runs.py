from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treering as tr
from support.airports import FLIGHTS, FRAME, LABELS, store_with_weather
from treering.errors import CorruptDataError
from treering.storage.runs import RunTraits


def run_files(root: Path) -> list[Path]:
    return sorted(root.glob("feature-groups/*/data/*.parquet"))


def test_a_run_stands_in_the_order_of_entity_and_known_at(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    group.ingest(FRAME.iloc[::-1].assign(observed_at=FRAME["observed_at"] + pd.Timedelta(days=1)))
    for run in group.records().runs:
        rows = run.read(["origin", "_known_at"]).to_pylist()
        assert rows == sorted(rows, key=lambda row: (row["origin"], row["_known_at"]))


def test_what_is_true_of_every_row_is_noted_in_the_run(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path, available_after=None)
    group.delete(["EWR"], "2013-01-01T11:30Z")
    assert [run.traits for run in group.records().runs] == [RunTraits(), RunTraits(known_at_event=False, has_deletions=True)]


def test_a_column_younger_than_a_run_reads_null(tmp_path: Path) -> None:
    _, group = store_with_weather(tmp_path)
    group.add_features([tr.Feature("wind", tr.FeatureType.FRACTIONAL)])
    assert group.to_arrow()["wind"].to_pylist() == [None] * 4


def test_a_run_carries_the_ids_that_icebergs_readers_go_by(tmp_path: Path) -> None:
    store_with_weather(tmp_path)
    schema = pq.read_schema(run_files(tmp_path)[0])
    assert all(field.metadata and b"PARQUET:field_id" in field.metadata for field in schema)


def test_every_flipped_byte_of_the_data_is_found(tmp_path: Path) -> None:
    store, group = store_with_weather(tmp_path)
    path = run_files(tmp_path)[0]
    sound = path.read_bytes()
    footer = int.from_bytes(sound[-8:-4], "little")
    expected = group.to_arrow(include_duplicates=True)
    found = silent = 0
    for position in range(4, len(sound) - 8 - footer, 7):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0x10]) + sound[position + 1 :])
        try:
            silent += not store.feature_groups["weather"].to_arrow(include_duplicates=True).equals(expected)
        except CorruptDataError:
            found += 1
    assert silent == 0
    assert found > 50


def test_a_damaged_run_is_named_with_what_to_do(tmp_path: Path) -> None:
    store, _ = store_with_weather(tmp_path)
    run_files(tmp_path)[0].write_bytes(b"PAR1 this is no Parquet file PAR1")
    with pytest.raises(CorruptDataError, match=r"sorted run feature-groups/weather-.*Restore it from a backup"):
        store.lookup(LABELS, [tr.Lookup("weather", on="origin")])


def test_a_large_group_is_cut_into_runs_that_keep_entities_whole(tmp_path: Path) -> None:
    settings = tr.Settings(run_rows=1, sort_bytes=1)
    _, group = store_with_weather(tmp_path, settings=settings)
    rows = pa.Table.from_pandas(FRAME.assign(observed_at=FRAME["observed_at"] + pd.Timedelta(days=1)), preserve_index=False)
    group.ingest(pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(max_chunksize=2)))
    origins = [set(run.read(["origin"])["origin"].to_pylist()) for run in group.records().runs if run.commit == 2]
    assert origins == [{"EWR"}, {"JFK"}]


def test_a_lookup_over_many_row_groups_finds_what_one_row_group_would(tmp_path: Path) -> None:
    answers = []
    for rows in (1, 131_072):
        store, _ = store_with_weather(tmp_path / str(rows), settings=tr.Settings(row_group_rows=rows))
        answers.append(store.lookup(LABELS, [tr.Lookup("weather", on="origin")]).to_arrow())
    assert answers[0].equals(answers[1])
    assert answers[0].num_rows == len(FLIGHTS)
    assert pa.types.is_string(answers[0]["sky"].type)
