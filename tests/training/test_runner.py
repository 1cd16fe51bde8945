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
from treering.errors import AlreadyExistsError, ArtifactError, InvalidDefinitionError, NotFoundError, TrainingError
from treering.recipes import FillMissing, Recipe, step
from treering.settings import Settings
from treering.training.artifact import open_artifact
from treering.training.child import child_environment, last_words, reason_of
from treering.training.job import JobSpec, Status, StoredArtifact, TrainedOn
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords
from treering.training.runner import RunningJob, TrainingJobs
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


def test_an_archive_names_the_set_the_recipe_and_the_parameters(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    jobs.run("late-1", training_set, QUICK, Recipe([FillMissing("carrier_delay")]))
    artifact = jobs.artifact("late-1")
    assert artifact.receipt["id"] == training_set.id
    assert (artifact.parameters["num_round"], artifact.parameters["xgboost_version"]) == (4, xgboost.__version__)
    assert artifact.recipe is not None
    assert artifact.recipe["steps"][0]["is"] == "FillMissing"
    assert artifact.schema["target"] == ["late", "int64"]


def test_the_same_training_leaves_the_same_bytes(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    rebuilt = build_set(tmp_path / "store", split=TimeSplit.fractions(validation=0.2, test=0.2))
    parameters = QUICK.parameters | {"nthread": 1}
    first = jobs.run("late-1", training_set, QUICK)
    second = jobs.run("late-2", rebuilt, XGBoost(**parameters, eval_metric="auc", num_round=4))
    assert rebuilt.version == training_set.version + 1
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
    assert [document.value["status"] for document in history] == ["InProgress", "Stopping", "Stopped"]
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
    assert (job.status, job.failure_reason) == (Status.FAILED, "The child process was killed by signal 9 (Killed; out of memory?).")
    assert "[0]\ttrain-auc" in jobs.logs("late-1")
    with pytest.raises(TrainingError, match="is Failed; it cannot become Stopping"):
        running.stop()


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

    with pytest.raises(TrainingError, match=r"failed: KeyError: 'no such column' \(exit code 1\) Read its whole output"):
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


def test_logs_of_a_running_job_are_not_there_yet(jobs: TrainingJobs, training_set: TrainingSet) -> None:
    running = jobs.start("late-1", training_set, ENDLESS)
    with pytest.raises(NotFoundError, match="is InProgress and has left no logs yet"):
        jobs.logs("late-1")
    running.stop()


def test_the_reason_is_the_line_in_which_a_child_gives_up() -> None:
    words = ""
    for line in ("training", "error: TrainingError: no rows", "some thread says goodbye", ""):
        words = last_words(words, line)
    assert reason_of(1, words) == "TrainingError: no rows (exit code 1)"


@pytest.mark.parametrize(("words", "reason"), [("Segfault soon", "Segfault soon (exit code 3)"), ("", "The child process said nothing (exit code 3)")])
def test_without_such_a_line_the_last_one_has_to_do(words: str, reason: str) -> None:
    assert reason_of(3, last_words(words, "")) == reason


def test_a_job_ends_even_if_its_logs_cannot_be_kept(jobs: TrainingJobs, training_set: TrainingSet, tmp_path: Path) -> None:
    logs = tmp_path / "store" / "training-jobs/late-1/logs.txt"
    logs.parent.mkdir(parents=True)
    logs.write_text("somebody else's")
    lines: list[str] = []
    assert jobs.run("late-1", training_set, QUICK, echo=lines.append).status is Status.COMPLETED
    assert lines[-1].startswith("Its output could not be kept: ")


def test_a_child_whose_output_cannot_be_held_is_stopped_and_fails(training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        from pathlib import Path

        def talkative(frame, folder):
            Path(folder).rmdir()
            print("a line that fills the memory of the log" * 50_000)
            return frame
    """
    module_of_features(tmp_path, source, monkeypatch)
    import own_features

    folder = tmp_path / "temporary"
    folder.mkdir()
    objects, documents = local_store(tmp_path / "store")
    elsewhere = TrainingJobs(objects, documents, Settings(temporary_folder=str(folder)), lambda: START)
    job = elsewhere.start("late-1", training_set, ENDLESS, Recipe([step(own_features.talkative, folder=str(folder))])).wait()
    assert (job.status, job) == (Status.FAILED, elsewhere.get("late-1"))
    assert "Its output could not be kept: " in job.failure_reason


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
