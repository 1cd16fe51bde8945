"""Turns measured figures into tables: for the terminal, and docs/benchmarks.md."""

from collections.abc import Iterable, Sequence
from typing import Any

_HEAD = """# Benchmarks

<!-- Made by `make bench` from benchmarks/results/latest.json. Do not edit. -->

How treering compares with its peers, measured in one run on one machine. Every run is a process of its own; contestants take turns, round after
round, after one round that is not counted. Times and peaks are medians; a ratio is the median of the rounds' ratios. Time is that of the work alone,
without imports; "processor" adds up all threads, and suffers less from what else the machine did. Peak memory is the whole process's, imports included. Answers are compared by digests that do not depend on the
order of rows. Repeat it with `make bench`; `benchmarks/catalogue.py` lists every case, and `benchmarks/contestants/` holds what each contestant does.
"""


def page(results: dict[str, Any]) -> str:
    """Write docs/benchmarks.md."""
    sections = [_HEAD, _conditions(results), "## In short\n\n" + "\n".join(f"- {line}" for line in lines(results)) + "\n"]
    sections += [_section(case) for case in results["cases"]]
    if results["installation"]:
        sections.append(_installation(results["installation"]))
    return "\n".join(sections)


def lines(results: dict[str, Any]) -> list[str]:
    """One sentence per target: what was measured, what was aimed at, and whether it was met."""
    said = []
    for case in results["cases"]:
        said += [f"{case['title']}: {target['text']}: **{target['value']:.2f}** ({_met(target)})." for target in case["targets"]]
    for weight in results["installation"]:
        aim = "" if weight["at_most"] is None else f" (at most {weight['at_most']}: {'met' if weight['is_met'] else 'missed'})"
        said.append(f"Installed size, {weight['name']}: **{weight['mb']} MB**{aim}.")
    return said


def case_table(case: dict[str, Any]) -> str:
    """The figures of one case as a Markdown table."""
    rows = []
    for contestant in case["contestants"]:
        seconds = contestant["all_seconds"]
        spread = f"{min(seconds):.3f}-{max(seconds):.3f}"
        figures = (f"{contestant['seconds']:.3f}", spread, f"{contestant['cpu_seconds']:.3f}", f"{contestant['peak_mb']:,.0f}")
        rows.append((contestant["name"], *figures, contestant["note"]))
    return _table(("", "time, s", "least-most", "processor, s", "peak, MB", "how"), rows)


def _section(case: dict[str, Any]) -> str:
    equal = "The answers compared are equal." if case["answers_are_equal"] else "**The answers differ.**"
    judged = [f"- {target['text']}: **{target['value']:.2f}**, {_met(target)}." for target in case["targets"]]
    notes = " ".join([*case["notes"], *([equal] if any(case["answers"].values()) else [])])
    return "\n".join([f"## {case['title']}", "", case_table(case), "", notes, "", *judged, ""])


def _conditions(results: dict[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    changed = " with uncommitted changes" if results["has_uncommitted_changes"] else ""
    load = ", ".join(f"{load:g}" for load in machine["load_before"])
    return (
        f"Measured {results['measured_at']} on {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, {machine['system']}; load before: "
        f"{load}.\n{results['rounds']} rounds. {packages}. Commit {results['commit'][:12]}{changed}.\n"
    )


def _installation(weights: Sequence[dict[str, Any]]) -> str:
    rows = [(weight["name"], str(weight["mb"]), ", ".join(f"{name} {mb}" for name, mb in weight["largest_mb"].items())) for weight in weights]
    return "\n".join(["## Installed size", "", _table(("requirements", "MB", "largest"), rows), "", "Without treering itself, pip, setuptools and uv.", ""])


def _met(target: dict[str, Any]) -> str:
    return "met" if target["is_met"] else "missed"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))
