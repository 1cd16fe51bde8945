import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.looked import START, build_set, local_store
from treering.errors import ArtifactError, TrainingError
from treering.recipes import FillMissing, Recipe
from treering.settings import Settings
from treering.training.job import SecondaryStatus, Status, TrainingJob
from treering.training.runner import TrainingJobs
from treering.training.running import RunningJob
from treering.training.script import Script
from treering.training_sets.splits import TimeSplit
from treering.training_sets.training_set import TrainingSet

Written = Callable[..., Script]

SAVE_NOTE = "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'note.txt').write_text('a model')\n"
BOOST = """
import argparse, glob, os
import pandas as pd
import xgboost

parser = argparse.ArgumentParser()
parser.add_argument("--max-depth", type=int)
parser.add_argument("--rounds", type=int)
args = parser.parse_args()
rows = pd.concat(map(pd.read_parquet, glob.glob(os.environ["SM_CHANNEL_TRAIN"] + "/*.parquet")))
booster = xgboost.train({"max_depth": args.max_depth}, xgboost.DMatrix(rows.drop(columns="late"), rows["late"]), args.rounds)
booster.save_model(os.environ["SM_MODEL_DIR"] + "/xgboost-model")
"""
REPORT = """
import json, os, sys
report = {"environment": dict(os.environ), "arguments": sys.argv[1:], "folder": os.getcwd()}
report["config"] = {name: json.load(open(os.path.join(os.environ["SM_INPUT_CONFIG_DIR"], name))) for name in os.listdir(os.environ["SM_INPUT_CONFIG_DIR"])}
json.dump(report, open(os.path.join(os.environ["SM_MODEL_DIR"], "report.json"), "w"))
"""


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    return build_set(tmp_path / "store", split=TimeSplit.fractions(validation=0.2, test=0.2))


@pytest.fixture
def jobs(tmp_path: Path) -> TrainingJobs:
    (tmp_path / "temporary").mkdir()
    return TrainingJobs(*local_store(tmp_path / "store"), Settings(temporary_folder=str(tmp_path / "temporary")), lambda: START)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a script to a folder of the user's."""

    def write(source: str, **told: Any) -> Script:
        (tmp_path / "train.py").write_text(textwrap.dedent(source))
        return Script(tmp_path / "train.py", **told)

    return write


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe with a name: opening one end waits for the other, so a script and a test can wait for each other."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def wait_for(pipe: Path, running: RunningJob) -> TrainingJob:
    """Wait until a script opens the pipe, and return its job."""
    pipe.read_text()
    return running.job


def test_a_script_trains_a_booster_that_loads_like_ours(jobs: TrainingJobs, training_set: TrainingSet, written: Written) -> None:
    script = written(BOOST, hyperparameters={"max-depth": 3, "rounds": 4})
    job = jobs.run("late-1", training_set, script, Recipe([FillMissing("carrier_delay")]))
    assert [one.status for one in job.transitions] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    model = jobs.model("late-1")
    assert (model.features, model.booster.num_boosted_rounds()) == (("distance", "wind", "carrier_delay"), 4)
    assert np.isfinite(model.predict(training_set.to_pandas("test"))).all()


def test_a_script_finds_sagemakers_environment(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path) -> None:
    told = {"max-depth": 3, "note": "two words", "fast": True}
    jobs.run("late-1", training_set, written(REPORT, hyperparameters=told, environment={"MODE": "careful"}, channel_format="csv"))
    report = json.loads(jobs.artifact("late-1").files["report.json"])
    environment = report["environment"]
    assert json.loads(environment["SM_HPS"]) == told
    assert (environment["SM_HP_MAX-DEPTH"], environment["SM_HP_NOTE"], environment["SM_HP_FAST"]) == ("3", "two words", "true")
    assert json.loads(environment["SM_CHANNELS"]) == ["test", "train", "validation"]
    assert environment["SM_CHANNEL_TRAIN"].endswith("/input/data/train")
    assert report["arguments"] == ["--fast", "True", "--max-depth", "3", "--note", "two words"] == json.loads(environment["SM_USER_ARGS"])
    assert report["folder"] == environment["SM_MODULE_DIR"]
    assert (json.loads(environment["SM_HOSTS"]), environment["SM_CURRENT_HOST"]) == (["algo-1"], "algo-1")
    assert int(environment["SM_NUM_CPUS"]) >= 1
    assert json.loads(environment["SM_TRAINING_ENV"])["channel_input_dirs"]["test"] == environment["SM_CHANNEL_TEST"]
    assert report["config"]["hyperparameters.json"] == {"max-depth": "3", "note": "two words", "fast": "True"}
    assert (environment["MODE"], environment["TRAINING_JOB_NAME"]) == ("careful", "late-1")
    assert (environment["TREERING_STORE"], environment["TREERING_TRAINING_SET"]) == (str(tmp_path / "store"), "late:1")


def test_a_script_sees_no_secrets(jobs: TrainingJobs, training_set: TrainingSet, written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "DATABASE_PASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    jobs.run("late-1", training_set, written(REPORT))
    assert "hunter2" not in jobs.artifact("late-1").files["report.json"].decode()


def test_a_script_opens_the_store_and_reads_the_set_itself(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path) -> None:
    source = """
        import os
        import treering as tr

        store = tr.Store(os.environ["TREERING_STORE"], read_only=True)
        name, version = os.environ["TREERING_TRAINING_SET"].split(":")
        training_set = store.training_sets.get(name, int(version))
        open(os.environ["SM_MODEL_DIR"] + "/id.txt", "w").write(f"{training_set.id} {store.settings.temporary_folder}")
    """
    from treering.store import Store

    Store(tmp_path / "store")
    jobs.run("late-1", training_set, written(source))
    assert jobs.artifact("late-1").files["id.txt"].decode() == f"{training_set.id} {tmp_path / 'temporary'}"


@pytest.mark.s3
def test_a_script_reads_a_set_on_s3(s3_root: str, written: Written) -> None:
    from treering.store import Store

    source = """
        import os
        import treering as tr

        name, version = os.environ["TREERING_TRAINING_SET"].split(":")
        rows = tr.Store(os.environ["TREERING_STORE"], read_only=True).training_sets.get(name, int(version)).to_pandas("test")
        open(os.environ["SM_MODEL_DIR"] + "/rows.txt", "w").write(str(len(rows)))
    """
    Store(s3_root)
    on_s3 = TrainingJobs(*local_store(s3_root), Settings(), lambda: START)
    on_s3.run("late-1", build_set(s3_root, split=TimeSplit.fractions(test=0.2)), written(source))
    assert on_s3.artifact("late-1").files["rows.txt"] == b"400"


def test_the_bytes_that_ran_are_kept_and_named(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path) -> None:
    script = written(SAVE_NOTE)
    (tmp_path / "train.py").write_text("raise SystemExit('changed after it was named')")
    jobs.run("late-1", training_set, script)
    assert (tmp_path / "store/training-jobs/late-1/source/train.py").read_text() == SAVE_NOTE
    artifact = jobs.artifact("late-1")
    assert (artifact.parameters["sha256"], artifact.receipt["id"]) == (script.sha256, training_set.id)
    assert artifact.schema["target"] == ["late", "int64"]


def test_the_same_script_leaves_the_same_bytes(jobs: TrainingJobs, training_set: TrainingSet, written: Written) -> None:
    first, second = (jobs.run(name, training_set, written(SAVE_NOTE)).artifact for name in ("late-1", "late-2"))
    assert first is not None
    assert second is not None
    assert first.sha256 == second.sha256


def test_a_script_imports_its_neighbours(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path) -> None:
    (tmp_path / "own_saving.py").write_text(SAVE_NOTE)
    assert jobs.run("late-1", training_set, written("import own_saving")).status is Status.COMPLETED


def test_a_script_from_a_jobs_document_is_not_run(jobs: TrainingJobs, training_set: TrainingSet, written: Written) -> None:
    recorded = jobs.run("late-1", training_set, written(SAVE_NOTE)).spec.trainer
    with pytest.raises(TrainingError, match="only a file that you name is run"):
        jobs.start("late-2", training_set, recorded)
    assert "late-2" not in jobs


def test_metrics_are_read_from_the_output(jobs: TrainingJobs, training_set: TrainingSet, written: Written) -> None:
    source = SAVE_NOTE + "print('auc 0.5')\nprint('auc 0.75')\nprint('{\"phase\": \"Failed\"}')\nprint('error: not really')\n"
    job = jobs.run("late-1", training_set, written(source, metrics={"validation:auc": r"auc (\S+)"}))
    assert (job.metrics, job.rounds) == ({"validation": {"auc": 0.75}}, None)
    assert jobs.history("late-1") == {"validation": {"auc": (0.5, 0.75)}}
    assert "validation auc 0.75" in repr(jobs)


def test_another_kind_of_model_is_taken_out_as_files(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path) -> None:
    jobs.run("late-1", training_set, written(SAVE_NOTE + "pathlib.Path(os.environ['SM_MODEL_DIR'], 'deep').mkdir()\n"))
    with pytest.raises(ArtifactError, match=r"left \('note.txt'\) and no 'xgboost-model'.*\.extract\(folder\)"):
        jobs.model("late-1")
    paths = jobs.artifact("late-1").extract(tmp_path / "taken")
    assert [path.read_text() for path in paths] == ["a model"]


def test_what_a_script_leaves_beside_its_model_is_kept(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path) -> None:
    job = jobs.run("late-1", training_set, written(SAVE_NOTE + "pathlib.Path(os.environ['SM_OUTPUT_DATA_DIR'], 'plot.txt').write_text('o')\n"))
    assert (tmp_path / "store" / job.spec.output_key).stat().st_size > 0


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("pass", "train.py ended well and left nothing in SM_MODEL_DIR. Save the model there"),
        ("print('reading')\n{}['late']", r"KeyError: 'late' (train.py ended with exit code 1)"),
        ("import sys\nsys.exit('no rows')", "no rows (train.py ended with exit code 1)"),
        ("import sys\nsys.exit(3)", "It said nothing (train.py ended with exit code 3)"),
        (
            "import os\nopen(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('the disk is full')\nraise ValueError",
            "the disk is full (train.py ended with exit code 1)",
        ),
        ("import os\nos.symlink('/etc/passwd', os.environ['SM_MODEL_DIR'] + '/model')", "left 'model', which is no plain file"),
        ("import os\nopen(os.environ['SM_MODEL_DIR'] + '/my model', 'w')", "'my model' cannot go into an archive"),
        ("import os\nos.mkdir(os.environ['SM_MODEL_DIR'] + '/treering')\nopen(os.environ['SM_MODEL_DIR'] + '/treering/x', 'w')", "is for its papers"),
    ],
)
def test_a_script_that_fails_says_why(jobs: TrainingJobs, training_set: TrainingSet, written: Written, tmp_path: Path, source: str, reason: str) -> None:
    job = jobs.start("late-1", training_set, written(source)).wait()
    assert (job.status, job.artifact) == (Status.FAILED, None)
    assert reason in job.failure_reason
    assert not (tmp_path / "store" / job.spec.artifact_key).exists()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_script_that_the_system_kills_says_so(jobs: TrainingJobs, training_set: TrainingSet, written: Written) -> None:
    job = jobs.start("late-1", training_set, written("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")).wait()
    assert job.failure_reason.startswith("train.py was killed by signal 9 (Killed); its memory was at most ")


def test_a_script_whose_worker_is_killed_is_killed_too(jobs: TrainingJobs, training_set: TrainingSet, written: Written, pipe: Path, tmp_path: Path) -> None:
    running = jobs.start("late-1", training_set, written(f"import signal\nopen({str(pipe)!r}, 'w').close()\nsignal.pause()"))
    wait_for(pipe, running)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait().status is Status.FAILED
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_script_whose_starting_process_is_killed_ends_and_leaves_no_rows(training_set: TrainingSet, written: Written, pipe: Path, tmp_path: Path) -> None:
    written(f"pipe = open({str(pipe)!r}, 'w')\npipe.write('here')\npipe.flush()\nimport signal\nsignal.pause()\n")
    start = """
        import sys
        import treering as tr

        store = tr.Store(sys.argv[1])
        store.training_jobs.start("late-1", store.training_sets["late"], tr.Script(sys.argv[2]))
    """
    places = [str(tmp_path / "store"), str(tmp_path / "train.py")]
    starting = subprocess.Popen([sys.executable, "-c", textwrap.dedent(start), *places], env={**os.environ, "TMPDIR": str(tmp_path)})
    with pipe.open() as held_by_the_script:
        assert held_by_the_script.read(4) == "here"
        starting.kill()
        starting.wait()
        assert held_by_the_script.read() == ""
    assert not list(tmp_path.glob("treering-job-*"))


def test_a_script_that_waits_for_ever_reaches_its_limit(jobs: TrainingJobs, training_set: TrainingSet, written: Written) -> None:
    job = jobs.run("late-1", training_set, written(SAVE_NOTE + "import signal\nsignal.pause()"), maximum_runtime_seconds=1)
    assert (job.status, job.secondary_status, job.artifact) == (Status.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED, None)


def test_a_script_that_saves_its_model_when_it_is_stopped_keeps_it(jobs: TrainingJobs, training_set: TrainingSet, written: Written, pipe: Path) -> None:
    source = f"""
        import os, pathlib, signal, sys

        def save(*_):
            pathlib.Path(os.environ["SM_MODEL_DIR"], "note.txt").write_text("half trained")
            sys.exit(0)

        signal.signal(signal.SIGTERM, save)
        open({str(pipe)!r}, "w").close()
        signal.pause()
    """
    running = jobs.start("late-1", training_set, written(source))
    wait_for(pipe, running)
    job = running.stop()
    assert job.status is Status.STOPPED
    assert jobs.artifact("late-1").files == {"note.txt": b"half trained"}


@pytest.mark.parametrize("place", ["folder", pytest.param("s3", marks=pytest.mark.s3)])
def test_a_running_script_is_followed_from_elsewhere(
    place: str, request: pytest.FixtureRequest, tmp_path: Path, training_set: TrainingSet, written: Written, pipe: Path
) -> None:
    root = request.getfixturevalue("s3_root") if place == "s3" else str(tmp_path / "store")
    here, elsewhere = (TrainingJobs(*local_store(root), Settings(), lambda: START) for _ in range(2))
    source = SAVE_NOTE + f"print('half way')\nopen({str(pipe)!r}).read()\nprint('done with it')\n"
    running = here.start("late-1", build_set(root) if place == "s3" else training_set, written(source))
    lines = elsewhere.follow("late-1")
    assert "half way" in (next(lines), next(lines))
    assert "half way" in elsewhere.logs("late-1")
    assert elsewhere.get("late-1").secondary_status is SecondaryStatus.TRAINING
    pipe.write_text("go on")
    assert "done with it" in list(lines)
    assert running.wait().status is Status.COMPLETED


def test_rows_without_a_target_are_left_out_where_that_is_asked(jobs: TrainingJobs, tmp_path: Path, written: Written) -> None:
    from support.looked import LookedUp, flights, with_column

    targets = [None, *flights()["late"].to_pylist()[1:]]
    gappy = build_set(tmp_path / "store", LookedUp(with_column(flights(), "late", targets)), name="gappy")
    source = """
        import os, shutil
        shutil.copy(os.environ["SM_CHANNEL_TRAIN"] + "/train.csv", os.environ["SM_MODEL_DIR"] + "/train.csv")
    """
    jobs.run("late-1", gappy, written(source, channel_format="csv"), drop_null_targets=True)
    (path,) = jobs.artifact("late-1").extract(tmp_path / "taken")
    assert pd.read_csv(path)["late"].isna().sum() == 0
    assert len(pd.read_csv(path)) == gappy.rows - 1
