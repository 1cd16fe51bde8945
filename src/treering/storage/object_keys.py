"""Keys: how an object is named below a store's root. One rule for folders and for buckets."""

import re

from treering.errors import InvalidNameError

# obstore stages a local put as `<name>#<number>`; treering stages as `.<name>.<hex>.staging`.
_STAGING = re.compile(r"#\d+$|\.staging$")


def check_key(key: str) -> str:
    """Return the key if it can only name something below the root.

    Raises:
        InvalidNameError: for a key that is empty or absolute, or has `.`, `..`, an empty part, a backslash or a control character.
    """
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or any(character == "\\" or ord(character) < 32 for character in key):
        raise InvalidNameError(
            f"{key!r} cannot name an object: a key is relative to the store's root and has no '..', empty part, backslash or control character."
        )
    return key


def check_prefix(prefix: str) -> str:
    """Return the prefix without its last slash; empty means the whole store.

    Raises:
        InvalidNameError: for a prefix that is no key.
    """
    return check_key(prefix.rstrip("/")) if prefix.rstrip("/") else ""


def staging_name(name: str, id: str) -> str:
    """Name the file that a new object is written to before it appears under its own name."""
    return f".{name}.{id}.staging"


def is_staging(key: str) -> bool:
    """Tell whether a key names the leftover of a write that never finished."""
    return _STAGING.search(key) is not None
