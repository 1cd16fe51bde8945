"""What can be found in a store: one value for each group, feature, view, training set, model and recipe, made from documents."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from treering.lineage import Lineage, Uses
from treering.schema.column_statistics import Number
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.serialise import from_json
from treering.schema.statistics import GroupStatistics
from treering.schema.times import time_text
from treering.schema.types import FeatureType
from treering.schema.view import View
from treering.storage.documents import Document

GROUP, FEATURE, VIEW, TRAINING_SET, MODEL, RECIPE = KINDS = ("feature group", "feature", "view", "training set", "model", "recipe")


@dataclass(frozen=True, slots=True)
class Measured:
    """What statistics say of a group or a feature.

    Attributes:
        rows: records of the group.
        last_event_time: of the group's records, in microseconds since the epoch, UTC; None without records, and for a static group.
        committed_at: when the group was last written to; None if it never was.
        null_share: the part of a feature's values that is null, from 0 to 1; None for a group.
        minimum, maximum: of a feature that has an order; times in microseconds.
        is_time: whether they are times.
    """

    rows: int
    last_event_time: int | None
    committed_at: int | None
    null_share: float | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    is_time: bool = False

    @classmethod
    def of(cls, statistics: GroupStatistics, committed_at: int | None, feature: str) -> "Measured":
        """Choose what there is to say of a group, or of one of its features."""
        column = statistics.columns.get(feature)
        if column is None:
            return cls(statistics.rows, statistics.last_event_time, committed_at)
        is_time = column.type is FeatureType.TIMESTAMP
        return cls(statistics.rows, statistics.last_event_time, committed_at, column.null_share, column.minimum, column.maximum, is_time)

    @property
    def range(self) -> str:
        """The least and the greatest value as a person reads them."""
        if self.minimum is None or self.maximum is None:
            return ""
        return f"{self._text(self.minimum)} to {self._text(self.maximum)}"

    def _text(self, value: Number) -> str:
        if self.is_time:
            return time_text(int(value))[:16]
        return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found.

    Attributes:
        kind: one of `KINDS`.
        group: of a feature.
        about: further names that lead to it, such as a group's entity; a search has to match something else as well.
        uses: who uses it.
        measured: of a group or a feature, where it was asked for.
    """

    kind: str
    name: str
    group: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    about: tuple[str, ...] = ()
    uses: Uses = field(default_factory=Uses)
    measured: Measured | None = None

    @property
    def title(self) -> str:
        """Its name; a feature's after that of its group."""
        return f"{self.group}.{self.name}" if self.group else self.name

    @property
    def used_by(self) -> str:
        """How many use it, as "3 views, 5 models"; empty for none."""
        return str(self.uses)

    def to_json(self) -> dict[str, Any]:
        """Write the hit as what `json.dumps` takes; times are text."""
        said = {"kind": self.kind, "name": self.name, "group": self.group, "description": self.description, "tags": dict(self.tags), "owner": self.owner}
        uses = {name: list(users) for name, users in asdict(self.uses).items()}
        return {**said, "used_by": uses, "measured": None if self.measured is None else _measured_json(self.measured)}


def _measured_json(measured: Measured) -> dict[str, Any]:
    times = {name: getattr(measured, name) for name in ("last_event_time", "committed_at")}
    if measured.is_time:
        times |= {"minimum": measured.minimum, "maximum": measured.maximum}
    value = asdict(measured) | {name: None if time is None else time_text(int(time)) for name, time in times.items()}
    del value["is_time"]
    return value


def of_groups(definitions: Iterable[FeatureGroupDefinition], lineage: Lineage) -> Iterator[Hit]:
    """Make hits of feature groups and of their features."""
    for one in definitions:
        uses = lineage.of_group(one.name)
        yield Hit(GROUP, one.name, description=one.description, tags=one.tags, owner=one.owner, about=one.entity, uses=uses)
        for name in one.feature_names:
            feature = one.schema[name]
            uses = lineage.of_feature(one.name, name)
            yield Hit(FEATURE, name, one.name, feature.description, feature.tags, feature.owner, about=(one.name,), uses=uses)


def of_lineage(lineage: Lineage) -> Iterator[Hit]:
    """Make hits of views, of the newest version of each training set, and of the jobs that left a model."""
    for document in lineage.views:
        view: View = from_json(document.value["view"])
        yield Hit(VIEW, view.name, "", view.description, view.tags, view.owner, about=view.groups, uses=lineage.of_view(view.name))
    for document in lineage.newest_training_sets:
        yield _training_set(document, lineage)
    for document in lineage.training_jobs:
        if document.value["artifact"]:
            yield _model(document)


def _training_set(document: Document, lineage: Lineage) -> Hit:
    value, content = document.value, document.value["content"]
    view, groups = (content["view"] or {}).get("name"), content["provenance"]["groups"]
    source = f"view {view}" if view else ", ".join(groups)
    # What was said about it, or else what it is.
    description = value["description"] or f"version {document.number}: {content['rows']:,} rows from {source}"
    about = (*groups, *([view] if view else []))
    return Hit(TRAINING_SET, document.name, "", description, value["tags"], value["owner"], about, lineage.of_training_set(document.name))


def _model(document: Document) -> Hit:
    spec = document.value["spec"]
    used = spec["training_set"]
    return Hit(MODEL, document.name, description=f"{spec['trainer']['is']} on {used['name']} version {used['version']}")


def of_recipes(documents: Iterable[Document]) -> Iterator[Hit]:
    """Make hits of stored recipes."""
    for one in documents:
        if not one.value.get("dropped"):
            yield Hit(RECIPE, one.name, "", one.value["description"], one.value["tags"], one.value["owner"])
