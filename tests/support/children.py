"""Work in forked children of a process that has one thread and has touched no storage: a child may be killed anywhere."""

import importlib
import json
import os
import traceback
from collections.abc import Callable
from typing import Any

Say = Callable[[Any], None]


def in_child(work: Callable[[Say], None]) -> tuple[list[Any], int]:
    """Run work in a child.

    Returns:
        What it said, as JSON knows it, and how it ended: 0, 1 after an error, or minus the signal that killed it.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        os._exit(_ending_of(work, lambda value: _say(write, value)))
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = [json.loads(line) for line in pipe]
    _, status = os.waitpid(pid, 0)
    return said, os.waitstatus_to_exitcode(status)


def warm_up() -> None:
    """Import what a store imports when it is used, so that children need not."""
    for name in (
        "pandas",
        "pyiceberg.table",
        "pyarrow.parquet",
        "pyarrow.dataset",
        "treering.store",
        "treering.storage.local_objects",
        "treering.storage.s3_objects",
    ):
        importlib.import_module(name)


def _say(pipe: int, value: Any) -> None:
    os.write(pipe, json.dumps(value).encode() + b"\n")


def _ending_of(work: Callable[[Say], None], say: Say) -> int:
    try:
        work(say)
    except BaseException:  # noqa: BLE001 - nothing may escape into the parent's code, which the child has a copy of
        traceback.print_exc()
        return 1
    return 0
