"""Roots of stores: a folder or a bucket prefix, opened by the kind of address that names it."""

import os
from collections.abc import Callable, Mapping

from treering.errors import StorageError
from treering.settings import Settings
from treering.storage.objects import Objects


def open_objects(root: str | os.PathLike[str], settings: Settings) -> Objects:
    """Open the objects below a root; nothing is read or written yet.

    Args:
        root: a folder, `file:///...`, or `s3://bucket/prefix`.
        settings: endpoint and region of S3, and the temporary folder.

    Raises:
        StorageError: for a scheme that treering does not know, or S3 without credentials.
    """
    text = os.fspath(root)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _open_local(text, settings)
    if scheme not in _OPENERS:
        raise StorageError(f"treering cannot open {text!r}: it knows folders, file:// and s3://.")
    return _OPENERS[scheme](rest, settings)


def _open_local(path: str, settings: Settings) -> Objects:
    from treering.storage.local_objects import LocalObjects

    return LocalObjects(path)


def _open_s3(path: str, settings: Settings) -> Objects:
    from treering.storage.s3_objects import S3Objects

    bucket, _, prefix = path.partition("/")
    return S3Objects.connect(bucket, prefix, settings)


_OPENERS: Mapping[str, Callable[[str, Settings], Objects]] = {"file": _open_local, "s3": _open_s3}
