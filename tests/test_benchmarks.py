"""The benchmarks' frame works, and the page says what was measured."""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"


def load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_figures_that_were_measured() -> None:
    results = json.loads((BENCHMARKS / "results" / "latest.json").read_text("utf-8"))
    assert (ROOT / "docs" / "benchmarks.md").read_text("utf-8") == load("report").page(results)


def test_engines_that_are_compared_give_the_same_answers() -> None:
    results = json.loads((BENCHMARKS / "results" / "latest.json").read_text("utf-8"))
    assert [case["name"] for case in results["cases"] if not case["answers_are_equal"]] == []


def test_a_small_lookup_agrees_with_the_other_engines(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "run.py"), "deep", "two_clocks", "--scale", "0.002", "--rounds", "1"]
    done = subprocess.run([*command, "--data", str(tmp_path), "--json"], capture_output=True, text=True, check=True)
    assert [case["answers_are_equal"] for case in json.loads(done.stdout)["cases"]] == [True, True]
