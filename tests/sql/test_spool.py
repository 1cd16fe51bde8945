import mmap
import os
from pathlib import Path

import pyarrow as pa
import pytest

from treering.sql.spool import Spool

SCHEMA = pa.schema([("x", pa.int64()), ("text", pa.string())])


def test_tables_are_found_where_the_spool_says(tmp_path: Path) -> None:
    tables = [pa.table({"x": [1], "text": ["a"]}), pa.table({"text": ["b"], "x": [2]})]
    with Spool(str(tmp_path)) as spool:
        spans = [spool.write(SCHEMA, tables), spool.write(SCHEMA, [])]
        with mmap.mmap(spool.descriptor, 0, prot=mmap.PROT_READ) as mapped:
            read = [pa.ipc.open_stream(mapped[start:end]).read_all() for start, end in spans]
    assert [start % 64 for start, _ in spans] == [0, 0]
    assert read[0].to_pylist() == [{"x": 1, "text": "a"}, {"x": 2, "text": "b"}]
    assert read[1].equals(SCHEMA.empty_table())


def test_the_file_has_no_name_and_the_descriptor_only_reads(tmp_path: Path) -> None:
    with Spool(str(tmp_path)) as spool:
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(spool.descriptor, b"x")
