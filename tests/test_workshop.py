"""The workshop is run from its first page to its last, in a folder and on S3, and prints what its pages show."""

import sys
from pathlib import Path

import pytest

from support.pages import Reader

WORKSHOP = Path(__file__).parents[1] / "docs" / "workshop"
CHAPTERS = sorted(WORKSHOP.glob("[1-9]-*.md"))


def test_the_chapters_run_in_order_and_print_what_they_show(any_root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(CHAPTERS) == 6
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKSHOP_ROOT", any_root)
    # As in a Python session, files beside one are imported; each run has its own.
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "features", raising=False)
    reader = Reader(tmp_path, called={any_root: "workshop", str(tmp_path): ""})
    for chapter in CHAPTERS:
        reader.follow(chapter)


def test_the_table_of_contents_names_every_chapter() -> None:
    contents = (WORKSHOP / "README.md").read_text("utf-8")
    assert [chapter.name for chapter in CHAPTERS if f"]({chapter.name})" not in contents] == []


@pytest.mark.parametrize("page", [WORKSHOP / "README.md", *CHAPTERS], ids=lambda page: page.name)
def test_a_chapter_is_short(page: Path) -> None:
    assert len(page.read_text("utf-8").splitlines()) <= 160


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```python\nprint('2 rows')\n```\n\n```text\n3 rows\n```\n", "page.md, line 6 shows"),
        ("```console\n$ echo 2 rows\n3 rows\n```\n", "page.md, line 2 shows"),
        ("```ini\nrows = 2\n```\n", "neither run nor saved"),
    ],
)
def test_a_page_that_shows_something_else_is_refused(page: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(page)
    with pytest.raises(AssertionError, match=complaint):
        Reader(tmp_path, called={}).follow(tmp_path / "page.md")
