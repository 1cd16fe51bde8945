"""Plants bugs in a copy of the source, one at a time, and asks the tests to find each: a test suite that finds none proves nothing.

Usage: python tools/mutants.py [PATTERN]    only mutants whose mistake has the pattern
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
AT_ONCE = 2

ENGINES = ("tests/conformance/test_cases.py", "-k", "engine and not tiny-runs")
RETRY = ("tests/storage/test_retried_append.py",)
STORE = ("tests/test_store.py", "-k", "itself")
LARGE_RUNS = ("tests/point_in_time/test_large_runs.py",)
CORRECTIONS = ("tests/ingestion/test_corrections.py",)
SORT = ("tests/storage/test_sorted_spool.py",)
TOKENS = ("tests/ingestion/test_tokens.py",)
BAD_INPUT = ("tests/ingestion/test_bad_input_end_to_end.py",)
POWER_CUT = ("tests/crash/test_power_cut.py", "-k", "acknowledged")
OBJECTS = ("tests/storage/test_local_objects.py",)
TABLE = ("tests/storage/test_offline_table.py", "-k", "not s3")
RUNS = ("tests/storage/test_runs.py",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake.

    Attributes:
        mistake: what is wrong then.
        file: below `src/treering`.
        text: stands there exactly once.
        becomes: what stands there instead.
        tests: what pytest is given; it has to fail.
    """

    mistake: str
    file: str
    text: str
    becomes: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant("a label does not see its own microsecond", "point_in_time/kernel.py", "candidate, 0)] <= latest", "candidate, 0)] < latest", ENGINES),
    Mutant("strictly before is ignored", "point_in_time/kernel.py", "moments[part] - 1 if strictly_before else moments[part]", "moments[part]", ENGINES),
    Mutant("the best so far runs on across entities", "point_in_time/kernel.py", "order_of([slices, *keys])", "order_of([*keys])", ENGINES),
    Mutant("a deletion does nothing", "point_in_time/match.py", "if run.traits.has_deletions:", "if False:", ENGINES),
    Mutant("the maximum age is exclusive", "point_in_time/match.py", "answer.event_time > lookup.max_age", "answer.event_time >= lookup.max_age", ENGINES),
    Mutant("of equals in two runs the earlier one answers", "point_in_time/match.py", "(theirs > ours)", "(theirs < ours)", LARGE_RUNS),
    Mutant("an answer counts as withheld", "point_in_time/match.py", "newest.some & ((newest.run != answer.run) | (newest.row != answer.row))", "newest.some", ENGINES),
    Mutant("as of a commit leaves that commit out", "point_in_time/blocks.py", "integers(table[COMMIT]) <= commit", "integers(table[COMMIT]) < commit", ENGINES),
    Mutant("the rows come back in another order", "point_in_time/gather.py", "np.cumsum(wins)[match.found.row[labels]]", "np.cumsum(wins)[np.sort(match.found.row[labels])]", ENGINES),
    Mutant("a null key matches", "storage/record_keys.py", "return cls(integers(pc.fill_null(codes, -1))", "return cls(integers(pc.fill_null(codes, 0))", ENGINES),
    Mutant("a fractional key is rounded", "storage/record_keys.py", "values = column.cast(pa.float64())", "values = pc.round(column.cast(pa.float64()))", ENGINES),
    Mutant("runs are not ordered by when records became known", "storage/sorting.py", "for name in (KNOWN_AT, *PRECEDENCE)", "for name in PRECEDENCE", SORT),
    Mutant("an availability lag is ignored", "ingestion/check.py", "        if definition.lag:\n            return", "        if False:\n            return", ENGINES),
    Mutant("event times are rounded down", "sources/times.py", "-(-counts // per_microsecond) if rules.round_up else", "counts // per_microsecond if rules.round_up else", ENGINES),
    Mutant("a local time that occurs twice is taken silently", "sources/times.py", '        if choice == "error":', "        if False:", BAD_INPUT),
    Mutant("a correction is known at its event time", "ingestion/corrections.py", "np.where(late, received, known)", "np.where(late, known, known)", CORRECTIONS),
    Mutant("corrections go by entity", "ingestion/corrections.py", "identity = (*definition.record_identifier, EVENT_TIME)", "identity = (*definition.entity, EVENT_TIME)", CORRECTIONS),
    Mutant("what lands during an ingestion is not corrected", "ingestion/landing.py", "if self._written is None or self._is_outdated(snapshot):", "if self._written is None:", CORRECTIONS),
    Mutant("spilled chunks are not merged", "storage/sorted_spool.py", "if len(self._sorted) > 1:", "if len(self._sorted) > 1_000_000:", SORT),
    Mutant("an entity is split between chunks", "storage/sorted_spool.py", "else self._position(table, splitter) for", "else min(self._position(table, splitter) + 1, len(table)) for", SORT),
    Mutant("temporary files stay", "storage/sorted_spool.py", "            self._temporary.cleanup()", "            self._temporary._finalizer.detach()", SORT),
    Mutant("bad rows vanish", "ingestion/ingest.py", "if bad.count and key is None:", "if False:", BAD_INPUT),
    Mutant("null identifiers are taken", "ingestion/check.py", "            if cast.values.null_count:", "            if False:", BAD_INPUT),
    Mutant("a token's content is not compared", "ingestion/ingest.py", "if first.digest != digest:", "if False:", TOKENS),
    Mutant("a token is not looked for in the metadata", "storage/offline_table.py", "if commit.ingestion == ingestion:", "if False:", TOKENS),
    Mutant("a token is forgotten with its snapshot", "ingestion/ledger.py", "missing = [commit for commit in commits if", "missing = [commit for commit in () if", TOKENS),
    Mutant("files are not flushed", "storage/local_objects.py", "                self._disk.write(file, data)\n                self._disk.fsync(file)\n", "                self._disk.write(file, data)\n", POWER_CUT),
    Mutant("streamed files are not flushed", "storage/local_objects.py", "                    self._disk.fsync(file)\n            with self._writing(key):", "                    pass\n            with self._writing(key):", POWER_CUT),
    Mutant("folders are not flushed", "storage/local_objects.py", "        with self._flushing(key):\n            self._disk.fsync_folder(path.parent)\n", "", POWER_CUT),
    Mutant("a found commit is not flushed", "storage/offline_table.py", "                self._catalog.confirm()\n", "", RETRY),
    Mutant("a record sees itself", "point_in_time/lookup.py", "    if rows.labels.time != definition.event_time:", "    if False:", STORE),
    Mutant("an object is written over", "storage/local_objects.py", "                    self._disk.link(staged, path)\n                except", "                    self._disk.rename(staged, path)\n                except", OBJECTS),
    Mutant("a commit's identity is not compared", "storage/objects.py", "return objects.read(key) == data", "return bool(objects.read(key))", TABLE),
    Mutant("page checksums are not verified", "storage/runs.py", "page_checksum_verification=True", "page_checksum_verification=False", RUNS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        found_by: the test that failed; None if all passed.
        seconds: how long that took.
        trouble: why it cannot be told, if it cannot.
    """

    found_by: str | None
    seconds: float
    trouble: str = ""


def main(pattern: str = "") -> int:
    """Try the unharmed copy first, then every mutant; 0 if all of them were found."""
    chosen = [mutant for mutant in MUTANTS if re.search(pattern, mutant.mistake)]
    print(f"{len(chosen)} mutants; first the tests without one...", flush=True)
    trouble = trouble_without_mutants({mutant.tests for mutant in chosen})
    if trouble:
        print(trouble)
        return 1
    width = max(len(mutant.mistake) for mutant in chosen)
    lost = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for mutant, verdict in zip(chosen, pool.map(judge, chosen), strict=True):
            lost += verdict.found_by is None
            print(f"{mutant.mistake:<{width}}  {verdict.seconds:5.1f} s  {verdict.found_by or verdict.trouble or 'NOT FOUND'}", flush=True)
    print(f"{len(chosen) - lost} of {len(chosen)} mutants were found")
    return 1 if lost else 0


def trouble_without_mutants(selections: set[tuple[str, ...]]) -> str:
    """Run every selection on an unharmed copy: where that fails, a failure shows nothing."""
    with tempfile.TemporaryDirectory(prefix="treering-mutant-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        source = copied(Path(folder))
        runs = pool.map(lambda tests: run_tests(source, tests), sorted(selections))
        return "\n".join(f"The tests fail without a mutant:\n{run.stdout}{run.stderr}" for run in runs if run.returncode != 0)


def judge(mutant: Mutant) -> Verdict:
    """Plant a mutant in a copy of its own, and run the tests that should find it."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="treering-mutant-") as folder:
        source = copied(Path(folder))
        path = source / "treering" / mutant.file
        text = path.read_text("utf-8")
        if text.count(mutant.text) != 1:
            return Verdict(None, 0.0, f"its text stands {text.count(mutant.text)} times in {mutant.file}: mend the mutant")
        path.write_text(text.replace(mutant.text, mutant.becomes), "utf-8")
        if imported_from(source, mutant.file) != path:
            return Verdict(None, 0.0, f"the tests import {mutant.file} from elsewhere")
        run = run_tests(source, mutant.tests)
    seconds = time.perf_counter() - started
    failed = re.search(r"^FAILED (\S+)", run.stdout, re.MULTILINE)
    if run.returncode == 1 and failed:
        return Verdict(failed[1], seconds)
    return Verdict(None, seconds, "" if run.returncode == 0 else f"pytest ended with {run.returncode}: {run.stdout[-300:]}{run.stderr[-300:]}")


def copied(folder: Path) -> Path:
    """Copy the source; the work tree is never touched."""
    return Path(shutil.copytree(ROOT / "src", folder / "src"))


def imported_from(source: Path, file: str) -> Path:
    """Ask the interpreter of the tests where it finds a module."""
    module = "treering." + file.removesuffix(".py").replace("/", ".")
    code = f"import {module} as module; print(module.__file__)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(source), capture_output=True, text=True, check=True)
    return Path(run.stdout.strip())


def run_tests(source: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run tests with the package taken from a copy, up to the first failure."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=ROOT, env=environment(source), capture_output=True, text=True, check=False)


def environment(source: Path) -> dict[str, str]:
    """Make the copy what `import treering` finds."""
    # What PYTHONPATH names goes before what is installed, an editable install included.
    return os.environ | {"PYTHONPATH": str(source)}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
