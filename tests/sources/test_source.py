import gzip
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import parquet

from support.sources import everything, schema
from treering.errors import SchemaMismatchError, SourceError
from treering.settings import Settings
from treering.sources.batches import locate
from treering.sources.csv import Csv
from treering.sources.frames import polars_frame
from treering.sources.source import open_source, schema_of
from treering.storage.roots import open_objects

TABLE = pa.table({"i": [1, 2, 3], "s": ["a", None, "c"], "f": [0.5, float("nan"), None]})
TEXT = b"i,s\n1,a\n2,b\n"
ROWS = [{"i": 1, "s": "a"}, {"i": 2, "s": "b"}]


def opened(given: object) -> Any:
    return open_source(given, Settings())


FRAMES = {
    "table": lambda: TABLE,
    "batch": lambda: TABLE.to_batches()[0],
    "reader": TABLE.to_reader,
    "dataset": lambda: ds.dataset(TABLE),
    "polars": lambda: pl.from_arrow(TABLE),
    "slices": lambda: pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_give_the_same_rows_positions_and_digest(kind: str) -> None:
    source, table = opened(FRAMES[kind]()), opened(TABLE)
    read, same = everything(source), everything(table)
    assert repr(read) == repr(same)
    assert read.positions == [0, 1, 2]
    assert source.digest() == table.digest()


@pytest.mark.parametrize("column", [[1, 2, 4], [1, 2, None]])
def test_the_digest_tells_other_values(column: list[int | None]) -> None:
    source, other = opened(TABLE), opened(TABLE.set_column(0, "i", pa.array(column)))
    assert everything(source).positions == everything(other).positions
    assert source.digest() != other.digest()


def test_a_stream_is_read_once() -> None:
    source = opened(TABLE.to_reader())
    everything(source)
    with pytest.raises(SourceError, match="only once"):
        everything(source)


def test_pandas_columns_keep_their_types() -> None:
    frame = pd.DataFrame(
        {
            "gaps": pd.array([1, None], "Int64"),
            "f": np.array([0.5, np.nan]),
            "c": pd.Categorical(["x", None]),
            "o": pd.Series(["text", None], dtype=object),
            "t": pd.to_datetime(["2024-01-01T00:00Z", None]),
        }
    )
    read = everything(opened(frame))
    assert read.rows[0] == {"gaps": 1, "f": 0.5, "c": "x", "o": "text", "t": datetime(2024, 1, 1, tzinfo=UTC)}
    assert repr(read.rows[1]) == "{'gaps': None, 'f': nan, 'c': None, 'o': None, 't': None}"
    assert locate(opened(frame).parts(), 1) == "pandas frame, row 1"


@pytest.mark.parametrize("values", [["a", 1], [1, "a"], [None, True, 2], [datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)], [b"a", "b"]])
def test_a_pandas_column_of_mixed_kinds_is_an_error_that_names_the_row(values: list[object]) -> None:
    row = len(values) - 1
    with pytest.raises(SchemaMismatchError, match=f"'x'.*mixes.* row {row} is"):
        opened(pd.DataFrame({"x": pd.Series(values, dtype=object)}))


@pytest.mark.parametrize(
    ("names", "message"), [(["a", "a"], "'a'.*appears twice"), (["a", "A"], "differ only by case"), (["a", 0], "0, which is no text"), (["a", ""], "no name")]
)
def test_pandas_columns_need_names_of_their_own(names: list[object], message: str) -> None:
    with pytest.raises(SchemaMismatchError, match=message):
        opened(pd.DataFrame([[1, 2]], columns=names))


def test_the_named_levels_of_a_pandas_index_are_columns_and_the_others_are_not() -> None:
    index = pd.MultiIndex.from_arrays([["x", "y"], [7, 8], [1, 2]], names=["k", None, "l"])
    assert everything(opened(pd.DataFrame({"v": [0.5, 1.5]}, index=index))).rows == [{"v": 0.5, "k": "x", "l": 1}, {"v": 1.5, "k": "y", "l": 2}]
    assert everything(opened(pd.DataFrame({"v": [0.5]}, index=["x"]))).rows == [{"v": 0.5}]


def test_an_index_that_is_kept_as_a_column_too_is_refused() -> None:
    with pytest.raises(SchemaMismatchError, match="Column 'k' of the pandas frame appears twice"):
        opened(pd.DataFrame({"k": [1], "v": [2]}).set_index("k", drop=False))


@pytest.mark.parametrize("given", [5, None, [1], {"a": [1]}, pl.DataFrame({"a": [1]}).lazy(), pd.Series([1])])
def test_what_cannot_be_read_is_told_with_what_can(given: object) -> None:
    with pytest.raises(SourceError, match=f"cannot read a {type(given).__name__}.*Give a"):
        opened(given)


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return path


def test_compressed_files_are_read_as_they_are(tmp_path: Path) -> None:
    plain, compressed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_bytes(TEXT)
    compressed.write_bytes(gzip.compress(TEXT))
    sources = [opened(path) for path in (plain, compressed, str(zipped(tmp_path / "a.zip", "in/a.csv", "__MACOSX/in/a.csv", "notes.txt")))]
    wanted = schema(i="Integral", s="String")
    assert all(everything(source, wanted).rows == ROWS for source in sources)
    assert len({source.digest() for source in sources}) == 1


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv")])
def test_a_zip_holds_exactly_one_csv_file(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match="exactly one CSV file; it holds " + (".*'a.csv', 'b.csv'" if names else "none")):
        opened(zipped(tmp_path / "a.zip", *names)).column_names()


@pytest.mark.parametrize(("name", "data"), [("a.csv.gz", gzip.compress(TEXT, mtime=0)[:-6]), ("b.csv.gz", TEXT), ("a.zip", b"PK"), ("a.parquet", b"PAR1")])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=name):
        everything(opened(tmp_path / name))


def test_parquet_gives_the_same_rows_and_digest_as_a_frame(tmp_path: Path) -> None:
    parquet.write_table(TABLE, tmp_path / "a.parquet", row_group_size=2, write_page_checksum=True)
    source, table = opened(tmp_path / "a.parquet"), opened(TABLE)
    assert repr(everything(source)) == repr(everything(table))
    assert source.digest() == table.digest()
    assert source.bytes_read == source.total_bytes


def test_a_flipped_bit_in_a_parquet_file_with_checksums_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"i": np.arange(1_000)}), path, write_page_checksum=True, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.parquet is damaged"):
        everything(opened(path))


def test_the_parts_of_a_folder_of_parquet_are_told_apart(tmp_path: Path) -> None:
    parquet.write_table(TABLE.slice(0, 2), tmp_path / "a.parquet")
    parquet.write_table(TABLE.slice(2), tmp_path / "b.parquet")
    (tmp_path / "_SUCCESS").touch()
    source = opened(tmp_path)
    assert repr(everything(source).rows) == repr(TABLE.to_pylist())
    assert locate(source.parts(), 2) == f"{tmp_path}/b.parquet, row 0"


def test_parquet_files_whose_types_have_no_common_one_are_told_apart_from_damaged_ones(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"x": [[1]]}), tmp_path / "b.parquet")
    with pytest.raises(SchemaMismatchError, match=r"b\.parquet has other column types than .*a\.parquet"):
        everything(opened(tmp_path))


def test_a_pattern_names_files_and_kinds_may_not_be_mixed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT)
    parquet.write_table(TABLE, tmp_path / "b.parquet")
    assert everything(opened(tmp_path / "*.csv"), schema(i="Integral", s="String")).rows == ROWS
    with pytest.raises(SourceError, match=r"CSV and Parquet.*a\.csv"):
        opened(tmp_path)


def test_a_missing_file_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "weather.csv").write_bytes(TEXT)
    with pytest.raises(SourceError, match=r"wether\.csv.*Did you mean 'weather\.csv'"):
        opened(tmp_path / "wether.csv")
    with pytest.raises(SourceError, match="names no file"):
        opened(tmp_path / "*.parquet")


def test_a_file_of_any_name_is_read_as_csv_if_it_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_bytes(TEXT)
    with pytest.raises(SourceError, match=r"tr\.Csv"):
        opened(path)
    assert everything(opened(Csv(path)), schema(i="Integral", s="String")).rows == ROWS


def test_a_schema_is_inferred_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("i,code,at\n1,007,2024-01-01T00:00:00Z\n")
    assert [feature.type_text for feature in schema_of(tmp_path / "a.csv")] == ["Integral", "String", "Timestamp"]


def test_a_polars_frame_is_made_of_a_table() -> None:
    assert polars_frame(TABLE).rows()[0] == (1, "a", 0.5)


def test_any_storage_gives_the_same_rows(any_root: str) -> None:
    objects = open_objects(any_root, Settings())
    for key in ("in/a.csv", "in/deeper/c.csv", "other.csv"):
        with objects.output(key) as file:
            file.write(TEXT)
    with objects.output("in/b.csv.gz") as file:
        file.write(gzip.compress(TEXT))
    for address, files in ((f"{any_root}/in/a.csv", 1), (f"{any_root}/in", 2), (f"{any_root}/in/", 2), (f"{any_root}/in/*.gz", 1)):
        source = opened(address)
        assert everything(source, schema(i="Integral", s="String")).rows == ROWS * files
        assert len(source.parts()) == files
    with pytest.raises(SourceError, match="absent"):
        opened(f"{any_root}/absent.csv")


def test_any_storage_gives_parquet(any_root: str) -> None:
    with open_objects(any_root, Settings()).output("a.parquet") as file:
        parquet.write_table(TABLE, file)
    assert repr(everything(opened(f"{any_root}/a.parquet")).rows) == repr(TABLE.to_pylist())


@pytest.mark.parametrize("kind", ["csv", "gzip", "latin", "folder", "parquet", "arrow", "pandas"])
def test_content_is_what_the_digest_will_say(kind: str, tmp_path: Path):
    (tmp_path / "one.csv").write_bytes(TEXT)
    (tmp_path / "two.csv.gz").write_bytes(gzip.compress(TEXT))
    parquet.write_table(TABLE, tmp_path / "one.parquet")
    sources = {
        "csv": tmp_path / "one.csv",
        "gzip": tmp_path / "two.csv.gz",
        "latin": Csv(tmp_path / "one.csv", encoding="latin-1"),
        "folder": tmp_path / "*.csv*",
        "parquet": tmp_path / "one.parquet",
        "arrow": TABLE,
        "pandas": TABLE.to_pandas(),
    }
    source = opened(sources[kind])
    content = source.content()
    assert sum(batch.table.num_rows for batch in source.batches()) >= 2
    assert content == source.digest()


def test_a_stream_does_not_give_its_content_away():
    assert opened(pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches())).content() is None
