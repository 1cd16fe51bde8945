"""Training jobs as their documents have them, without the training."""

import treering as tr
from support.ticking import Ticking
from treering.storage.documents import Documents
from treering.storage.roots import open_objects
from treering.training.job import JobSpec, SecondaryStatus, StoredArtifact, TrainedOn
from treering.training.records import JobRecords
from treering.training_sets.training_set import TrainingSet


def write_job(store: tr.Store, name: str, used: TrainingSet, status: SecondaryStatus = SecondaryStatus.COMPLETED) -> None:
    """Write down a job that was trained on a set and ended; one that completed left an archive."""
    records = JobRecords(Documents(open_objects(store.root, store.settings), Ticking()), Ticking())
    records.begin(JobSpec(name, TrainedOn.of(used), tr.XGBoost()))
    changes = (
        {"artifact": StoredArtifact(f"training-jobs/{name}/output/model.tar.gz", 1, "0" * 64)}
        if status is SecondaryStatus.COMPLETED
        else {"failure_reason": "x"}
    )
    records.end(name, status, **changes)
