"""A zipped CSV file in a bucket is read like one on the disk."""

import io
import zipfile

import pytest

from treering.settings import Settings
from treering.sources.source import open_source
from treering.storage.roots import open_objects


@pytest.mark.s3
def test_a_zipped_csv_is_read_from_a_bucket(s3_root: str) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flights.csv", "flight,delay\n15,2\n27,9\n")
    with open_objects(s3_root, Settings()).output("flights.csv.zip") as sink:
        sink.write(zipped.getvalue())
    rows = [row for batch in open_source(f"{s3_root}/flights.csv.zip", Settings()).batches() for row in batch.table.to_pylist()]
    assert [str(row["flight"]) for row in rows] == ["15", "27"]
