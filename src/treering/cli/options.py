"""The options that commands share, and what they open: a store that exists, names that the shell completes."""

import importlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from treering.cli.screen import checked_rows_file
from treering.errors import InvalidDefinitionError, TreeringError

if TYPE_CHECKING:
    from treering.store import Store

HERE = "."

Root = Annotated[
    str, typer.Option("--store", "-s", envvar="TREERING_STORE", help="The store: a folder, or s3://bucket/prefix; this folder if left out.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def example(line: str) -> str:
    """Write a command's example, as its help shows it last."""
    return f"Example: {line}"


def opened(root: str, *, read_only: bool = False) -> "Store":
    """Open a store that exists.

    Raises:
        StoreFormatError: if there is none.
    """
    from treering.store import Store

    return Store(root, read_only=read_only, create=False)


def names(part: str) -> Callable[[typer.Context], list[str]]:
    """Complete the names that one part of the store has, such as "feature_groups"."""

    def complete(context: typer.Context) -> list[str]:
        try:
            store = opened(context.params.get("store") or HERE, read_only=True)
            return [str(getattr(item, "name", item)) for item in _listed(getattr(store, part))]
        except TreeringError:
            # A shell that completes has no place for errors.
            return []

    return complete


def _listed(part: Any) -> Iterable[Any]:
    listed: Iterable[Any] = part.names() if hasattr(part, "names") else part.list()
    return listed


Group = Annotated[str, typer.Argument(help="The feature group.", autocompletion=names("feature_groups"))]
Functions = Annotated[str | None, typer.Option(help="A Python file, or a module, with the functions that recipes name.", show_default=False)]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="NAME=VALUE; may be repeated.", show_default=False)]
Description = Annotated[str, typer.Option(help="For people.", show_default=False)]
Owner = Annotated[str, typer.Option(help="Who answers for it.", show_default=False)]


def _rows_file(path: Path | None) -> Path | None:
    return None if path is None else checked_rows_file(path)


Out = Annotated[Path | None, typer.Option("--out", "-o", help="A .csv or .parquet file to write the rows to.", show_default=False, callback=_rows_file)]


def pairs(texts: Iterable[str] | None, option: str) -> dict[str, str]:
    """Read options such as `--tag domain=flights`.

    Raises:
        InvalidDefinitionError: for one without an equals sign.
    """
    found = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise InvalidDefinitionError(f"{option} {text!r} cannot be read. Write {option} NAME=VALUE.")
        found[name] = value
    return found


def named_version(text: str) -> tuple[str, int | None]:
    """Read `NAME` or `NAME:VERSION`.

    >>> named_version("late-arrivals:2"), named_version("late-arrivals")
    (('late-arrivals', 2), ('late-arrivals', None))

    Raises:
        InvalidDefinitionError: for a version that is no whole number.
    """
    name, colon, version = text.partition(":")
    if colon and not version.isdecimal():
        raise InvalidDefinitionError(f"{text!r} cannot be read. Write NAME or NAME:VERSION, such as {name}:1.")
    return name, int(version) if colon else None


# What the code of somebody else's module may well raise while it runs.
_IMPORT_ERRORS = (
    ImportError,
    SyntaxError,
    NameError,
    AttributeError,
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    OSError,
    RuntimeError,
    AssertionError,
)


def functions_of(location: str | None) -> dict[str, Any]:
    """Import the functions of a Python file or module that was named on the command line, and never by stored data.

    Raises:
        InvalidDefinitionError: for a file or module that there is not, or that cannot be imported.
    """
    if location is None:
        return {}
    path = Path(location)
    name = path.stem if path.suffix == ".py" else location
    if path.suffix == ".py":
        # A training child imports them by this name, from the same place.
        sys.path.insert(0, str(path.resolve().parent))
    try:
        module = importlib.import_module(name)
    except _IMPORT_ERRORS as error:
        raise InvalidDefinitionError(
            f"The functions of {location} cannot be imported ({type(error).__name__}: {error}). Name a Python file, such as features.py, or a module."
        ) from error
    if path.suffix == ".py" and path.resolve() != Path(str(module.__file__)).resolve():
        raise InvalidDefinitionError(f"{location} cannot be imported: {name!r} is also the name of {module.__file__}. Rename the file.")
    return {function: value for function, value in vars(module).items() if callable(value) and not function.startswith("_")}
