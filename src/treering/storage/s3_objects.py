"""Objects in an S3 bucket, on AWS or on a server that speaks its language. The one owner of obstore and botocore."""

import io
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import botocore.session
import obstore
import pyarrow as pa
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import AlreadyExistsError as ObjectExistsError
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from treering.errors import AlreadyExistsError, ObjectNotFoundError, OutcomeUnknownError, ReadOnlyStoreError, StorageError
from treering.settings import Settings
from treering.storage.object_keys import check_key, check_prefix, is_staging
from treering.storage.objects import create_own

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

_DEFAULT_REGION = "us-east-1"
# botocore renews its credentials in time; obstore asks it again this often.
_CREDENTIALS_LIFE = timedelta(minutes=5)
_RETRIES: "RetryConfig" = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
# obstore has no other place for what the server said than the text of its errors.
_STATUS = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
# A request to delete several objects succeeds as a whole, and says of each what became of it.
_DENIED = "(code: AccessDenied)"
_REPEATED = re.compile(r"after \d+ retries")
# S3 means by these that the same request may succeed when it is sent again.
_PASSING_STATUSES = frozenset({"408", "409", "412", "429"})
_PASSING_CODES = frozenset({"RequestTimeout"})
_PART_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class S3Account:
    """Where S3 is, and who asks.

    Attributes:
        endpoint: URL of an S3-compatible server; None is AWS.
        region: the region that requests are signed for.
        credentials: botocore's, renewed by it where they expire.
    """

    endpoint: str | None
    region: str
    credentials: Credentials

    @classmethod
    def of(cls, endpoint: str, region: str, access_key: str, secret_key: str) -> "S3Account":
        """Name a server and one of its users."""
        return cls(endpoint, region, Credentials(access_key, secret_key))

    @classmethod
    def found(cls, settings: Settings) -> "S3Account":
        """Find what AWS's own tools would find: variables, profiles, roles; the settings go first.

        Raises:
            StorageError: if there are no credentials.
        """
        session = botocore.session.Session()
        try:
            endpoint = settings.s3_endpoint or _configured_endpoint(session)
            # botocore reads AWS_DEFAULT_REGION only; AWS's other tools read AWS_REGION too.
            region = settings.s3_region or session.get_config_variable("region") or os.environ.get("AWS_REGION") or _DEFAULT_REGION
            credentials = session.get_credentials()
        except BotoCoreError as error:
            raise StorageError(f"AWS's configuration cannot be used: {error}") from error
        if credentials is None:
            raise StorageError("There are no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or use a role.")
        return cls(endpoint, region, credentials)

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket; one that exists is fine, and whether one may write to it shows at the first write.

        Raises:
            StorageError: if the server refuses, or cannot be reached.
        """
        key = self.credentials.get_frozen_credentials()
        client = botocore.session.Session().create_client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
            aws_session_token=key.token,
            config=Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1}),
        )
        try:
            client.create_bucket(Bucket=bucket)
        except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            return
        except (BotoCoreError, ClientError) as error:
            raise StorageError(f"The bucket {bucket!r} cannot be created: {error}") from error
        finally:
            client.close()

    def store(self, bucket: str) -> S3Store:
        """Open a bucket."""
        options: ClientConfig = {
            "allow_http": (self.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=120),
        }
        config: S3Config = {"region": self.region, "virtual_hosted_style_request": self.endpoint is None and "." not in bucket}
        if self.endpoint is not None:
            # obstore lets AWS_ENDPOINT_URL_S3 go before "endpoint", but not before its own name for the same.
            config["endpoint"] = config["aws_endpoint_url_s3"] = self.endpoint
        return S3Store(bucket, config=config, client_options=options, retry_config=_RETRIES, credential_provider=self._credential)

    def _credential(self) -> "S3Credential":
        key = self.credentials.get_frozen_credentials()
        return {"access_key_id": key.access_key, "secret_access_key": key.secret_key, "token": key.token, "expires_at": datetime.now(UTC) + _CREDENTIALS_LIFE}


def _configured_endpoint(session: botocore.session.Session) -> str | None:
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    found: str | None = ConfiguredEndpointProvider(full_config=session.full_config, scoped_config=session.get_scoped_config(), client_name="s3").provide()
    return found


class S3Objects:
    """Objects below a prefix of a bucket. One has to be allowed to get, put, list and delete there; reading needs get and list."""

    def __init__(self, account: S3Account, bucket: str, prefix: str = "", temporary_folder: str | None = None) -> None:
        if not bucket:
            raise StorageError("The address of a store on S3 names a bucket: s3://bucket/prefix.")
        self._account = account
        self._prefix = check_prefix(prefix)
        self._temporary_folder = temporary_folder
        self._store = account.store(bucket)
        self.root = f"s3://{bucket}/{self._prefix}".rstrip("/")

    @classmethod
    def connect(cls, bucket: str, prefix: str, settings: Settings) -> "S3Objects":
        """Open a prefix with the credentials that AWS's own tools would use; no request is made yet."""
        return cls(S3Account.found(settings), bucket, prefix, settings.temporary_folder)

    def check_writable(self) -> None:
        """Nothing is known before a write is tried."""

    def read(self, key: str) -> bytes:
        """Get a whole object."""
        with self._reading(key):
            return bytes(obstore.get(self._store, self._full(key)).bytes())

    def size(self, key: str) -> int | None:
        """Look up an object's size; None if there is none."""
        with suppress(ObjectNotFoundError), self._reading(key):
            return obstore.head(self._store, self._full(key))["size"]
        return None

    def written_at(self, key: str) -> int | None:
        """Look up when an object was written, to the second; None if there is none."""
        with suppress(ObjectNotFoundError), self._reading(key):
            return int(obstore.head(self._store, self._full(key))["last_modified"].timestamp() * 1_000_000)
        return None

    def create(self, key: str, data: bytes) -> bool:
        """Put with `If-None-Match: *`. obstore repeats it after a lost answer, so False can mean this very write."""
        with self._writing(key, OutcomeUnknownError):
            try:
                obstore.put(self._store, self._full(key), data, mode="create", use_multipart=False)
            except ObjectExistsError:
                return False
        return True

    def put(self, key: str, data: bytes) -> None:
        """Put over whatever is there."""
        with self._writing(key, StorageError):
            obstore.put(self._store, self._full(key), data, use_multipart=False)

    def unfinished(self) -> list[str]:
        """List what a folder that was copied to the bucket brought along; S3 itself shows an object only when it is whole."""
        return [key for key in self._listed("") if is_staging(key)]

    def list(self, prefix: str) -> list[str]:
        """List page by page."""
        return [key for key in self._listed(prefix) if not is_staging(key)]

    def _listed(self, prefix: str) -> Sequence[str]:
        start = "/".join(part for part in (self._prefix, check_prefix(prefix)) if part)
        skipped = len(self._prefix) + 1 if self._prefix else 0
        with self._reading(prefix):
            return sorted(meta["path"][skipped:] for page in obstore.list(self._store, prefix=start or None) for meta in page)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete in as few requests as S3 allows."""
        doomed = list(keys)
        if doomed:
            with self._writing(doomed[0], StorageError), suppress(FileNotFoundError):
                obstore.delete(self._store, [self._full(key) for key in doomed])

    @contextmanager
    def output(self, key: str) -> Iterator[BinaryIO]:
        """Stream to a temporary file, which is uploaded when the body is through; S3 shows an upload only when it is whole."""
        full = self._full(key)
        if self.size(key) is not None:
            raise self._exists(key)
        with tempfile.NamedTemporaryFile(dir=self._temporary_folder, prefix="treering-") as file:
            yield file  # type: ignore[misc]  # a temporary file is a BinaryIO in all but its class
            file.flush()
            if file.seek(0, io.SEEK_END) <= _PART_BYTES:
                file.seek(0)
                return self._create_whole(key, file.read())
            with self._writing(key, StorageError):
                obstore.put(self._store, full, Path(file.name), chunk_size=_PART_BYTES)

    def input(self, key: str) -> pa.NativeFile:
        """Open an object whose ranges are fetched as they are read."""
        size = self.size(key)
        if size is None:
            raise ObjectNotFoundError(f"No object {key!r} in {self.root}.")
        return pa.PythonFile(_RangeReader(lambda start, end: self._range(key, start, end), size), mode="r")

    def uri(self, key: str) -> str:
        """Write the object's address; an empty key is the root."""
        return f"{self.root}/{check_key(key)}" if key else self.root

    def access(self) -> str:
        """Name the endpoint, the region, and where botocore found the credentials."""
        account = self._account
        return f"{self.root} at {account.endpoint or 'AWS'}, region {account.region}, credentials from {account.credentials.method or 'the caller'}"

    def storage_options(self) -> dict[str, object]:
        """Write what s3fs takes; it holds the secret key."""
        key = self._account.credentials.get_frozen_credentials()
        client = {"endpoint_url": self._account.endpoint, "region_name": self._account.region}
        found = {"key": key.access_key, "secret": key.secret_key, "token": key.token}
        return {name: value for name, value in found.items() if value} | {"client_kwargs": {name: value for name, value in client.items() if value}}

    def _create_whole(self, key: str, data: bytes) -> None:
        try:
            is_ours = create_own(self, key, data)
        except OutcomeUnknownError as error:
            raise StorageError(str(error)) from error
        if not is_ours:
            raise self._exists(key)

    def _exists(self, key: str) -> AlreadyExistsError:
        return AlreadyExistsError(f"{self.uri(key)} exists already; an object is never written over.")

    def _full(self, key: str) -> str:
        return f"{self._prefix}/{check_key(key)}" if self._prefix else check_key(key)

    def _range(self, key: str, start: int, end: int) -> bytes:
        with self._reading(key):
            return bytes(obstore.get_range(self._store, self._full(key), start=start, end=end))

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise ObjectNotFoundError(f"No object {key!r} in {self.root}.") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StorageError(
                f"{self.root} may not be read with these credentials ({key!r} was refused). Reading needs s3:GetObject and s3:ListBucket."
            ) from error
        except BaseError as error:
            raise StorageError(f"{key!r} in {self.root} cannot be read: {self._complaint(error)}") from error

    @contextmanager
    def _writing(self, key: str, otherwise: type[OutcomeUnknownError | StorageError]) -> Iterator[None]:
        try:
            yield
        except ObjectExistsError:
            raise
        except FileNotFoundError as error:
            raise StorageError(f"{key!r} cannot be written: there is no bucket at {self.root}. Create it first.") from error
        except BaseError as error:
            if isinstance(error, PermissionDeniedError | UnauthenticatedError) or _DENIED in str(error):
                raise ReadOnlyStoreError(
                    f"{self.root} may not be written with these credentials ({key!r} was refused). Writing needs s3:PutObject and s3:DeleteObject; or only read."
                ) from error
            if _is_refusal(str(error)):
                raise StorageError(f"{key!r} in {self.root} was not written: {self._complaint(error)}") from error
            raise otherwise(f"{key!r} in {self.root} was not written for certain: {self._complaint(error)}") from error

    def _complaint(self, error: BaseError) -> str:
        where = self._account.endpoint or f"AWS, {self._account.region},"
        status, code = _STATUS.search(str(error)), _CODE.search(str(error))
        if status is None:
            return f"S3 at {where} did not answer. Check that it can be reached."
        return f"S3 at {where} answered {status[1].strip()}{f' ({code[1]})' if code else ''}. Check the bucket, the region and the credentials."


def _is_refusal(complaint: str) -> bool:
    """Whether the server turned a request down for good; where obstore had sent it before, that one may have landed."""
    status, code = _STATUS.search(complaint), _CODE.search(complaint)
    if status is None or not status[1].startswith("4") or _REPEATED.search(complaint):
        return False
    return status[1][:3] not in _PASSING_STATUSES and (code is None or code[1] not in _PASSING_CODES)


class _RangeReader(io.RawIOBase):
    """A file over ranges: each read is one request, so readers that gather their reads pay little."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def size(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        if end <= self._position:
            return b""
        data = self._fetch(self._position, end)
        self._position = end
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
