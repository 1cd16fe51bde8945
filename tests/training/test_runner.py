import hashlib
import io
import os
import re
import signal
import sys
import textwrap
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import xgboost

from support.looked import START, build_set, local_store
from treering.errors import AlreadyExistsError, ArtifactError, InvalidDefinitionError, TrainingError
from treering.recipes import FillMissing, Recipe, step
from treering.settings import Settings
from treering.training.artifact import open_artifact
from treering.training.child import child_environment, reason_of
from treering.training.job import JobSpec, SecondaryStatus, Status, StoredArtifact, TrainedOn
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords
from treering.training.resources import ResourceUse
from treering.training.runner import TrainingJobs
from treering.training.running import RunningJob
from treering.training.xgboost_trainer import load_model
from treering.training_sets.splits import TimeSplit
from treering.training_sets.training_set import TrainingSet

QUICK = XGBoost(objective="binary:logistic", eval_metric="auc", num_round=4, max_depth=3)
ENDLESS = XGBoost(objective="binary:logistic", eval_metric="auc", num_round=10_000_000, max_depth=1)


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    return build_set(tmp_path / "store", split=TimeSplit.fractions(validation=0.2, test=0.2))


@pytest.fixture
def jobs(tmp_path: Path) -> TrainingJobs:
    objects, documents = local_store(tmp_path / "store")
    return TrainingJobs(objects, documents, Settings(), lambda: START)


def module_of_features(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a module beside the user's script, as it were."""
    (folder / "own_features.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "own_features", raising=False)


def wait_for_a_round(running: RunningJob) -> None:
    """Return once the child has printed a round; lines come from a queue that blocks."""

    class RoundSeenError(Exception):
        pass

    def echo(line: str) -> None:
        if line.startswith("[0]"):
            raise RoundSeenError

    with pytest.raises(RoundSeenError):
        running.wait(echo)


def test_a_job_leaves_a_model_its_metrics_and_its_logs(jobs: TrainingJobs, training_set: TrainingSet, capfd: pytest.CaptureFixture[str]) -> None:
    job = jobs.run("late-1", training_set, QUICK)
    assert (job.status, job.rounds, job) == (Status.COMPLETED, 4, jobs.get("late-1"))
    assert job.metrics is not None
    assert set(job.metrics) == {"train", "validation", "test"}
    rounds = re.findall(r"^\[(\d)\]\ttrain-auc:0\.\d{5}\tvalidation-auc:0\.\d{5}$", jobs.logs("late-1"), re.MULTILINE)
    assert rounds == ["0", "1", "2", "3"]
    assert capfd.readouterr().out == jobs.logs("late-1")
    assert load_model(jobs.artifact("late-1")).predict(training_set.to_pandas("test")).shape == (400,)


def test_a_job_writes_down_each_phase_and_what_it_used(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    job = jobs.run("late-1", training_set, QUICK)
    phases = [(one.status, one.message) for one in job.transitions]
    assert phases == [
        ("Starting", "Starting the child process"),
        ("Downloading", "Reading training set late version 1"),
        ("Training", "Training XGBoost on 3 features"),
        ("Uploading", "Writing the model's archive"),
        ("Completed", ""),
    ]
    assert job.resources is not None
    assert job.resources.wall_seconds > 0
    assert job.resources.user_seconds > 0


def test_the_memory_of_a_job_is_not_that_of_the_process_that_started_it(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    large = b"x" * 1024**3
    job = jobs.run("late-1", training_set, QUICK)
    assert job.resources is not None
    assert 50 * 1024**2 < job.resources.peak_memory_bytes < len(large)


def test_the_history_of_the_metrics_has_a_value_per_round(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    job = jobs.run("late-1", training_set, QUICK)
    history = jobs.history("late-1")
    assert {split: len(metrics["auc"]) for split, metrics in history.items()} == {"train": 4, "validation": 4}
    assert job.metrics is not None
    assert job.metrics["validation"]["auc"] == pytest.approx(history["validation"]["auc"][-1], abs=1e-5)


def test_an_archive_names_the_set_the_recipe_and_the_parameters(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    jobs.run("late-1", training_set, QUICK, Recipe([FillMissing("carrier_delay")]))
    artifact = jobs.artifact("late-1")
    assert artifact.receipt["id"] == training_set.id
    assert (artifact.parameters["num_round"], artifact.parameters["xgboost_version"]) == (4, xgboost.__version__)
    assert artifact.recipe is not None
    assert artifact.recipe["steps"][0]["is"] == "FillMissing"
    assert artifact.schema["target"] == ["late", "int64"]


def test_the_same_training_leaves_the_same_bytes(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    rebuilt = build_set(tmp_path / "store", name="again", split=TimeSplit.fractions(validation=0.2, test=0.2))
    parameters = QUICK.parameters | {"nthread": 1}
    first = jobs.run("late-1", training_set, QUICK)
    second = jobs.run("late-2", rebuilt, XGBoost(**parameters, eval_metric="auc", num_round=4))
    assert first.artifact is not None
    assert second.artifact is not None
    assert first.artifact.sha256 == second.artifact.sha256


def test_a_stopped_job_has_stopped_and_has_no_model(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    running = jobs.start("late-1", training_set, ENDLESS)
    wait_for_a_round(running)
    assert running.job.status is Status.IN_PROGRESS
    assert running.stop().status is Status.STOPPED
    assert "[0]\ttrain-auc" in jobs.logs("late-1")
    history = local_store(tmp_path / "store")[1].history("training-jobs", "late-1")
    statuses = [document.value["secondary_status"] for document in history]
    assert (statuses[0], statuses[-2:]) == ("Starting", ["Stopping", "Stopped"])
    with pytest.raises(TrainingError, match="is Stopped and has no model"):
        jobs.artifact("late-1")


class InterruptedScreen(io.StringIO):
    """A screen in front of which somebody presses Ctrl-C at the first round."""

    def write(self, text: str) -> int:
        if text.startswith("[0]"):
            raise KeyboardInterrupt
        return super().write(text)


def test_an_interrupt_stops_the_job_that_is_waited_for(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    with pytest.raises(KeyboardInterrupt), redirect_stdout(InterruptedScreen()):
        jobs.run("late-1", training_set, ENDLESS)
    assert jobs.get("late-1").status is Status.STOPPED


def test_a_killed_child_fails_its_job_and_keeps_its_logs(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    running = jobs.start("late-1", training_set, ENDLESS)
    wait_for_a_round(running)
    os.kill(running.pid, signal.SIGKILL)
    job = running.wait()
    assert job.status is Status.FAILED
    assert re.fullmatch(r"The child process was killed by signal 9 \(Killed\); its memory was at most \d+ MiB of .*Out of memory\?.*", job.failure_reason)
    assert "[0]\ttrain-auc" in jobs.logs("late-1")
    with pytest.raises(TrainingError, match="is Failed; it cannot become Stopping"):
        running.stop()


def test_a_job_without_a_model_leaves_no_archive(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        import atexit, os, signal

        def killed_at_the_end(frame):
            atexit.register(os.kill, os.getpid(), signal.SIGKILL)
            return frame
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    job = jobs.start("late-1", training_set, QUICK, Recipe([step(own_features.killed_at_the_end)])).wait()
    assert (job.status, job.artifact, job.transitions[-2].status) == (Status.FAILED, None, SecondaryStatus.UPLOADING)
    assert "done: " in jobs.logs("late-1")
    assert not (tmp_path / "store" / job.spec.artifact_key).exists()


def test_an_archive_that_no_document_names_is_no_model(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    spec = JobSpec("late-1", TrainedOn.of(training_set), QUICK)
    JobRecords(local_store(tmp_path / "store")[1], lambda: START).begin(spec)
    local_store(tmp_path / "store")[0].create(spec.artifact_key, b"uploaded before the power went")
    with pytest.raises(TrainingError, match="is InProgress and has no model"):
        jobs.artifact("late-1")
    jobs.abandon("late-1", "power cut")
    assert not (tmp_path / "store" / spec.artifact_key).exists()


def test_a_child_that_does_not_heed_is_killed(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        import signal, time

        def deaf(frame):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("[0] deaf", flush=True)
            while True:
                time.sleep(60)
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    running = jobs.start("late-1", training_set, QUICK, Recipe([step(own_features.deaf)]))
    wait_for_a_round(running)
    assert running.stop(patience_seconds=0.01).status is Status.STOPPED


def test_a_recipe_runs_functions_of_the_callers_modules(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module_of_features(tmp_path, "def with_double(frame, times):\n    return frame.assign(double=frame['wind'] * times)\n", monkeypatch)
    import own_features

    assert jobs.run("late-1", training_set, QUICK, Recipe([step(own_features.with_double, times=2)])).status is Status.COMPLETED
    model = load_model(jobs.artifact("late-1"), {"with_double": own_features.with_double})
    assert model.features == ("distance", "wind", "carrier_delay", "double")


def test_a_failing_recipe_fails_the_job_with_its_own_words(
    jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module_of_features(tmp_path, "def broken(frame):\n    return frame['no such column']\n", monkeypatch)
    import own_features

    with pytest.raises(TrainingError, match=r"failed: KeyError: 'no such column' Read its whole output"):
        jobs.run("late-1", training_set, QUICK, Recipe([step(own_features.broken)]))
    assert jobs.get("late-1").status is Status.FAILED
    assert "Traceback" in jobs.logs("late-1")


def test_a_function_that_changed_on_disk_is_refused(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module_of_features(tmp_path, "def same(frame):\n    return frame\n", monkeypatch)
    import own_features

    recipe = Recipe([step(own_features.same)])
    (tmp_path / "own_features.py").write_text("def same(frame):\n    return frame * 2\n")
    with pytest.raises(TrainingError, match="The source of function 'same' is not the one that was saved"):
        jobs.run("late-1", training_set, QUICK, recipe)


def test_a_function_that_a_child_cannot_import_is_refused_before_anything_starts(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    def nested(frame: object) -> object:
        return frame

    with pytest.raises(InvalidDefinitionError, match=r"inside another function.*Move it to the top of a module"):
        jobs.start("late-1", training_set, QUICK, Recipe([step(nested)]))
    nested.__module__, nested.__qualname__ = "__main__", "nested"
    with pytest.raises(InvalidDefinitionError, match="script or notebook"):
        jobs.start("late-1", training_set, QUICK, Recipe([step(nested)]))
    assert jobs.list() == []


def test_a_job_whose_child_cannot_be_started_has_failed(training_set: TrainingSet, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    jobs = TrainingJobs(*local_store(tmp_path / "store"), Settings(temporary_folder=str(tmp_path / "temporary")), lambda: START)
    (tmp_path / "temporary").rmdir()
    with pytest.raises(TrainingError, match=r"Training job 'late-1' failed\. The child process could not be started: "):
        jobs.start("late-1", training_set, QUICK)
    assert jobs.get("late-1").status is Status.FAILED


def test_a_name_cannot_be_used_twice(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    jobs.run("late-1", training_set, QUICK)
    with pytest.raises(AlreadyExistsError):
        jobs.start("late-1", training_set, QUICK)


def test_a_child_sees_no_secrets_and_logs_none(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        import os

        def nosy(frame):
            print(sorted(os.environ.items()))
            return frame
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    for name in ("AWS_SECRET_ACCESS_KEY", "DATABASE_PASSWORD", "TREERING_S3_REGION"):
        monkeypatch.setenv(name, "hunter2")
    jobs.run("late-1", training_set, QUICK, Recipe([step(own_features.nosy)]))
    assert "'PATH'" in jobs.logs("late-1")
    assert "hunter2" not in jobs.logs("late-1")


def test_credentials_go_along_only_where_the_store_is_on_s3() -> None:
    parent = {"AWS_SECRET_ACCESS_KEY": "k", "API_TOKEN": "t", "PATH": "/bin", "LC_ALL": "C", "OMP_NUM_THREADS": "2"}
    assert set(child_environment("s3://bucket/store", parent)) - set(child_environment("/store", parent)) == {"AWS_SECRET_ACCESS_KEY"}
    assert "API_TOKEN" not in child_environment("s3://bucket/store", parent)
    assert child_environment("/store", parent)["OMP_NUM_THREADS"] == "2"


@pytest.mark.s3
def test_a_job_trains_in_a_store_on_s3_and_shows_no_credentials(s3_root: str) -> None:
    objects, documents = local_store(s3_root)
    on_s3 = TrainingJobs(objects, documents, Settings(), lambda: START)
    job = on_s3.run("late-1", build_set(s3_root, split=TimeSplit.fractions(validation=0.2)), QUICK)
    assert job.artifact == StoredArtifact("training-jobs/late-1/output/model.tar.gz", job.artifact.bytes, on_s3.artifact("late-1").sha256)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in on_s3.logs("late-1") + str(documents.history("training-jobs", "late-1"))


def test_an_archive_that_is_changed_later_is_not_opened(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    jobs.run("late-1", training_set, QUICK)
    path = tmp_path / "store" / "training-jobs/late-1/output/model.tar.gz"
    assert open_artifact(path.read_bytes()).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match="was recorded"):
        jobs.artifact("late-1")


def test_a_training_set_that_is_another_by_now_is_not_trained_on(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    elsewhere = build_set(tmp_path / "other", split=TimeSplit.fractions(validation=0.3, test=0.2))
    with pytest.raises(TrainingError, match="and the job was made for"):
        jobs.run("late-1", elsewhere, QUICK)


def ended_with(exit_code: int, said: str = "", last_line: str = "", kills: int = 0) -> str:
    return reason_of(exit_code, ResourceUse(1.0, 1.0, 0.0, 700 * 1024**2), said, last_line, kills=kills)


def test_the_reason_is_what_a_child_announced_whatever_it_printed_last() -> None:
    assert ended_with(1, "no rows", "some thread says goodbye") == "no rows"


@pytest.mark.parametrize(("line", "reason"), [("Segfault soon", "Segfault soon (exit code 3)"), ("", "The child process said nothing (exit code 3)")])
def test_without_an_announcement_the_last_line_has_to_do(line: str, reason: str) -> None:
    assert ended_with(3, "", line) == reason


def test_a_death_for_want_of_memory_is_told_from_others() -> None:
    assert "killed a process meanwhile. Give the job more memory" in ended_with(-signal.SIGKILL, kills=1)
    assert "at most 700 MiB of" in ended_with(-signal.SIGKILL)
    assert "memory?" not in ended_with(-signal.SIGSEGV)


def test_a_job_ends_even_if_its_logs_cannot_be_kept(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    logs = tmp_path / "store" / "training-jobs/late-1/logs/00000001.txt"
    logs.parent.mkdir(parents=True)
    logs.write_text("somebody else's")
    lines: list[str] = []
    assert jobs.run("late-1", training_set, QUICK, echo=lines.append).status is Status.COMPLETED
    assert lines[-1].startswith("Its output could not be kept: ")


@pytest.mark.parametrize("left", ["{", "{}", "[]"])
def test_a_job_whose_result_cannot_be_read_has_failed(
    jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    source = """
        import atexit
        from pathlib import Path

        def spoil(path, left):
            Path(path).unlink()
            Path(path).write_text(left)

        def spoiled(frame, path, left):
            atexit.unregister(spoil)
            atexit.register(spoil, path, left)
            return frame
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    recipe = Recipe([step(own_features.spoiled, path=str(tmp_path / "store/training-jobs/late-1/result.json"), left=left)])
    job = jobs.start("late-1", training_set, QUICK, recipe).wait()
    assert (job.status, jobs.get("late-1")) == (Status.FAILED, job)
    assert "left no sound model" in job.failure_reason


def test_a_job_that_left_the_model_of_another_training_set_has_failed(
    jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import atexit
        import shutil
        from pathlib import Path

        def swap(ours, theirs):
            for name in ("result.json", "output/model.tar.gz"):
                Path(ours, name).unlink()
                shutil.copy(Path(theirs, name), Path(ours, name))

        def swapped(frame, ours, theirs):
            atexit.unregister(swap)
            atexit.register(swap, ours, theirs)
            return frame
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    assert jobs.start("other-1", build_set(tmp_path / "store", name="other"), QUICK).wait().status is Status.COMPLETED
    ours, theirs = (str(tmp_path / "store/training-jobs" / name) for name in ("late-1", "other-1"))
    job = jobs.start("late-1", training_set, QUICK, Recipe([step(own_features.swapped, ours=ours, theirs=theirs)])).wait()
    assert job.status is Status.FAILED
    assert "Its archive is of training set" in job.failure_reason


def test_an_echo_that_fails_stops_the_job(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    def closed(line: str) -> None:
        raise BrokenPipeError(line)

    with pytest.raises(BrokenPipeError):
        jobs.run("late-1", training_set, ENDLESS, echo=closed)
    assert jobs.get("late-1").status is Status.STOPPED


def test_what_a_child_started_is_killed_if_it_holds_the_output(
    jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import signal, subprocess

        def with_deaf_child(frame):
            subprocess.Popen(["sh", "-c", "trap '' TERM; echo [0]; exec sleep 1000"])
            signal.pause()
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    running = jobs.start("late-1", training_set, QUICK, Recipe([step(own_features.with_deaf_child)]))
    wait_for_a_round(running)
    assert running.stop(patience_seconds=0.5).status is Status.STOPPED


def test_a_job_whose_process_is_gone_can_be_given_up(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    JobRecords(local_store(tmp_path / "store")[1], lambda: START).begin(JobSpec("late-1", TrainedOn.of(training_set), QUICK))
    with pytest.raises(AlreadyExistsError, match=r"training_jobs\.abandon\('late-1'\)"):
        jobs.start("late-1", training_set, QUICK)
    job = jobs.abandon("late-1", "power cut")
    assert (job.status, job.failure_reason) == (Status.FAILED, "given up: the process that started it is gone (power cut)")
    with pytest.raises(TrainingError, match="is Failed; it cannot become Failed"):
        jobs.abandon("late-1")
    with pytest.raises(AlreadyExistsError, match=r"Choose another\.$"):
        jobs.start("late-1", training_set, QUICK)


def test_a_job_is_stopped_by_any_process_that_has_the_store(any_root: str) -> None:
    here, elsewhere = (TrainingJobs(*local_store(any_root), Settings(), lambda: START) for _ in range(2))
    running = here.start("late-1", build_set(any_root, split=TimeSplit.fractions(validation=0.2, test=0.2)), ENDLESS)
    wait_for_a_round(running)
    assert elsewhere.stop("late-1").status is Status.STOPPING
    job = running.wait()
    assert (job.status, job.transitions[-1].message) == (Status.STOPPED, "Asked to stop")
    assert "late-1" in elsewhere


def test_a_job_that_was_given_up_elsewhere_ends_here_and_says_so(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    running = jobs.start("late-1", training_set, ENDLESS)
    wait_for_a_round(running)
    TrainingJobs(*local_store(tmp_path / "store"), Settings(), lambda: START).abandon("late-1")
    with pytest.raises(TrainingError, match="is Failed; it cannot become Failed"):
        running.wait()


def test_a_job_that_reaches_its_limit_is_stopped(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    job = jobs.run("late-1", training_set, ENDLESS, maximum_runtime_seconds=0.5)
    assert (job.status, job.secondary_status, job.artifact) == (Status.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED, None)
    assert "ended as      MaxRuntimeExceeded: It reached its limit of 0.5 seconds" in repr(job)


def test_a_job_below_its_limit_completes(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    assert jobs.run("late-1", training_set, QUICK, maximum_runtime_seconds=3_600).status is Status.COMPLETED


def test_jobs_are_listed_newest_first_in_a_table(training_set: TrainingSet, tmp_path: Path) -> None:
    clock = iter(range(START, START + 100))
    jobs = TrainingJobs(*local_store(tmp_path / "store"), Settings(), lambda: next(clock))
    assert repr(jobs) == "0 training jobs"
    jobs.run("first", training_set, QUICK)
    jobs.start("second", training_set, ENDLESS).stop()
    assert [job.name for job in jobs.list()] == ["second", "first"]
    lines = repr(jobs).splitlines()
    assert lines[1].split() == ["name", "status", "secondary", "status", "training", "set", "seconds", "measured"]
    assert re.fullmatch(r"  first   Completed  Completed         late:1 +[\d.]+ +test auc [\d.]+", lines[3])
