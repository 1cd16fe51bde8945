import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import treering as tr
from support.trained import NASTY, flights, labels
from treering.errors import TrainingError
from treering.models.evaluation import Answers, evaluate
from treering.models.findings import gather
from treering.models.sections import quality
from treering.storage.roots import open_objects
from treering.training.objectives import Kind

NAMES = ("late-1", "delay-1", "outcome-1")
# Elements that have no end tag.
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """The elements of a page, checked to be nested properly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_one_sound_page_that_needs_nothing_else(trained: tr.Store, name: str) -> None:
    page = Page(trained.models.report(name).html)
    assert page.open == []
    assert {tag for tag, _ in page.seen}.isdisjoint({"script", "link", "img", "iframe", "object"})
    links = [value for _, attributes in page.seen for key, value in attributes.items() if key in ("src", "href", "xlink:href") or "url(" in str(value)]
    assert links == []
    assert not re.search(r"url\(|@import|https?://", trained.models.report(name).html)


def test_text_from_data_is_escaped_in_pages_and_drawings(trained: tr.Store) -> None:
    html = trained.models.report("outcome-1").html
    assert NASTY not in html
    assert html.count("&lt;script&gt;") >= 3


def test_no_template_switches_escaping_off() -> None:
    templates = [file.read_text("utf-8") for file in files("treering.models").joinpath("templates").iterdir()]
    assert len(templates) == 2
    assert [text for text in templates if re.search(r"\|\s*safe|autoescape", text)] == []


def test_a_report_tells_how_good_the_model_is_after_its_kind(trained: tr.Store) -> None:
    late, delay, outcome = (trained.models.report(name).html for name in NAMES)
    assert all(words in late for words in ("ROC curve", "Precision and recall", "Calibration", "Confusion matrix of late"))
    assert all(words in delay for words in ("Predicted and actual", "Residuals"))
    assert all(words in outcome for words in ("Confusion matrix of outcome", "Each class against all others"))


@pytest.mark.parametrize("name", NAMES)
def test_a_report_tells_where_the_model_comes_from(trained: tr.Store, name: str) -> None:
    html, job = trained.models.report(name).html, trained.training_jobs[name]
    assert job.artifact is not None
    told = (job.artifact.sha256, job.spec.training_set.id, "weather at commit 1", "FillMissing", "OneHot", "max_depth", "matched 100%", "150 rows", "by round")
    assert [words for words in told if words not in html] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_report_can_be_read_without_seeing_it(trained: tr.Store, name: str) -> None:
    page = Page(trained.models.report(name).html)
    drawings = [attributes for tag, attributes in page.seen if tag == "svg" and attributes.get("aria-hidden") != "true"]
    assert drawings
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.seen if tag == "th")
    tags = [tag for tag, _ in page.seen]
    assert tags.count("table") == tags.count("caption")


def test_colours_are_readable_on_both_papers() -> None:
    css = files("treering.models").joinpath("templates", "report.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", part)) for part in re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2])
    for colours in (light, light | dark):
        for name in ("ink", "soft", "accent", "train", "validation"):
            assert contrast(colours[name], colours["paper"]) >= 4.5, name


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_of_many_classes_the_largest_are_shown(trained: tr.Store) -> None:
    job = trained.training_jobs["outcome-1"]
    findings = gather(job, trained.models["outcome-1"], trained.training_sets["outcome-set"], {})
    names = tuple(f"class {number}" for number in range(20))
    target = np.repeat(np.arange(20.0), np.arange(1, 21))
    shown = quality(replace(findings, evaluation=evaluate(Answers(target, target, None, names), Kind.CLASSES)))
    assert shown.confusion is not None
    assert shown.confusion.names == names[8:]
    assert "the 12 largest of 20 classes" in shown.confusion.caption
    assert [row[position].note for position, row in enumerate(shown.confusion.rows)] == ["100%"] * 12


def test_a_model_without_recipe_and_held_back_rows_has_a_report_that_says_so(copied: tr.Store) -> None:
    lookups = tr.Lookup("weather", on="airport", features=["wind"])
    training_set = copied.training_sets.build("plain", lookups, labels(flights(), "delay", inputs=("distance",)))
    copied.training_jobs.run("plain-1", training_set, tr.XGBoost(num_round=1), echo=lambda _: None)
    html = copied.models.report("plain-1").html
    assert "No recipe" in html
    assert "Measured on the train split: 600 rows" in html
    assert "none of which trained the model" not in html
    assert "1 round ran" in html


def test_equal_findings_give_equal_pages(trained: tr.Store) -> None:
    assert trained.models.report("late-1").html == trained.models.report("late-1").html


def test_a_report_is_saved_and_kept_in_the_store(copied: tr.Store, tmp_path: Path) -> None:
    report = copied.models.report("late-1")
    kept = Path(copied.root) / "training-jobs/late-1/report.html"
    assert report.save(tmp_path / "late.html").read_text("utf-8") == report.html == kept.read_text("utf-8")
    assert report.address == f"file://{kept}"


@pytest.mark.s3
def test_a_report_of_a_store_that_was_copied_to_s3_is_the_same_and_kept_there(trained: tr.Store, s3_root: str) -> None:
    there, root = open_objects(s3_root, tr.Settings()), Path(trained.root)
    for file in root.rglob("*"):
        if file.is_file():
            there.put(file.relative_to(root).as_posix(), file.read_bytes())
    report = tr.Store(s3_root).models.report("late-1")
    assert report.html == trained.models.report("late-1").html
    assert report.address == f"{s3_root}/training-jobs/late-1/report.html"
    assert there.read(report.key).decode() == report.html


def test_a_report_of_a_store_that_is_read_only_is_not_kept(copied: tr.Store) -> None:
    kept = Path(copied.root) / "training-jobs/late-1/report.html"
    kept.unlink(missing_ok=True)
    report = tr.Store(copied.root, read_only=True).models.report("late-1")
    assert (report.address, kept.exists()) == (None, False)


def test_a_job_without_a_model_has_no_report(copied: tr.Store) -> None:
    with pytest.raises(TrainingError, match="failed"):
        copied.training_jobs.run("bad-1", copied.training_sets["late-set"], tr.XGBoost(objective="binary:logistic", num_round=1), echo=lambda _: None)
    with pytest.raises(TrainingError, match="has no model"):
        copied.models.report("bad-1")


def test_a_report_without_jinja2_says_what_to_install() -> None:
    code = "import sys; sys.modules['jinja2'] = None; import treering.models.report"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "A report needs jinja2: pip install 'treering[train]'" in shown.stderr
