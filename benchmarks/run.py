"""Runs the benchmarks: prints tables, writes results/latest.json, and makes docs/benchmarks.md from it.

python benchmarks/run.py                        all of it, at full size
python benchmarks/run.py lookup --scale 0.02    one case, small, nothing written
python benchmarks/run.py --page                 make the page again from the figures that are there
"""

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from case import Case
from catalogue import CASES, PACKAGES
from installation import weigh
from machine import facts
from measurement import measure
from report import case_table, lines, page

_RESULTS = Path(__file__).with_name("results") / "latest.json"
_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    if options.page:
        _PAGE.write_text(page(json.loads(_RESULTS.read_text("utf-8"))), "utf-8")
        return
    chosen = [case for case in CASES if not options.cases or case.name in options.cases]
    folder = nullcontext(options.data) if options.data else tempfile.TemporaryDirectory(prefix="treering-bench-")
    with folder as path:
        Path(path).mkdir(parents=True, exist_ok=True)
        results = _measured(chosen, Path(path), options)
    print(json.dumps(results) if options.json else "\n".join(lines(results)))
    is_whole = not options.cases and options.scale == 1
    if is_whole:
        _RESULTS.parent.mkdir(exist_ok=True)
        _RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        _PAGE.write_text(page(results), "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [case.name for case in CASES]
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="of the data's sizes; anything but 1 writes no results")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contestant")
    parser.add_argument("--data", help="a folder that keeps the data for the next time")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--page", action="store_true", help="only make docs/benchmarks.md from results/latest.json")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(names):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return options


def _measured(cases: list[Case], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {**facts(PACKAGES), "rounds": options.rounds, "scale": options.scale, "cases": [], "installation": []}
    for case in cases:
        figures = measure(case, folder, rounds=options.rounds, scale=options.scale, say=_say)
        results["cases"].append(figures)
        _say(f"\n{case.title}\n\n{case_table(figures)}\n")
    if not options.cases:
        results["installation"] = weigh(folder)
    return results


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
