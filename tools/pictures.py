"""Takes the README's pictures: a model's report and two screens of the command line, from the store that `make demo` left. Needs Chromium."""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

import treering as tr

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
PAGE = """<style>body {{ margin: 0; background: #16181d; color: #dfe3ea; padding: 22px 26px; }} pre {{ margin: 0; font: 14px/1.45 'DejaVu Sans Mono', monospace; }}</style>
<pre>{code}</pre>"""


def main(store: str = "demo-store") -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        tr.Store(store).models.report("late-arrivals-1").save(report)
        photograph(report, IMAGES / "report.png", 1200, 1360)
        for name, width, height, arguments in (
            ("group-show", 1250, 625, ("group", "show", "weather")),
            ("search", 1250, 480, ("search", "delay")),
        ):
            page = Path(folder) / f"{name}.html"
            page.write_text(screen(*arguments, "--store", store), "utf-8")
            photograph(page, IMAGES / f"{name}.png", width, height)


def screen(*arguments: str) -> str:
    """Run a command as on a terminal, and give what it shows as a page."""
    variables = os.environ | {"FORCE_COLOR": "1", "COLUMNS": "140", "TERM": "xterm-256color"}
    printed = subprocess.run([Path(sys.executable).with_name("treering"), *arguments], capture_output=True, text=True, check=True, env=variables).stdout
    recorder = Console(record=True, width=140, file=io.StringIO())
    recorder.print(Text(f"$ treering {' '.join(arguments)}", "bold green"), Text.from_ansi(printed), sep="\n")
    return recorder.export_html(theme=MONOKAI, inline_styles=True, code_format=PAGE)


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    """Let Chromium draw a page."""
    how = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--no-first-run")
    size = f"--window-size={width},{height}"
    subprocess.run(["chromium", *how, size, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
