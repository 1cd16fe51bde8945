import http.server
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from contracts.objects_contract import ObjectsContract
from treering.errors import AlreadyExistsError, InvalidNameError, OutcomeUnknownError, ReadOnlyStoreError, StorageError
from treering.local_s3 import LocalS3
from treering.settings import Settings
from treering.storage.objects import Objects, create_own
from treering.storage.roots import open_objects
from treering.storage.s3_objects import S3Account, S3Objects

pytestmark = pytest.mark.s3


class TestS3Objects(ObjectsContract):
    @pytest.fixture
    def objects(self, s3_root: str) -> Objects:
        return open_objects(s3_root, Settings())


def test_two_prefixes_of_a_bucket_are_two_stores(s3_root: str):
    one, other = open_objects(f"{s3_root}/a", Settings()), open_objects(f"{s3_root}/ab/", Settings())
    one.create("x", b"1")
    assert other.list("") == []
    assert other.root == f"{s3_root}/ab"


def test_a_large_output_is_uploaded_in_parts(s3_root: str):
    objects = open_objects(s3_root, Settings())
    with objects.output("large") as file:
        for part in range(40):
            file.write(bytes([part]) * 1_000_000)
    assert objects.size("large") == 40_000_000
    reader = objects.input("large")
    reader.seek(39_999_999)
    assert reader.read() == bytes([39])


def test_an_output_that_another_outran_is_refused_and_changes_nothing(s3_root: str):
    objects = open_objects(s3_root, Settings())
    with ExitStack() as outputs:
        outputs.enter_context(objects.output("raced")).write(b"ours")
        objects.create("raced", b"theirs")
        with pytest.raises(AlreadyExistsError, match="never written over"):
            outputs.close()
    assert objects.read("raced") == b"theirs"


def test_wrong_credentials_are_told_apart_from_an_absent_object(s3: LocalS3, s3_root: str):
    stranger = S3Objects(S3Account.of(s3.endpoint, s3.region, s3.access_key, "wrong"), "tests", "somewhere")
    for write in (lambda: stranger.create("x", b""), lambda: stranger.put("x", b""), lambda: stranger.delete(["x"])):
        with pytest.raises(ReadOnlyStoreError, match="'x' was refused"):
            write()
    for read in (lambda: stranger.read("x"), lambda: stranger.size("x"), lambda: stranger.input("x")):
        with pytest.raises(StorageError, match="'x' was refused"):
            read()
    with pytest.raises(StorageError, match="403 Forbidden"):
        stranger.list("")


def test_no_error_and_no_address_shows_the_secret(s3: LocalS3):
    objects = S3Objects(s3.account(), "no-such-bucket")
    with pytest.raises(StorageError, match="no bucket") as refused:
        objects.create("x", b"")
    assert s3.secret_key not in str(refused.value) + str(refused.value.__cause__) + repr(s3.account()) + objects.uri("x")


def test_without_credentials_the_error_says_how_to_give_them(s3: LocalS3, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match="AWS_ACCESS_KEY_ID"):
        open_objects("s3://tests", Settings())


def test_the_settings_outrank_the_environment(s3: LocalS3, s3_root: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    objects = open_objects(s3_root, Settings(s3_endpoint=s3.endpoint))
    assert objects.create("x", b"1")


def test_a_profile_names_server_and_user(s3: LocalS3, s3_root: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    for name in s3.environment():
        monkeypatch.delenv(name)
    lines = [f"endpoint_url={s3.endpoint}", f"aws_access_key_id={s3.access_key}", f"aws_secret_access_key={s3.secret_key}", "region=eu-west-1"]
    (tmp_path / "config").write_text("\n".join(["[profile mine]", *lines]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    objects = open_objects(s3_root, Settings())
    assert objects.create("x", b"1")
    assert objects.storage_options()["client_kwargs"] == {"endpoint_url": s3.endpoint, "region_name": "eu-west-1"}


def test_an_address_without_a_bucket_is_refused(s3: LocalS3):
    with pytest.raises(StorageError, match="names a bucket"):
        open_objects("s3://", Settings())
    with pytest.raises(InvalidNameError):
        open_objects("s3://tests/a/../b", Settings())


@contextmanager
def server_answering(s3: LocalS3, *statuses: int, stores: bool) -> Iterator[str]:
    """A server that stands before the real one, and spoils its first answers to writes. A mock, for no real server errs on demand."""
    remaining = list(statuses)
    real = S3Objects(s3.account(), "tests", "behind")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self):
            data = self.rfile.read(int(self.headers["content-length"]))
            key = self.path.rpartition("/")[2]
            landed = (stores or not remaining) and real.create(key, data)
            self.answer(remaining.pop(0) if remaining else 200 if landed else 412)

        def do_GET(self):
            size = real.size(self.path.rpartition("/")[2])
            self.answer(404) if size is None else self.answer(200, real.read(self.path.rpartition("/")[2]))

        def answer(self, status: int, body: bytes = b""):
            self.send_response(status)
            headers = {"content-length": str(len(body)), "etag": '"1"', "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def behind(s3: LocalS3, endpoint: str) -> S3Objects:
    return S3Objects(S3Account.of(endpoint, s3.region, s3.access_key, s3.secret_key), "tests")


@pytest.mark.parametrize("status", [409, 500, 503])
@pytest.mark.parametrize("stores", [True, False])
def test_a_spoiled_answer_never_hides_that_our_own_write_landed(s3: LocalS3, status: int, stores: bool):
    key = f"own-{status}-{stores}"
    with server_answering(s3, status, stores=stores) as endpoint:
        assert create_own(behind(s3, endpoint), key, b"mine", pause=lambda seconds: None)
    assert S3Objects(s3.account(), "tests", "behind").read(key) == b"mine"


def test_a_conflict_answer_is_never_a_success(s3: LocalS3):
    with server_answering(s3, *[409] * 20, stores=False) as endpoint:
        assert not behind(s3, endpoint).create("conflict", b"mine")


def test_a_server_that_cannot_be_reached_leaves_the_outcome_unknown():
    unreachable = S3Objects(S3Account.of("http://127.0.0.1:9", "us-east-1", "key", "secret"), "tests")
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:9 did not answer"):
        unreachable.read("lost")
    with pytest.raises(OutcomeUnknownError, match="Repeat the call"):
        create_own(unreachable, "lost", b"mine", pause=lambda seconds: None)


def test_a_request_that_the_server_turns_down_is_a_refusal_with_the_servers_code(s3: LocalS3):
    with pytest.raises(StorageError, match=r"'x' in s3://A_B was not written: .* answered 400 Bad Request \(InvalidBucketName\)"):
        create_own(S3Objects(s3.account(), "A_B"), "x", b"mine", pause=lambda seconds: None)


@pytest.mark.parametrize("status", [400, 405, 411])
def test_a_refused_create_is_tried_once(s3: LocalS3, status: int):
    with server_answering(s3, status, stores=False) as endpoint, pytest.raises(StorageError, match=f"was not written: .* answered {status} "):
        create_own(behind(s3, endpoint), f"refused-{status}", b"mine", pause=lambda seconds: None)
    assert S3Objects(s3.account(), "tests", "behind").size(f"refused-{status}") is None


def test_a_refusal_after_a_lost_answer_does_not_hide_that_our_own_write_landed(s3: LocalS3):
    with server_answering(s3, 500, 400, stores=True) as endpoint:
        assert create_own(behind(s3, endpoint), "landed-then-refused", b"mine", pause=lambda seconds: None)
