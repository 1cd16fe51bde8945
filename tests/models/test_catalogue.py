import re
import shutil
from pathlib import Path

import pytest

import treering as tr
from support.trained import flights, labels
from treering.errors import ArtifactError, NotFoundError, StorageError


def test_models_are_the_jobs_that_left_one(trained: tr.Store) -> None:
    assert list(trained.models) == trained.models.names() == ["delay-1", "late-1", "outcome-1"]
    assert (len(trained.models), "late-1" in trained.models, "late-2" in trained.models) == (3, True, False)
    assert trained.models["late-1"].name == "late-1"


def test_the_list_shows_what_each_was_trained_on_and_how_good_it_is(trained: tr.Store) -> None:
    first, *lines = repr(trained.models).split("\n")
    assert (first, len(lines)) == ("3 models", 3)
    assert re.fullmatch(r"  late-1 +XGBoost  late-set version 1 +test logloss 0\.\d{2,4} +20\S+ \S+Z", lines[1])


def test_an_empty_store_has_no_models(tmp_path: Path) -> None:
    assert repr(tr.Store(tmp_path / "store").models) == "0 models"


def test_a_mistyped_name_is_answered_with_the_nearest(trained: tr.Store) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'late-1'"):
        trained.models.load("late1")


def test_a_model_loads_by_name_by_key_and_by_absolute_path(trained: tr.Store, tmp_path: Path) -> None:
    key = "training-jobs/late-1/output/model.tar.gz"
    shutil.copy(Path(trained.root) / key, tmp_path / "model.tar.gz")
    wanted = trained.models["late-1"].artifact.sha256
    for place in (key, tmp_path / "model.tar.gz", f"file://{tmp_path}/model.tar.gz"):
        assert trained.models.load(place).artifact.sha256 == wanted


@pytest.mark.s3
def test_a_model_loads_from_s3_into_another_store(trained: tr.Store, s3_root: str) -> None:
    from treering.storage.roots import open_objects

    archive = (Path(trained.root) / "training-jobs/late-1/output/model.tar.gz").read_bytes()
    open_objects(s3_root, tr.Settings()).create("models/model.tar.gz", archive)
    model = trained.models.load(f"{s3_root}/models/model.tar.gz")
    assert model.predict(trained.training_sets["late-set"].to_pandas("test")).shape == (150,)


def test_no_archive_at_an_address_says_where_it_looked(trained: tr.Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no model archive at file://.*/gone/model\.tar\.gz"):
        trained.models.load(tmp_path / "gone" / "model.tar.gz")
    with pytest.raises(StorageError, match="file:// and s3://"):
        trained.models.load("https://example.com/model.tar.gz")


def test_an_archive_that_was_changed_is_refused(copied: tr.Store) -> None:
    path = Path(copied.root) / "training-jobs/late-1/output/model.tar.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match="SHA-256"):
        copied.models.load("late-1")
    with pytest.raises(ArtifactError, match="cut short"):
        copied.models.load("training-jobs/late-1/output/model.tar.gz")


SCRIPT = """
import os, sys
import pandas as pd
import xgboost

rows = pd.read_parquet(os.environ["SM_CHANNEL_TRAIN"])
target = sys.argv[sys.argv.index("--target") + 1]
told = {"objective": sys.argv[sys.argv.index("--objective") + 1], "max_depth": 2}
told |= {"num_class": 3} if "multi" in told["objective"] else {}
codes = rows[target].astype("category").cat.codes
booster = xgboost.train(told, xgboost.DMatrix(rows[["distance", "wind"]], codes), 4)
print("test logloss: 0.5")
booster.save_model(os.environ["SM_MODEL_DIR"] + "/xgboost-model")
"""


def run_script(store: tr.Store, folder: Path, target: str, objective: str) -> str:
    (folder / "boost.py").write_text(SCRIPT)
    told = {"target": target, "objective": objective}
    script = tr.Script(folder / "boost.py", hyperparameters=told, metrics={"test:logloss": r"test logloss: (\S+)"}, environment={"SECRET_WORD": "hush"})
    return store.training_jobs.run(f"script-{target}", store.training_sets[f"{target}-set"], script, echo=lambda _: None).name


def test_a_booster_of_a_script_is_loaded_measured_and_described(copied: tr.Store, tmp_path: Path) -> None:
    name = run_script(copied, tmp_path, "late", "binary:logistic")
    model = copied.models[name]
    assert (model.objective, model.features, model.classes) == ("binary:logistic", ("distance", "wind"), (False, True))
    scores = model.score(labels(flights(), "late"))
    assert scores.metrics is not None
    assert scores.metrics["auc"] > 0.8
    html = copied.models.report(name).html
    assert "Hyperparameters of boost.py" in html
    assert "ROC curve" in html
    assert "hush" not in html + str(model.to_json())


def test_a_script_s_own_codes_of_texts_are_answered_and_not_measured(copied: tr.Store, tmp_path: Path) -> None:
    name = run_script(copied, tmp_path, "outcome", "multi:softprob")
    scores = copied.models[name].score(labels(flights(), "outcome"))
    assert scores.metrics is None
    assert "What it relies on" in copied.models.report(name).html


def test_a_job_that_was_stopped_and_left_a_whole_model_is_listed(copied: tr.Store, tmp_path: Path) -> None:
    script = tmp_path / "patient.py"
    saved = "pathlib.Path(os.environ['SM_MODEL_DIR'], 'note.txt').write_text('enough'); sys.exit(0)"
    script.write_text(
        f"import os, pathlib, signal, sys\ndef save(*_): {saved}\nsignal.signal(signal.SIGTERM, save)\nprint('ready', flush=True)\nsignal.pause()\n"
    )
    running = copied.training_jobs.start("patient-1", copied.training_sets["late-set"], tr.Script(script))
    assert "ready" in copied.training_jobs.follow("patient-1")
    assert running.stop().status == "Stopped"
    assert "patient-1" in copied.models


def test_a_model_of_a_script_says_how_to_take_its_files(copied: tr.Store, tmp_path: Path) -> None:
    script = tmp_path / "mean.py"
    script.write_text("import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'mean.txt').write_text('0.5')\n")
    copied.training_jobs.run("mean-1", copied.training_sets["late-set"], tr.Script(script), echo=lambda _: None)
    assert "mean-1" in copied.models
    for use in (copied.models.load, copied.models.report, copied.training_jobs.model):
        with pytest.raises(ArtifactError, match=r"left \('mean.txt'\) and no 'xgboost-model'.*extract"):
            use("mean-1")


def test_what_a_job_measured_is_measured_again(trained: tr.Store) -> None:
    model, job = trained.models["late-1"], trained.training_jobs["late-1"]
    found = model.evaluate(trained.training_sets["late-set"].batches("test"), "late")
    assert found is not None
    assert job.metrics is not None
    assert found.metrics["logloss"] == pytest.approx(job.metrics["test"]["logloss"], abs=1e-5)
    assert found.rows == len(flights()) // 4
