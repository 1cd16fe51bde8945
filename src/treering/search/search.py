"""Searching a store: which documents are read, what matches, and in which order it is shown."""

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from treering.errors import InvalidDefinitionError, did_you_mean
from treering.feature_groups.catalogue import FeatureGroups
from treering.feature_groups.feature_group import FeatureGroup
from treering.lineage import Lineage
from treering.schema.statistics import GroupStatistics
from treering.search.hits import FEATURE, GROUP, KINDS, RECIPE, Hit, Measured, of_groups, of_lineage, of_recipes
from treering.search.results import SHOWN, SearchResults
from treering.storage.documents import Documents

_RECIPES = "recipes"
_READERS = 8
_EXACT, _PREFIX, _NAME, _SAID = range(4)


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for.

    Attributes:
        text: words that all have to be there, in any case; empty finds everything.
        kind: only this kind.
        tags: what the tags have to hold.
    """

    text: str = ""
    kind: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidDefinitionError(f"A search is for words, as text, and {self.text!r} is none. Leave it out to find everything.")
        if self.kind is not None:
            # "training_set" and "feature-groups" are what people type.
            kind = re.sub(r"[\s_-]+", " ", self.kind.strip().lower()).removesuffix("s")
            if kind not in KINDS:
                raise InvalidDefinitionError(f"kind={self.kind!r} is nothing that can be found. {did_you_mean(self.kind, KINDS)}")
            object.__setattr__(self, "kind", kind)

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in lower case; a feature may be written as `weather.temp`."""
        return tuple(word for word in re.split(r"[\s.]+", self.text.lower()) if word)

    def rank(self, hit: Hit) -> int | None:
        """Rank a hit: its name is the text, begins with it, or has all words; else they are in what is said of it. None for no match."""
        if (self.kind or hit.kind) != hit.kind or not self.tags.items() <= hit.tags.items():
            return None
        name, title, text = hit.name.lower(), hit.title.lower(), self.text.strip().lower()
        if text in (name, title):
            return _EXACT
        if name.startswith(text) or ("." in text and title.startswith(text)):
            return _PREFIX
        if all(word in name for word in self.words):
            return _NAME
        own = "\n".join([hit.name, hit.description, hit.owner, *hit.tags, *hit.tags.values()]).lower()
        around = "\n".join([own, *hit.about]).lower()
        is_match = all(word in around for word in self.words) and any(word in own for word in self.words)
        return _SAID if is_match else None

    def __str__(self) -> str:
        said = [f"{key}={value}" for key, value in self.tags.items()]
        return ", ".join([repr(self.text) if self.text else "everything", *([f"kind {self.kind}"] if self.kind else []), *said])


def search(documents: Documents, groups: FeatureGroups, query: Query) -> SearchResults:
    """Find what a store holds.

    One listing for each kind of document and one read for each document that can match or be a user; then, for the groups of
    the hits that are shown, the statistics kept with their commits. No record is read.
    """
    found = {group.definition.name: group for group in _groups(groups, query)}
    candidates = list(_candidates(documents, found.values(), query))
    ranked = [(rank, KINDS.index(hit.kind), hit.title.lower(), hit) for hit in candidates if (rank := query.rank(hit)) is not None]
    hits = [hit for *_, hit in sorted(ranked, key=lambda one: one[:3])]
    if not hits:
        return SearchResults(str(query), (), _hint(query, candidates))
    return SearchResults(str(query), (*_measured(hits[:SHOWN], found), *hits[SHOWN:]))


def _groups(groups: FeatureGroups, query: Query) -> Iterable[FeatureGroup]:
    return groups.list() if query.kind in (None, GROUP, FEATURE) else ()


def _candidates(documents: Documents, groups: Iterable[FeatureGroup], query: Query) -> Iterator[Hit]:
    if query.kind != RECIPE:
        lineage = Lineage.read(documents)
        yield from of_groups((group.definition for group in groups), lineage)
        yield from of_lineage(lineage)
    if query.kind in (None, RECIPE):
        yield from of_recipes(documents.all(_RECIPES))


def _hint(query: Query, candidates: Iterable[Hit]) -> str:
    names = {name for hit in candidates if (query.kind or hit.kind) == hit.kind for name in (hit.name, hit.title)}
    return did_you_mean(query.text, names)


def _measured(hits: Iterable[Hit], groups: Mapping[str, FeatureGroup]) -> list[Hit]:
    shown = list(hits)
    wanted = sorted({_group_of(hit) for hit in shown} - {""})
    with ThreadPoolExecutor(_READERS, thread_name_prefix="treering-search") as pool:
        known = dict(zip(wanted, pool.map(lambda name: _measure(groups[name]), wanted), strict=True))
    return [replace(hit, measured=Measured.of(*known[_group_of(hit)], hit.name if hit.kind == FEATURE else "")) if _group_of(hit) else hit for hit in shown]


def _group_of(hit: Hit) -> str:
    return {GROUP: hit.name, FEATURE: hit.group}.get(hit.kind, "")


def _measure(group: FeatureGroup) -> tuple[GroupStatistics, int | None]:
    commits = group.commits()
    return group.statistics(), commits[-1].committed_at if commits else None
