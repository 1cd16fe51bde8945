import socket
from pathlib import Path

import pytest

from treering.errors import StorageError
from treering.local_s3 import LocalS3
from treering.storage.s3_objects import S3Objects

pytestmark = pytest.mark.s3


def test_objects_outlive_the_server(tmp_path: Path):
    with LocalS3(tmp_path) as server:
        server.create_bucket("kept")
        assert S3Objects(server.account(), "kept").create("key", b"content")
    with LocalS3(tmp_path) as server:
        assert S3Objects(server.account(), "kept").read("key") == b"content"


def test_the_server_is_gone_after_the_block():
    with LocalS3() as server:
        host, port = server.endpoint.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 1)


def test_it_listens_on_loopback_only(s3: LocalS3):
    assert s3.endpoint.startswith("http://127.0.0.1:")
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert f"00000000:{int(s3.endpoint.rpartition(':')[2]):04X}" not in listening


def test_two_servers_have_nothing_in_common(s3: LocalS3):
    with LocalS3() as other:
        assert other.endpoint != s3.endpoint
        assert other.secret_key != s3.secret_key
        assert not {other.secret_key, s3.secret_key} & {*s3.environment(), repr(other), repr(s3)}


def test_a_bucket_may_be_created_twice(s3: LocalS3):
    s3.create_bucket("twice")
    s3.create_bucket("twice")


def test_a_server_that_does_not_start_is_reported_with_the_end_of_its_log(tmp_path: Path):
    (tmp_path / "filerldb2").write_text("no folder")
    with pytest.raises(StorageError, match=r"(?s)did not start in 3 tries\. Its log ends with:\n.*filerldb2 Writable"), LocalS3(tmp_path):
        pass


def test_an_interrupt_while_the_server_starts_ends_it(tmp_path: Path):
    class Interrupted(LocalS3):
        def create_bucket(self, name: str) -> None:
            raise KeyboardInterrupt

    server = Interrupted(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        server.__enter__()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(server.endpoint.rpartition(":")[2])), 1)
