"""Which names a feature group or a feature may have: SageMaker's rule, checked before any library sees the name."""

import re
from collections.abc import Iterable

from treering.errors import InvalidDefinitionError, InvalidNameError

# Amazon SageMaker API reference, CreateFeatureGroup: FeatureGroupName and FeatureName, 1 to 64 characters.
NAME_PATTERN = re.compile(r"[a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}")

_UNNAMED = re.compile(r"Unnamed: \d+")

# SageMaker's three columns; ours begin with an underscore, which no feature name can.
RESERVED = frozenset({"write_time", "api_invocation_time", "is_deleted"})


def is_name(name: object) -> bool:
    """Tell whether something follows the rule for names."""
    return isinstance(name, str) and len(name) <= 64 and NAME_PATTERN.fullmatch(name) is not None


def check_name(name: object, kind: str) -> str:
    """Return the name if it follows the rule for names.

    Raises:
        InvalidNameError: with the rule, and the first thing that breaks it.
    """
    if not isinstance(name, str):
        raise InvalidNameError(f"The name of a {kind} has to be text, not {type(name).__name__}.")
    if len(name) > 64:
        raise InvalidNameError(f"The {kind} name {name[:20]!r}... has {len(name)} characters; at most 64 are allowed.")
    if not is_name(name):
        suggestion = re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_")
        hint = f" Try {suggestion!r}." if suggestion else ""
        if _UNNAMED.fullmatch(name):
            hint = " pandas calls an index so that was written to a file: leave it out with pd.read_csv(..., index_col=0)."
        elif kind == "feature":
            hint += " Rename the column first, in the file or in the frame."
        raise InvalidNameError(
            f"{name!r} cannot name a {kind}: a name has 1 to 64 letters, digits, '-' and '_', and begins and ends with a letter or digit.{hint}"
        )
    return name


def check_column_names(names: Iterable[object], kind: str = "feature") -> tuple[str, ...]:
    """Return the names if each follows the rule and no two are equal, or differ only by case.

    Raises:
        InvalidNameError: naming the offenders.
    """
    seen: dict[str, str] = {}
    for candidate in names:
        name = check_name(candidate, kind)
        if name.lower() in RESERVED:
            raise InvalidNameError(f"{name!r} cannot name a {kind}: the store keeps a column of its own under that name. Rename the column.")
        if name.lower() in seen:
            other = seen[name.lower()]
            how = "appears twice" if other == name else f"and {other!r} differ only by case"
            raise InvalidNameError(f"The {kind} name {name!r} {how}. Rename one of them.")
        seen[name.lower()] = name
    return tuple(seen.values())


def as_names(names: str | Iterable[str], what: str) -> tuple[str, ...]:
    """List one name or several, as a person may give either.

    Raises:
        InvalidDefinitionError: for anything that is no text.
    """
    listed = names if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
    given = tuple(listed)
    for name in given:
        if not isinstance(name, str):
            raise InvalidDefinitionError(f"{what} is a column's name, or several; {name!r} is none.")
    return given
