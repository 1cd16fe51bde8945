"""Holds what was observed against what a case expects."""

from collections.abc import Iterator

from conformance.case import OUTCOMES, Case, Cell, Observed


def differences(case: Case, observed: Observed) -> list[str]:
    """List in words where an engine, or the oracle, departs from a case; an empty list is agreement."""
    return [*_cells(case, observed), *_columns(case, observed), *_counts(case, observed)]


def agree(expected: Cell, found: Cell) -> bool:
    """Compare so that 1, 1.0 and True differ; an engine that names no outcome is held to the values alone."""
    if found.outcome:
        return repr(expected) == repr(found)
    return repr(expected.values or (None,) * len(found.values)) == repr(found.values)


def _cells(case: Case, observed: Observed) -> Iterator[str]:
    if len(observed.cells) != len(case.expected):
        yield f"{len(observed.cells)} rows instead of {len(case.expected)}"
        return
    for row, (expected, found) in enumerate(zip(case.expected_cells, observed.cells, strict=True)):
        if len(expected) != len(found) or not all(map(agree, expected, found)):
            yield f"label row {row} is {found} instead of {expected}"


def _columns(case: Case, observed: Observed) -> Iterator[str]:
    if case.columns is not None and observed.columns != case.columns:
        yield f"columns are {observed.columns} instead of {case.columns}"
    if not case.labels.from_group:
        time = list(case.labels.columns).index(case.labels.time)
        carried = [tuple(None if value != value else value for value in (*row[:time], *row[time + 1 :])) for row in case.labels.rows]
        if carried != observed.carried:
            yield f"label columns are {observed.carried} instead of {carried}"


def _counts(case: Case, observed: Observed) -> Iterator[str]:
    for number, counts in enumerate(observed.counts):
        expected = {outcome: sum(row[number].outcome == outcome for row in case.expected_cells) for outcome in OUTCOMES} | {"rows": len(case.expected)}
        for name, count in expected.items():
            if counts[name] != count:
                yield f"lookup {number} counts {name}: {counts[name]} instead of {count}"
    beside = {"ties": case.ties, "withheld": case.withheld, "written_after_label": case.written_after_label}
    for name, wanted in beside.items():
        found = [counts[name] for counts in observed.counts if name in counts]
        if wanted is not None and found and sum(found) != wanted:
            yield f"{name}: {sum(found)} instead of {wanted}"
    if case.before_feature_existed is not None and observed.counts[0]["before_feature_existed"] != case.before_feature_existed:
        yield f"before_feature_existed: {observed.counts[0]['before_feature_existed']} instead of {dict(case.before_feature_existed)}"
