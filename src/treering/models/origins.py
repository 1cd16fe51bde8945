"""Where a model comes from, laid out for a report: features, lookups, rows, steps, parameters, digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treering.models.findings import Findings
from treering.models.sections import Table
from treering.models.wording import day, figure, minute, share, size
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.serialise import from_json
from treering.schema.times import duration_text
from treering.schema.view import Lookup
from treering.training.matrix import USED_SPLITS
from treering.training.script import Script

SHOWN_FEATURES = 20
_OUTCOMES = ("matched", "no_history", "not_yet_known", "deleted", "expired")
_BESIDE = ("withheld", "written_after_label", "ties")


@dataclass(frozen=True, slots=True)
class Bar:
    """One feature's part in the model.

    Attributes:
        origin: the group that it was looked up in, "labels", or "recipe".
        length: percent of the longest bar.
    """

    name: str
    origin: str
    description: str
    value: str
    length: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar.

    Attributes:
        style: its class.
        start, length: percent of the bar.
        text: what it is and how much.
    """

    style: str
    start: float
    length: float
    text: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A named bar of segments."""

    name: str
    note: str
    segments: tuple[Segment, ...]


def importance(findings: Findings) -> tuple[Bar, ...]:
    """Lay out the features that matter most, with where they come from."""
    known = _origins(findings)
    largest = max(findings.importance.values(), default=0.0) or 1.0
    shown = list(findings.importance.items())[:SHOWN_FEATURES]
    return tuple(Bar(name, *known.get(name, ("recipe", "")), figure(gain), 100 * gain / largest) for name, gain in shown)


def _origins(findings: Findings) -> Mapping[str, tuple[str, str]]:
    """Say of each column that the model is given where it comes from, and what its feature group says of it."""
    known = dict.fromkeys(findings.model.labels.inputs, ("labels", ""))
    definitions: dict[str, FeatureGroupDefinition] = {
        name: from_json(definition) for name, definition in findings.training_set.receipt.provenance["groups"].items()
    }
    for lookup, _ in findings.model.lookups:
        schema = definitions[lookup.group].schema
        known |= {lookup.output_name(name): (lookup.group, schema[name].description) for name in lookup.features or schema.names}
        known[f"{lookup.prefix}{lookup.group}_age_seconds"] = (lookup.group, "Age of the record, seconds")
    return known


def lookups(findings: Findings) -> tuple[Strip, ...]:
    """Draw how the label rows of each lookup ended."""
    asked = [lookup for lookup, _ in findings.model.lookups]
    return tuple(_strip(counts, lookup) for counts, lookup in zip(findings.training_set.receipt.counts, asked, strict=True))


def _strip(counts: Mapping[str, Any], lookup: Lookup) -> Strip:
    segments, start = [], 0.0
    for outcome in _OUTCOMES:
        if counts[outcome]:
            length = 100 * counts[outcome] / counts["rows"]
            segments.append(Segment(outcome.replace("_", "-"), start, length, f"{outcome.replace('_', ' ')} {share(counts[outcome], counts['rows'])}"))
            start += length
    return Strip(f"{counts['prefix']}{counts['group']}", _rule_of(lookup), tuple(segments))


def _rule_of(lookup: Lookup) -> str:
    by = f"by {', '.join(lookup.on)}" if lookup.on else "by columns of the same name"
    age = "" if lookup.max_age is None else f", no older than {duration_text(lookup.max_age)}"
    return by + age + (", strictly before the label" if lookup.strictly_before else "")


def lookup_counts(findings: Findings) -> Table:
    """Lay out everything that was counted, a lookup a row."""
    names = (*_OUTCOMES, *_BESIDE)
    rows = tuple((f"{one['prefix']}{one['group']}", *(f"{one[name]:,}" for name in names)) for one in findings.training_set.receipt.counts)
    return Table("Label rows by how their lookup ended, and what was seen on the way", ("lookup", *(name.replace("_", " ") for name in names)), rows)


def periods(findings: Findings) -> tuple[Strip, ...]:
    """Draw when the rows of each split that is used lie, on one scale of time."""
    splits = [(name, one) for name, one in findings.training_set.receipt.splits.items() if name in USED_SPLITS]
    begin, end = min(one.first for _, one in splits), max(one.last for _, one in splits)
    whole = max(end - begin, 1)
    return tuple(
        Strip(
            name,
            f"{one.rows:,} rows, {day(one.first)} to {day(one.last)}",
            (Segment(f"split-{name}", 100 * (one.first - begin) / whole, 100 * (one.last - one.first) / whole, name),),
        )
        for name, one in splits
    )


def splits(findings: Findings) -> Table:
    """Lay out how many rows each split has, from when to when, and how many have no target."""
    receipt = findings.training_set.receipt
    rows = tuple(
        (name, f"{one.rows:,}", share(one.rows, receipt.rows), minute(one.first), minute(one.last), f"{one.null_targets:,}")
        for name, one in receipt.splits.items()
    )
    return Table("Rows by split", ("split", "rows", "share", "first label", "last label", "no target"), rows, tuple(f"split-{name}" for name in receipt.splits))


def steps(findings: Findings) -> tuple[tuple[str, str], ...]:
    """List the recipe's steps with what they were told."""
    recipe = findings.model.artifact.recipe
    return () if recipe is None else tuple((step["is"], _told(step["parameters"])) for step in recipe["steps"])


def _told(parameters: Mapping[str, Any]) -> str:
    said = {name.rstrip("_"): value for name, value in parameters.items() if value not in (None, [], {})}
    return "; ".join(f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in said.items())


def parameters(findings: Findings) -> Table:
    """Lay out a script's hyperparameters, or the parameters that are not XGBoost's defaults."""
    trainer = findings.job.spec.trainer
    if isinstance(trainer, Script):
        told = tuple((name, str(value)) for name, value in sorted(trainer.hyperparameters.items()))
        return Table(f"Hyperparameters of {trainer.file}", ("hyperparameter", "value"), told)
    given: dict[str, tuple[Any, Any]] = {"num_round": (trainer.num_round, None), "early_stopping_rounds": (trainer.early_stopping_rounds, None)}
    given |= {"eval_metric": (", ".join(trainer.eval_metric) or None, None), "class_weight": (trainer.class_weight, None)}
    given |= {name: (value, trainer.defaults[name]) for name, value in sorted(trainer.told.items())}
    rows = tuple((name, str(value), "-" if default is None else str(default)) for name, (value, default) in given.items() if value is not None)
    return Table("Parameters that differ from XGBoost's defaults", ("parameter", "value", "default"), rows)


def provenance(findings: Findings) -> tuple[tuple[str, str], ...]:
    """List names, versions and digests: what one needs to find every part again."""
    job, training_set, artifact = findings.job, findings.training_set, findings.model.artifact
    receipt = training_set.receipt
    archive = () if job.artifact is None else (("model archive", f"{job.artifact.key}, {size(job.artifact.bytes)}"), ("archive SHA-256", job.artifact.sha256))
    trainer = (
        ("script", f"{job.spec.trainer.file}, sha256 {job.spec.trainer.sha256}")
        if isinstance(job.spec.trainer, Script)
        else ("XGBoost", str(artifact.parameters["xgboost_version"]))
    )
    commits = ", ".join(dict.fromkeys(f"{lookup.group} at commit {commit}" for lookup, commit in findings.model.lookups))
    return (
        ("training job", job.name),
        ("started", minute(job.created_at)),
        *(() if job.resources is None else (("used", str(job.resources)),)),
        ("training set", f"{training_set.name} version {training_set.version}, {size(sum(part.bytes for part in receipt.parts))}"),
        ("training set id", training_set.id),
        ("feature groups", commits or "none"),
        ("labels' digest", str(receipt.provenance["label_digest"])),
        *archive,
        trainer,
        ("treering", receipt.treering),
    )
