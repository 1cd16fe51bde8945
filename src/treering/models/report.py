"""A report on one model: one page of HTML that needs nothing beside it, no script and no network."""

import os
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from treering.errors import MissingExtraError, ReadOnlyStoreError
from treering.models import origins, sections
from treering.models.findings import Findings
from treering.models.wording import minute
from treering.storage.objects import Objects

try:
    import jinja2
except ImportError as error:
    raise MissingExtraError.of("A report", "jinja2", "train") from error


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """A model's report.

    Attributes:
        name: the training job's.
        key: where the store keeps it, below its root.
        html: the page.
        address: where it was written; None where the store is read only.
    """

    name: str
    key: str
    html: str
    address: str | None = None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file of one's own.

        Args:
            path: of the file; a file that is there is replaced.
        """
        file = Path(path).expanduser()
        file.write_text(self.html, "utf-8")
        return file

    def __repr__(self) -> str:
        kept = "not kept: the store is read only" if self.address is None else self.address
        return f"Report on model {self.name!r}, {len(self.html.encode()):,} bytes of HTML\n  {kept}"


def render(findings: Findings) -> Report:
    """Lay findings out as a page; equal findings give equal bytes."""
    templates = {file.name: file.read_text("utf-8") for file in files("treering.models").joinpath("templates").iterdir() if file.name.startswith("report.")}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("report.html").render(
        minute=minute,
        found=findings,
        job=findings.job,
        training_set=findings.training_set,
        model=findings.model,
        quality=sections.quality(findings),
        metrics=sections.metrics_by_split(findings),
        learning=sections.learning_curves(findings),
        importance=origins.importance(findings),
        lookups=origins.lookups(findings),
        lookup_counts=origins.lookup_counts(findings),
        periods=origins.periods(findings),
        splits=origins.splits(findings),
        steps=origins.steps(findings),
        parameters=origins.parameters(findings),
        provenance=origins.provenance(findings),
    )
    return Report(findings.job.name, f"{findings.job.spec.folder}/report.html", page)


def keep(report: Report, objects: Objects) -> Report:
    """Write a report into the store, in place of an earlier one; a store in which one may only read is left alone."""
    try:
        objects.put(report.key, report.html.encode())
    except ReadOnlyStoreError:
        return report
    return replace(report, address=objects.uri(report.key))
