"""Recipes kept in the store under a name, version after version."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from treering.errors import AlreadyExistsError, InvalidDefinitionError, NotConfirmedError, NotFoundError
from treering.recipes.diff import RecipeDiff
from treering.recipes.recipe import Recipe
from treering.recipes.steps import step_text
from treering.schema.names import check_name, is_name
from treering.schema.times import MICROSECONDS_PER_SECOND, time_text
from treering.schema.types import text_tags
from treering.storage.documents import Document, Documents

_KIND = "recipes"


@dataclass(frozen=True, slots=True)
class StoredRecipe:
    """One version of a recipe in the store, told without any code: what runs a person's own function needs it only to be used.

    Attributes:
        name, version: versions are whole numbers that rise, and none is given twice.
        json: what `Recipe.to_json` wrote.
        digest: SHA-256 of it.
        description, tags, owner: for people.
        saved_at: in microseconds since 1970 UTC.
    """

    name: str
    version: int
    json: Mapping[str, Any]
    digest: str
    description: str
    tags: Mapping[str, str]
    owner: str
    saved_at: int

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps in short, as "MinMax(temp)"."""
        return tuple(step_text(step) for step in self.json["steps"])

    @property
    def is_fitted(self) -> bool:
        """Whether it was saved with what it had learned."""
        return "fitted_on" in self.json

    def to_json(self) -> dict[str, Any]:
        """Write it as what `json.dumps` takes, the recipe as `Recipe.to_json` wrote it under "recipe"."""
        facts = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "json"}
        return {**facts, "tags": dict(self.tags), "saved_at": time_text(self.saved_at), "steps": list(self.steps), "recipe": dict(self.json)}

    def __repr__(self) -> str:
        state = f"fitted on {self.json['fitted_on']['rows']:,} rows" if self.is_fitted else "not fitted"
        about = "".join(f"\n  {text}" for text in (self.description, f"owner {self.owner}" if self.owner else "") if text)
        steps = "".join(f"\n  {position}. {step}" for position, step in enumerate(self.steps, 1))
        return f"Recipe {self.name!r} version {self.version}, {state}, saved {time_text(self.saved_at - self.saved_at % MICROSECONDS_PER_SECOND)}{about}{steps}"


class Recipes:
    """`store.recipes`: a mapping from names to recipes, and what keeps their versions. Going through it gives the names.

    Args:
        documents: the store's.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def save(self, name: str, recipe: Recipe, *, description: str = "", tags: Mapping[str, str] | None = None, owner: str = "") -> StoredRecipe:
        """Keep a recipe under a name, as its next version; what is there already, with the same words about it, is not written again.

        Args:
            name: by SageMaker's rule.
            recipe: fitted or not; what it learned is kept with it. Functions of `tr.step` are kept as their source's digest.
            description, tags, owner: for people.

        Raises:
            InvalidNameError: for a name that breaks the rule.
            InvalidDefinitionError: for what is no recipe, and tags that are no texts.
        """
        check_name(name, "recipe")
        if not isinstance(recipe, Recipe):
            raise InvalidDefinitionError(f"store.recipes keeps recipes, not {type(recipe).__name__}. Make one: tr.Recipe([...]).")
        value = {
            "recipe": recipe.to_json(),
            "digest": recipe.digest(),
            "description": description,
            "tags": text_tags(tags or {}, f"recipe {name!r}"),
            "owner": owner,
        }
        current = self._documents.current(_KIND, name)
        if current is not None and current.value == value:
            return _read(current)
        try:
            return _read(self._documents.create(_KIND, name, value))
        except AlreadyExistsError:
            return _read(self._documents.update(_KIND, name, lambda _: value))

    def get(self, name: str, version: int | None = None, functions: Mapping[str, Any] | None = None) -> Recipe:
        """Build a recipe that was saved.

        Args:
            name: the recipe's.
            version: None is the newest.
            functions: your own functions by name, for steps made by `tr.step`; each has to be the one that was saved.

        Raises:
            NotFoundError: for a name or a version that there is not.
            RecipeError: for a function that is missing or has changed.
        """
        return Recipe.from_json(self.describe(name, version).json, functions)

    def describe(self, name: str, version: int | None = None) -> StoredRecipe:
        """Tell what is kept, without building it.

        Raises:
            NotFoundError: for a name or a version that there is not.
        """
        if version is None:
            return _read(self._living(name))
        versions = {stored.version: stored for stored in self.versions(name)}
        if version not in versions:
            raise NotFoundError(f"Recipe {name!r} has no version {version!r}. It has: {', '.join(map(str, versions))}.")
        return versions[version]

    def versions(self, name: str) -> "Sequence[StoredRecipe]":
        """List the versions of a recipe, oldest first.

        Raises:
            NotFoundError: with the nearest name.
        """
        self._living(name)
        history = self._documents.history(_KIND, name)
        first = max((document.number for document in history if document.value.get("dropped")), default=0)
        return [_read(document) for document in history if document.number > first]

    def diff(self, name: str, old: int, new: int) -> RecipeDiff:
        """Compare two versions of a recipe: steps, parameters, and what was learned. Print it to read it.

        Raises:
            NotFoundError: for a name or a version that there is not.
        """
        return RecipeDiff.of(self.describe(name, old).json, self.describe(name, new).json)

    def drop(self, name: str, *, confirm: str = "") -> None:
        """Take a recipe and its versions out of the store; ingestions and models keep the copies that they were made with.

        Args:
            name: the recipe's.
            confirm: the name again.

        Raises:
            NotFoundError: with the nearest name.
            NotConfirmedError: if `confirm` is not the name.
        """
        versions = len(self.versions(name))
        if confirm != name:
            raise NotConfirmedError(
                f"Dropping recipe {name!r} takes it, with its versions ({versions}), from everybody who uses the store. "
                f"Ingestions and models keep their own copies. To go on, say drop({name!r}, confirm={name!r})."
            )
        self._documents.update(_KIND, name, lambda value: {**value, "dropped": True})

    def __getitem__(self, name: str) -> Recipe:
        """Build the newest version of a recipe; one that runs your own functions takes `get(name, functions=...)`.

        Raises:
            NotFoundError: with the nearest name.
        """
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return self._current(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> "Sequence[str]":
        """List the names of all recipes."""
        return [stored.name for stored in self.list()]

    def list(self) -> "Sequence[StoredRecipe]":
        """List the newest version of every recipe, by name."""
        return [_read(document) for document in self._documents.all(_KIND) if not document.value.get("dropped")]

    def __repr__(self) -> str:
        recipes = self.list()
        return "\n".join([f"{len(recipes)} recipes", *(f"  {stored.name}: version {stored.version}, {', '.join(stored.steps)}" for stored in recipes)])

    def _current(self, name: object) -> Document | None:
        document = self._documents.current(_KIND, str(name)) if is_name(name) else None
        return None if document is None or document.value.get("dropped") else document

    def _living(self, name: str) -> Document:
        document = self._current(name)
        if document is None:
            raise NotFoundError.among("recipe", str(name), self.names())
        return document


def _read(document: Document) -> StoredRecipe:
    value = document.value
    return StoredRecipe(
        document.name,
        document.number,
        value["recipe"],
        value["digest"],
        description=value["description"],
        tags=value["tags"],
        owner=value["owner"],
        saved_at=document.written_at,
    )
