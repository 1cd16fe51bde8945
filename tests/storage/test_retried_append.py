"""A retry that finds its commit acknowledges it, so it has to make it durable first."""

from pathlib import Path

import pyarrow as pa
import pytest

from support.ticking import Ticking
from treering.errors import StorageError
from treering.storage.local_objects import Disk, LocalObjects
from treering.storage.offline_table import OfflineTable

SCHEMA = pa.schema([("id", pa.int64())])


class FailingFlush(Disk):
    """A disk whose folders cannot be flushed once they hold a version of the metadata beyond the first."""

    def fsync_folder(self, folder: Path) -> None:
        if (folder / "v2.metadata.json").exists():
            raise OSError(5, "Input/output error")
        super().fsync_folder(folder)


class NotingFlushes(Disk):
    def __init__(self) -> None:
        self.flushed: list[str] = []

    def fsync_folder(self, folder: Path) -> None:
        super().fsync_folder(folder)
        self.flushed.append(folder.name)


def test_a_commit_that_a_dying_writer_left_is_flushed_before_it_is_acknowledged(tmp_path: Path) -> None:
    OfflineTable.create(LocalObjects(str(tmp_path)), "t", SCHEMA, clock=Ticking())
    dying = OfflineTable(LocalObjects(str(tmp_path), FailingFlush()), "t", clock=Ticking(), pause=lambda seconds: None)
    with pytest.raises(StorageError, match="may not survive a power cut"):
        dying.append("once", lambda snapshot: ())
    assert (tmp_path / "t" / "metadata" / "v2.metadata.json").exists()
    disk = NotingFlushes()
    again = OfflineTable(LocalObjects(str(tmp_path), disk), "t", clock=Ticking()).append("once", lambda snapshot: ())
    assert again is not None
    assert again.number == 1
    assert "metadata" in disk.flushed
