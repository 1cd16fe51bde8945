import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from support.looked import START, build_set, local_store
from treering.errors import AlreadyExistsError, InvalidDefinitionError, InvalidNameError, NotFoundError, TrainingError
from treering.recipes import MinMax, Recipe
from treering.training.job import MOVES, JobSpec, SecondaryStatus, Status, StoredArtifact, TrainedOn, TrainingJob, Transition
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords
from treering.training.resources import ResourceUse
from treering.training.script import Script

SPEC = JobSpec("late-1", TrainedOn("late", 3, "ab" * 32), XGBoost(max_depth=4), Recipe([MinMax("wind")]).to_json(), drop_null_targets=True)
JOB = TrainingJob.begun(SPEC, START)
LEFT = {
    "metrics": {"train": {"auc": 0.9}, "test": {"auc": None}},
    "rounds": 7,
    "artifact": StoredArtifact(SPEC.artifact_key, 10, "cd" * 32),
    "resources": ResourceUse(1.5, 2.0, 0.5, 3 * 1024**2),
}


def records(root: Path) -> JobRecords:
    return JobRecords(local_store(root)[1], lambda: START + 5)


@pytest.mark.parametrize("name", ["a", "late-arrivals-2", "9", "a--b", "x" * 63])
def test_a_job_takes_a_name_that_sagemaker_takes(name: str) -> None:
    assert JobSpec(name, SPEC.training_set, SPEC.trainer).name == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "late_arrivals", "x" * 64, "../a", "a.b"])
def test_a_job_refuses_a_name_that_sagemaker_refuses(name: str) -> None:
    with pytest.raises(InvalidNameError, match="1 to 63"):
        JobSpec(name, SPEC.training_set, SPEC.trainer)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "60"])
def test_a_limit_that_is_no_time_is_refused(seconds: Any) -> None:
    with pytest.raises(InvalidDefinitionError, match="a number of seconds above 0"):
        JobSpec("late-1", SPEC.training_set, SPEC.trainer, maximum_runtime_seconds=seconds)


@pytest.mark.parametrize(("before", "after"), list(product(SecondaryStatus, SecondaryStatus)))
def test_a_job_moves_only_as_the_table_says(before: SecondaryStatus, after: SecondaryStatus) -> None:
    job = TrainingJob(SPEC, (Transition(before, START),))
    if after in MOVES[before]:
        assert job.moved(after, START).secondary_status is after
    else:
        with pytest.raises(TrainingError, match=f"is {before}; it cannot become {after}"):
            job.moved(after, START)


def test_a_job_never_goes_back_to_an_earlier_phase() -> None:
    phases = (SecondaryStatus.STARTING, SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING, SecondaryStatus.UPLOADING)
    assert [MOVES[phase].intersection(phases) for phase in phases] == [set(phases[place + 1 :]) for place in range(4)]


def test_only_what_nothing_follows_has_ended() -> None:
    assert {status for status in SecondaryStatus if status.primary.has_ended} == {status for status, after in MOVES.items() if not after}
    assert {status.primary for status in SecondaryStatus} == set(Status)


def test_a_transition_ends_when_the_next_begins_and_the_last_one_at_once() -> None:
    job = JOB.moved(SecondaryStatus.TRAINING, START + 2, "Training XGBoost")
    assert (job.ended_at, job.status) == (None, Status.IN_PROGRESS)
    ended = job.moved(SecondaryStatus.FAILED, START + 7, "no disk")
    times = [(one.status, one.started_at - START, (one.ended_at or 0) - START, one.message) for one in ended.transitions]
    assert times == [("Starting", 0, 2, "Starting the child process"), ("Training", 2, 7, "Training XGBoost"), ("Failed", 7, 7, "no disk")]
    assert (ended.created_at, ended.ended_at) == (START, START + 7)


def test_a_job_survives_its_document() -> None:
    job = JOB.moved(SecondaryStatus.COMPLETED, START + 1, **LEFT)
    assert TrainingJob.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_a_job_with_a_script_survives_its_document_without_the_script(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)")
    script = Script(tmp_path / "train.py", hyperparameters={"depth": 4, "fast": True}, metrics={"test:auc": "auc ([0-9.]+)"}, environment={"MODE": "a"})
    job = TrainingJob.begun(JobSpec("late-1", SPEC.training_set, script), START)
    read = TrainingJob.from_json(json.loads(json.dumps(job.to_json())))
    assert read == job
    assert isinstance(read.spec.trainer, Script)
    assert read.spec.trainer.source is None


def test_every_move_is_kept(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    written.end("late-1", SecondaryStatus.COMPLETED, **LEFT)
    history = local_store(tmp_path)[1].history("training-jobs", "late-1")
    assert [document.value["status"] for document in history] == ["InProgress", "Completed"]
    assert written.get("late-1").ended_at == START + 5


def test_a_job_that_was_asked_to_stop_has_stopped_whatever_its_child_still_did(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    written.stopping("late-1", "Asked to stop")
    ended = written.end("late-1", SecondaryStatus.FAILED, failure_reason="killed by signal 15")
    assert (ended.status, ended.failure_reason, ended.transitions[-1].message) == (Status.STOPPED, "", "Asked to stop")


def test_a_stopped_job_keeps_a_model_that_was_left_whole(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    written.stopping("late-1", "Asked to stop")
    ended = written.end("late-1", SecondaryStatus.COMPLETED, **LEFT)
    assert (ended.status, ended.artifact) == (Status.STOPPED, LEFT["artifact"])


def test_a_job_that_overran_says_so_even_if_the_wish_to_stop_could_not_be_written(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    ended = written.end("late-1", SecondaryStatus.MAX_RUNTIME_EXCEEDED, failure_reason="killed by signal 15")
    assert (ended.status, ended.secondary_status, ended.failure_reason) == (Status.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED, "")


def test_a_second_wish_to_stop_changes_nothing(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    first = written.stopping("late-1", "Asked to stop")
    assert written.stopping("late-1", "Asked again") == first
    written.end("late-1", SecondaryStatus.STOPPED)
    with pytest.raises(TrainingError, match="is Stopped; it cannot become Stopping"):
        written.stopping("late-1", "Too late")


def test_a_watch_sees_what_others_write(tmp_path: Path) -> None:
    watch = records(tmp_path).begin(SPEC)
    assert watch.now().secondary_status is SecondaryStatus.STARTING
    records(tmp_path).phase("late-1", SecondaryStatus.DOWNLOADING, "")
    records(tmp_path).phase("late-1", SecondaryStatus.TRAINING, "")
    assert watch.now().secondary_status is SecondaryStatus.TRAINING


def test_a_name_is_used_once(tmp_path: Path) -> None:
    records(tmp_path).begin(SPEC)
    with pytest.raises(AlreadyExistsError):
        records(tmp_path).begin(SPEC)


def test_an_unknown_job_is_named_with_the_nearest(tmp_path: Path) -> None:
    records(tmp_path).begin(SPEC)
    with pytest.raises(NotFoundError, match="Did you mean 'late-1'"):
        records(tmp_path).get("late-l")


def test_a_job_shows_how_it_ended() -> None:
    shown = repr(JOB.moved(SecondaryStatus.COMPLETED, START + 2_000_000, **LEFT))
    assert "TrainingJob 'late-1': Completed\n  training set  late version 3" in shown
    assert "train         auc 0.90000" in shown
    assert "test          auc -" in shown
    assert "phases        Starting 2.0 s\n" in shown
    assert "used          1.5 s, 2.5 s of processor time (0.5 s in the system), at most 3 MiB of memory" in shown


def test_a_training_set_is_named_by_its_id(tmp_path: Path) -> None:
    built = build_set(tmp_path)
    assert TrainedOn.of(built) == TrainedOn("late", 1, built.id)
