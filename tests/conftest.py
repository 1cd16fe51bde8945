"""Fixtures for all tests: a real S3 server, and roots to keep a store in."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from treering.local_s3 import LocalS3

BUCKET = "tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make crash` kill more often than `make test` has time for."""
    parser.addoption("--kills", type=int, default=40, help="how often the drill on S3 kills an ingestion at a random request")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills"))


def pytest_configure() -> None:
    """Keep the machine's own AWS account, configuration and network out of every test, and of the processes that tests start."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "TREERING_"))]:
        del os.environ[name]
    # A busy machine is no reason to fail.
    hypothesis.settings.register_profile("treering", deadline=None)
    hypothesis.settings.load_profile("treering")
    os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@pytest.fixture(scope="session")
def s3() -> Iterator[LocalS3]:
    """A running S3 server; AWS's variables name it, so that `s3://` addresses lead there. One for each worker, started when first asked for."""
    with LocalS3() as server, pytest.MonkeyPatch.context() as environment:
        server.create_bucket(BUCKET)
        for name, value in server.environment().items():
            environment.setenv(name, value)
        yield server


@pytest.fixture
def s3_root(s3: LocalS3) -> str:
    """An address on S3 below which there is nothing yet."""
    return f"s3://{BUCKET}/{secrets.token_hex(8)}"


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def any_root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a store: the test runs on a folder, and again on S3."""
    return str(request.getfixturevalue("s3_root")) if request.param == "s3" else str(tmp_path / "store")
