"""The demo on a real S3 server."""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from support.thin_flights import ROWS, SPLIT
from treering.demo.run import run_on_s3
from treering.demo.screen import Screen


class Listening(io.StringIO):
    """Keeps what is printed, and the credentials that were in force while it was."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials: set[str] = set()

    def write(self, text: str) -> int:
        self.credentials |= {value for name, value in os.environ.items() if name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return super().write(text)


@pytest.mark.s3
def test_the_demo_runs_on_s3_and_prints_no_credentials(thin_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)  # another test's server may be running
    output = Listening()
    run_on_s3(thin_data, Screen(Console(file=output, width=80)), SPLIT)
    printed = output.getvalue()
    assert f"{ROWS:,} rows in, {ROWS:,} rows out" in printed
    assert "s3://demo/flights/training-jobs/late-arrivals-1/output/model.tar.gz" in printed
    assert len(output.credentials) == 2
    assert not any(secret in printed for secret in output.credentials)
