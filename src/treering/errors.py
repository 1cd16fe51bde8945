"""Every exception that treering raises. Each message says what is wrong, where, and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Write the hint that ends a "not found" message: the nearest name, or the names that exist."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    if not names:
        return "There are none yet."
    shown = ", ".join(repr(known_name) for known_name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"There are: {shown}{more}."


class TreeringError(Exception):
    """The base of every error that treering raises on purpose."""


class InvalidNameError(TreeringError, ValueError):
    """A name that breaks SageMaker's rule for names, or is reserved."""


class InvalidDefinitionError(TreeringError, ValueError):
    """A feature group, view, lookup, recipe or job whose parts contradict each other."""


class SettingsError(TreeringError, ValueError):
    """A setting that cannot be read or used."""


class NotFoundError(TreeringError, LookupError):
    """Something asked for by name that the store does not hold."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], where: str = "the store") -> "NotFoundError":
        """Build the error for one missing name, with the nearest name that exists."""
        return cls(f"No {kind} {name!r} in {where}. {did_you_mean(name, known)}")


class FeatureGroupNotFoundError(NotFoundError):
    """No feature group of that name."""


class FeatureNotFoundError(NotFoundError):
    """No feature of that name in the group."""


class AlreadyExistsError(TreeringError, ValueError):
    """A name that is taken."""


class SchemaMismatchError(TreeringError, ValueError):
    """Data whose columns or types are not those of the feature group."""


class BadRowsError(TreeringError, ValueError):
    """Rows that a feature group cannot take; nothing was written.

    Attributes:
        counts: how many rows each reason rejected.
    """

    def __init__(self, message: str, counts: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.counts = dict(counts or {})


class SourceError(TreeringError, ValueError):
    """Outside data that cannot be read: a missing file, a broken CSV, an unknown kind of source."""


class TokenReusedError(TreeringError, ValueError):
    """An ingestion token that was used before, with other content."""


class LabelsError(TreeringError, ValueError):
    """Labels that cannot be looked up: rows that cannot be read, rows without a time, a time without a zone."""


class ColumnCollisionError(TreeringError, ValueError):
    """Two output columns of one lookup that share a name, or differ only by case."""


class KeyTypeError(TreeringError, TypeError):
    """A label key that cannot be compared with the group's entity."""


class UnknownArgumentError(TreeringError, TypeError):
    """An argument that does not exist, or has the wrong shape, and would otherwise be passed over."""


class ReadOnlyStoreError(TreeringError, PermissionError):
    """A write to a store that was opened to read, or in which one may only read."""


class StoreFormatError(TreeringError, ValueError):
    """A folder that is no treering store, or one written by a newer treering."""


class RelocatedTableError(TreeringError, RuntimeError):
    """A write to a table whose metadata name another place than the one it stands in."""


class CommitConflictError(TreeringError, RuntimeError):
    """A commit that other writers outran on every try; nothing was written."""


class OutcomeUnknownError(TreeringError, RuntimeError):
    """A conditional create whose answer was lost: it may or may not have landed."""


class CorruptDataError(TreeringError, OSError):
    """Stored bytes that are not the bytes that were written."""


class ObjectNotFoundError(TreeringError, FileNotFoundError):
    """No object at that key."""


class StorageError(TreeringError, OSError):
    """The folder or the bucket refused, or could not be reached."""


class MissingExtraError(TreeringError, ImportError):
    """A part of treering that needs an extra which is not installed."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> "MissingExtraError":
        """Build the error with the command that installs the extra."""
        return cls(f"{what} needs {package}: pip install 'treering[{extra}]'")


class NotConfirmedError(TreeringError, ValueError):
    """A destructive call without the confirmation that it asks for."""


class SqlError(TreeringError, ValueError):
    """A query that is not a single SELECT, or that the SQL engine refused."""


class ProjectError(TreeringError, ValueError):
    """A project file that cannot be read, or that contradicts itself."""


class RecipeError(TreeringError, ValueError):
    """Data that a recipe's step cannot learn from or transform, or a step that is not the one that was saved."""


class NotFittedError(TreeringError, RuntimeError):
    """A recipe that was asked to transform before it was fitted."""


class TrainingError(TreeringError, RuntimeError):
    """A training job that failed, or that cannot be started."""


class ArtifactError(TreeringError, ValueError):
    """A model archive with unsafe members, or bytes that do not match its checksums."""
