"""Where the demo keeps its store: a folder that it may replace because it made it, or a local S3 server for the while."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from treering.errors import AlreadyExistsError
from treering.local_s3 import LocalS3

MARKER = "demo.json"
_MADE_BY = {"made_by": "treering demo"}
_BUCKET = "demo"


def prepare_folder(folder: Path) -> bool:
    """Make the folder of the demo's store; one that an earlier demo made is emptied.

    Returns:
        Whether there was an earlier one.

    Raises:
        AlreadyExistsError: for a folder that holds anything else.
    """
    replaced = _is_ours(folder)
    if replaced:
        shutil.rmtree(folder)
    elif folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise AlreadyExistsError(f"{folder} holds something that the demo did not make, and is left as it is. Choose another folder with --store.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(json.dumps(_MADE_BY), "utf-8")
    return replaced


def _is_ours(folder: Path) -> bool:
    if folder.is_symlink():
        return False
    try:
        return bool(json.loads((folder / MARKER).read_text("utf-8")) == _MADE_BY)
    except (OSError, ValueError):
        return False


@contextmanager
def local_bucket() -> Iterator[str]:
    """Run an S3 server on this machine with credentials of its own, and give an address on it for a store; both go at exit."""
    with LocalS3() as server, _environment(server.environment()):
        server.create_bucket(_BUCKET)
        yield f"s3://{_BUCKET}/flights"


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    # Training's child process finds the server by the same variables.
    before = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "TREERING_S3_"))}
    for name in before:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
        os.environ.update(before)
