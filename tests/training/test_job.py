import json
from itertools import product
from pathlib import Path

import pytest

from support.looked import START, build_set, local_store
from treering.errors import AlreadyExistsError, InvalidNameError, NotFoundError, TrainingError
from treering.recipes import MinMax, Recipe
from treering.training.job import MOVES, JobSpec, Status, StoredArtifact, TrainedOn, TrainingJob
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords

SPEC = JobSpec("late-1", TrainedOn("late", 3, "ab" * 32), XGBoost(max_depth=4), Recipe([MinMax("wind")]).to_json(), drop_null_targets=True)
JOB = TrainingJob(SPEC, Status.IN_PROGRESS, created_at=START)
LEFT = {"metrics": {"train": {"auc": 0.9}, "test": {"auc": None}}, "rounds": 7, "artifact": StoredArtifact(SPEC.artifact_key, 10, "cd" * 32)}


def records(root: Path) -> JobRecords:
    return JobRecords(local_store(root)[1], lambda: START + 5)


@pytest.mark.parametrize("name", ["a", "late-arrivals-2", "9", "a--b", "x" * 63])
def test_a_job_takes_a_name_that_sagemaker_takes(name: str) -> None:
    assert JobSpec(name, SPEC.training_set, SPEC.trainer).name == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "late_arrivals", "x" * 64, "../a", "a.b"])
def test_a_job_refuses_a_name_that_sagemaker_refuses(name: str) -> None:
    with pytest.raises(InvalidNameError, match="1 to 63"):
        JobSpec(name, SPEC.training_set, SPEC.trainer)


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_a_job_moves_only_as_the_table_says(before: Status, after: Status) -> None:
    job = TrainingJob(SPEC, before, created_at=START)
    if after in MOVES[before]:
        assert job.moved(after).status is after
    else:
        with pytest.raises(TrainingError, match=f"is {before}; it cannot become {after}"):
            job.moved(after)


def test_a_job_that_has_ended_does_not_move() -> None:
    assert {status for status in Status if status.has_ended} == {Status.COMPLETED, Status.FAILED, Status.STOPPED}


def test_a_job_survives_its_document() -> None:
    job = JOB.moved(Status.COMPLETED, ended_at=START + 1, **LEFT)
    assert TrainingJob.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_every_move_is_kept(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    written.end("late-1", Status.COMPLETED, **LEFT)
    history = local_store(tmp_path)[1].history("training-jobs", "late-1")
    assert [document.value["status"] for document in history] == ["InProgress", "Completed"]
    assert written.get("late-1").ended_at == START + 5


def test_a_job_that_was_asked_to_stop_has_stopped_whatever_its_child_still_did(tmp_path: Path) -> None:
    written = records(tmp_path)
    written.begin(SPEC)
    written.stopping("late-1")
    ended = written.end("late-1", Status.COMPLETED, **LEFT)
    assert (ended.status, ended.artifact) == (Status.STOPPED, None)


def test_a_name_is_used_once(tmp_path: Path) -> None:
    records(tmp_path).begin(SPEC)
    with pytest.raises(AlreadyExistsError):
        records(tmp_path).begin(SPEC)


def test_an_unknown_job_is_named_with_the_nearest(tmp_path: Path) -> None:
    records(tmp_path).begin(SPEC)
    with pytest.raises(NotFoundError, match="Did you mean 'late-1'"):
        records(tmp_path).get("late-l")


def test_a_job_shows_how_it_ended() -> None:
    shown = repr(JOB.moved(Status.COMPLETED, **LEFT))
    assert "TrainingJob 'late-1': Completed\n  training set  late version 3" in shown
    assert "train         auc 0.90000" in shown
    assert "test          auc -" in shown


def test_a_training_set_is_named_by_its_id(tmp_path: Path) -> None:
    built = build_set(tmp_path)
    assert TrainedOn.of(built) == TrainedOn("late", 1, built.id)
