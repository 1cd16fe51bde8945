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

REUSE = ("tests/training_sets/test_reuse.py",)
CONTENTS = ("tests/ingestion/test_contents.py",)
TRANSFORMED = ("tests/feature_groups/test_transformed.py",)
TALLY = ("tests/ingestion/test_statistics.py",)
SUMS = ("tests/schema/test_statistics.py",)
KEYED = ("tests/training_sets/test_keyed_splits.py",)
SPLITS = ("tests/training_sets/test_splits.py",)
WARNINGS = ("tests/training_sets/test_warnings.py",)
GIVEAWAYS = ("tests/training_sets/test_giveaways.py",)
HISTORY = ("tests/recipes/test_history.py",)
FITTING = ("tests/recipes/test_fitting.py",)
ENCODE = ("tests/recipes/test_encode.py",)
MATRIX = ("tests/training/test_matrix.py",)
BOOSTING = ("tests/training/test_xgboost_trainer.py", "-k", "class or categor or odds")
EARLY = ("tests/training/test_xgboost_trainer.py", "-k", "early or cut")
PLAN = ("tests/training/test_boosting_plan.py",)
CLASSES = ("tests/training/test_classes.py",)
JOB = ("tests/training/test_job.py",)
ARCHIVES = ("tests/training/test_runner.py", "-k", "leaves_no_archive or changed_later or model_of_another")
LIMIT = ("tests/training/test_runner.py", "-k", "limit")
ARTIFACT = ("tests/training/test_artifact.py",)
SCRIPT_ROWS = ("tests/training/test_script_worker.py", "-k", "without_a_target")
CHANNELS = ("tests/training/test_channels.py",)
SCRIPT_MODELS = ("tests/models/test_catalogue.py", "-k", "described")
SCORES = ("tests/models/test_model.py",)
PROJECT = ("tests/project/test_run.py",)
CLEANING = ("tests/test_cleaning.py",)
DOCTOR = ("tests/test_doctor.py",)


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


ENGINE = (
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

MAIN_JOB = (
    Mutant("reuse ignores strictly before", "training_sets/reuse.py", '        "strictly_before": lookup.strictly_before,\n', "", REUSE),
    Mutant("reuse ignores the maximum age", "training_sets/reuse.py", '        "max_age": lookup.max_age,\n', "", REUSE),
    Mutant("reuse ignores the group's commit", "training_sets/reuse.py", '        "commit": history.commit,\n', "", REUSE),
    Mutant("reuse takes a group of the same name for the same group", "training_sets/reuse.py", '"records": history.table', '"records": history.definition.name', REUSE),
    Mutant("reuse ignores the labels' moments", "training_sets/reuse.py", '[*keys, pa.array(plan.rows.moments)], names=[*names, "moment"]', "keys, names=names", REUSE),
    Mutant("an older set's id is not compared", "training_sets/older_sets.py", "if older.id != id:", "if False:", REUSE),
    Mutant("an identical set need not have its files", "training_sets/older_sets.py", "if not is_asked or not found.has_its_files():", "if not is_asked:", REUSE),
    Mutant("sets of two splits are one", "training_sets/reuse.py", '            "split": split.to_json(),\n', "", REUSE),
    Mutant("sets of two weights are one", "training_sets/reuse.py", '"inputs", "keys", "weight")', '"inputs", "keys")', REUSE),
    Mutant("content is in whatever landed after it", "ingestion/contents.py", "return other.commit > mine.commit or may_hold(", "return other.commit < mine.commit and may_hold(", CONTENTS),
    Mutant("content is in though a later call landed before it", "ingestion/contents.py", " or may_hold(other, {API_INVOCATION_TIME: (received, math.inf)})", "", CONTENTS),
    Mutant("content is known whatever the group's columns", "ingestion/contents.py", "json.dumps([columns, *parts])", "json.dumps(parts)", CONTENTS),
    Mutant("content is known however it is read", "ingestion/ingest.py", "content_key(landing.definition, content, source.manner, *taken)", "content_key(landing.definition, content, *taken)", CONTENTS),
    Mutant("content is known whatever its recipe", "feature_groups/transformed.py", "f'{digest} {self._given.digest()}'", "digest", TRANSFORMED),
    Mutant("nulls count as values", "ingestion/statistics.py", "self.count += len(column) - nulls", "self.count += len(column)", TALLY),
    Mutant("batches have no spread between them", "ingestion/statistics.py", " + step * step * len(values) * (self.count - len(values)) / self.count", "", TALLY),
    Mutant("a sample depends on where batches end", "ingestion/statistics.py", "self._highest = hashes.max()", "self._highest = hashes.min()", TALLY),
    Mutant("commits have no spread between them", "schema/column_statistics.py", "deviation_of(within + between, count)", "deviation_of(within, count)", SUMS),
    Mutant("a small commit's mean weighs as much as a large one's", "schema/column_statistics.py", "one * (part.count / count)", "one / len(parts)", SUMS),
    Mutant("fitted steps are not noted", "feature_groups/transformed.py", "        if fitted is not None:\n            self._note_fitted()\n", "", TRANSFORMED),
    Mutant("fitted steps of later commits count", "feature_groups/feature_group.py", "self._table.commits() if one.number <= commit)", "self._table.commits())", TRANSFORMED),
    Mutant("fitted steps of other processes do not count", "feature_groups/feature_group.py", "self._state if self._state.has_fitted_steps else self._groups.find(self.definition.name)", "self._state", TRANSFORMED),
    Mutant("dropped rows taught nothing", "feature_groups/transformed.py", "(*times.get(event_time, ()), report.first_event_time", "(report.first_event_time", TRANSFORMED),
    Mutant("a hash ignores the seed", "training_sets/keyed_splits.py", 'f"{seed}:{key}"', 'f"0:{key}"', KEYED),
    Mutant("validation takes the groups of test", "training_sets/keyed_splits.py", "            left = left[~taken]\n", "", KEYED),
    Mutant("minus zero is a group of its own", "training_sets/label_keys.py", "pc.add(array.cast(pa.float64()), 0.0)", "array.cast(pa.float64())", KEYED),
    Mutant("the rest of a column split is trained on", "training_sets/keyed_splits.py", "split_of.get(value, self.rest or TRAIN)", "split_of.get(value, TRAIN)", KEYED),
    Mutant("an embargo is a microsecond short", "training_sets/splits.py", "(times >= boundary - self.embargo)", "(times > boundary - self.embargo)", SPLITS),
    Mutant("only the first boundary has an embargo", "training_sets/splits.py", "in self._boundaries:\n            codes", "in self._boundaries[:1]:\n            codes", SPLITS),
    Mutant("a row at a boundary belongs to the earlier split", "training_sets/splits.py", "codes[times >= boundary] =", "codes[times > boundary] =", SPLITS),
    Mutant("a share costs a row", "training_sets/splits.py", "int(round(len(ordered) * share, 6))", "int(len(ordered) * share)", SPLITS),
    Mutant("a step may have learned from the first held-back row", "training_sets/warnings.py", "fact.last >= first:", "fact.last > first:", WARNINGS),
    Mutant("what counts down is not seen", "training_sets/warnings.py", "if abs(correlation) >= COUNTS_WITH_TIME:", "if correlation >= COUNTS_WITH_TIME:", WARNINGS),
    Mutant("rows without an identifier are alike", "training_sets/warnings.py", "found.rows_of(TRAIN) & (groups >= 0)", "found.rows_of(TRAIN)", WARNINGS),
    Mutant("giveaways are looked for in held-back rows", "training_sets/warnings.py", "found.rows_of(TRAIN) & has_target", "has_target", WARNINGS),
    Mutant("a feature that falls with the target is not seen", "training_sets/giveaways.py", "if max(area, 1 - area) >= AREA and", "if area >= AREA and", GIVEAWAYS),
    Mutant("a number that falls with the target is not seen", "training_sets/giveaways.py", "if abs(correlation) >= CORRELATION", "if correlation >= CORRELATION", GIVEAWAYS),
    Mutant("a great area is enough", "training_sets/giveaways.py", " and mistakes <= MISTAKES_PER_RARER_ROW * counts.sum(axis=0).min()", "", GIVEAWAYS),
    Mutant("a lag sees rows of its own time", "recipes/history.py", "sources = line.ends - self.periods", "sources = np.arange(len(line.order)) - self.periods", HISTORY),
    Mutant("a window sees rows of its own time", "recipes/history.py", "self._starts(line, histories), line.ends,", "self._starts(line, histories), np.arange(len(line.order)),", HISTORY),
    Mutant("of rows of one time a null comes last", "recipes/timeline.py", "pd.factorize(values, sort=True)[0]", "pd.factorize(values, sort=True, use_na_sentinel=False)[0]", HISTORY),
    Mutant("a gap is filled across entities", "recipes/history.py", "np.where(earlier >= line.starts, earlier, -1)", "earlier", HISTORY),
    Mutant("the order of the frame decides between ties", "recipes/timeline.py", "np.lexsort((_ranks(self.step, column), self.times, self.entities))", "np.lexsort((self.times, self.entities))", HISTORY),
    Mutant("a row as old as the window is inside", "recipes/timeline.py", "np.repeat([0, 1], rows)", "np.repeat([1, 0], rows)", HISTORY),
    Mutant("rows without a key share a history", "recipes/timeline.py", "len(numbers) + np.arange(len(numbers))", "len(numbers)", HISTORY),
    Mutant("what is learned depends on where batches end", "recipes/fitting.py", "_joined(waiting), rows - rows % CHUNK_ROWS", "_joined(waiting), rows", FITTING),
    Mutant("a null has the code of the unknown", "recipes/categories.py", "np.full(len(column), null, dtype=np.int64)", "np.full(len(column), unknown, dtype=np.int64)", ENCODE),
    Mutant("a null is a category", "recipes/encode.py", "found[found < 0] = np.nan", "found[found < -1] = np.nan", ENCODE),
    Mutant("the rarest categories keep their codes", "recipes/encode.py", "key=lambda category: -counts[category]", "key=lambda category: counts[category]", ENCODE),
    Mutant("a frequency passes nulls over", "recipes/encode.py", "counts[category] / rows for", "counts[category] / sum(counts.values()) for", ENCODE),
    Mutant("a recipe learns from held-back rows", "training/matrix.py", "for batch in unfitted._batches(TRAIN))", "for split in unfitted.splits for batch in unfitted._batches(split))", MATRIX),
    Mutant("a recipe learns from rows without a target", "training/matrix.py", "unfitted = cls(training_set, None, drop_null_targets)", "unfitted = cls(training_set, None, False)", MATRIX),
    Mutant("class weights take the place of the rows' own", "training/matrix.py", "of_class if weights is None else of_class * weights", "of_class", BOOSTING),
    Mutant("class weights shape what is measured", "training/boosting_plan.py", "self.class_weights if split == TRAIN else None", "self.class_weights", PLAN),
    Mutant("classes stand as they come", "training/classes.py", "values = tuple(sorted(counts))", "values = tuple(counts)", CLASSES),
    Mutant("early stopping takes every metric for a loss", "training/xgboost_trainer.py", "maximize=metric_of(metric).is_higher_better", "maximize=False", EARLY),
    Mutant("a model that cannot be cut lacks its best round", "training/xgboost_trainer.py", "booster.best_iteration + 1, [], {}", "booster.best_iteration or 1, [], {}", EARLY),
    Mutant("log odds are taken for chances", "training/boosting_plan.py", '"binary:logitraw": 0.0', '"binary:logitraw": 0.5', BOOSTING),
    Mutant("categories are learnt as numbers", "training/boosting_plan.py", '["c" if name in categories else "q" for name in names]', '["q" for name in names]', BOOSTING),
    Mutant("a model is fed in the order of its archive", "training/xgboost_trainer.py", "as_numbers(features.select(list(self.features)))", "as_numbers(features)", SCRIPT_MODELS),
    Mutant("a job is stopped after its end", "training/job.py", "SecondaryStatus.COMPLETED: frozenset(),", "SecondaryStatus.COMPLETED: frozenset({SecondaryStatus.STOPPING}),", JOB),
    Mutant("a job trains while it uploads", "training/job.py", "SecondaryStatus.UPLOADING: _AT_ANY_TIME,", "SecondaryStatus.UPLOADING: _AT_ANY_TIME | {SecondaryStatus.TRAINING},", JOB),
    Mutant("a failed job keeps an archive", "training/running.py", "        if job.artifact is None:\n            remove_model(self._objects, self._spec)\n", "", ARCHIVES),
    Mutant("a job that overran says that it was stopped", "training/running.py", "self._has_overrun = True", "self._has_overrun = False", LIMIT),
    Mutant("any sound archive is the job's", "training/runner.py", "open_artifact(self._objects.read(job.artifact.key), job.artifact.sha256)", "open_artifact(self._objects.read(job.artifact.key))", ARCHIVES),
    Mutant("a model may be of another training set", "training/running.py", 'if artifact.receipt["id"] != self._spec.training_set.id:', "if False:", ARCHIVES),
    Mutant("checksums of an archive's members are not compared", "training/artifact.py", "if recorded != found:", "if False:", ARTIFACT),
    Mutant("every channel holds the train split", "training/channels.py", "as writer:\n                for table in _tables(rows, split):", "as writer:\n                for table in _tables(rows, rows.splits[0]):", CHANNELS),
    Mutant("a channel's rows are sorted", "training/channels.py", "_as(schema, table))", "_as(schema, table.sort_by(table.column_names[-1])))", CHANNELS),
    Mutant("a channel has rows without a target", "training/channels.py", "if rows.drop_null_targets else batch", "if False else batch", SCRIPT_ROWS),
    Mutant("a model scores as of its training", "models/model.py", "as_of=commit if as_of_training else None", "as_of=commit", SCORES),
    Mutant("rows without a target are measured", "models/model.py", "known = ~np.isnan(happened) & (counts > 0)", "known = counts > 0", SCORES),
    Mutant("rows without weight are measured", "models/model.py", "known = ~np.isnan(happened) & (counts > 0)", "known = ~np.isnan(happened)", SCORES),
    Mutant("log odds are measured as chances", "models/model.py", '_as_chance(given) if self.objective == "binary:logitraw" else given', "given", SCORES),
    Mutant("a project forgets from what a thing was made", "project/memory.py", 'if known is None or known["key"] != key else', "if known is None else", PROJECT),
    Mutant("a project ingests whatever the recipe", "project/run.py", '"recipe": key_of(recipe and recipe.to_json())}', '"recipe": ""}', PROJECT),
    Mutant("a project's corrections are of today", "project/run.py", "rewrites_history=is_remade", "rewrites_history=False", PROJECT),
    Mutant("a project builds whatever the labels' recipe", "project/run.py", "[self._content(table.source), recipe, asdict(table)", "[self._content(table.source), asdict(table)", PROJECT),
    Mutant("a project trains whatever the parameters", "project/run.py", "trainer.to_json(), table.drop_null_targets]", "table.drop_null_targets]", PROJECT),
    Mutant("cleaning finds files of any age", "cleaning.py", "if one is not None and one.written_at <= latest", "if one is not None", CLEANING),
    Mutant("cleaning finds a group's runs", "cleaning.py", '{f"{folder}/{run.path}" for run in table.snapshot().runs} | ', "", CLEANING),
    Mutant("cleaning finds models", "cleaning.py", "(job.status.has_ended and job.artifact is None and key in", "(job.status.has_ended and key in", CLEANING),
    Mutant("cleaning finds what a job at work has written", "cleaning.py", "(job.status.has_ended and job.artifact is None and key in", "(job.artifact is None and key in", CLEANING),
    Mutant("the doctor takes any storage for a safe one", "doctor.py", "if first and not second:", "if first:", DOCTOR),
    Mutant("the doctor turns the clock the wrong way", "doctor.py", '"behind" if skew > 0', '"behind" if skew < 0', DOCTOR),
    Mutant("the doctor leaves its object behind", "doctor.py", "            objects.delete([key])", "            pass", DOCTOR),
)  # fmt: skip

MUTANTS = ENGINE + MAIN_JOB


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
