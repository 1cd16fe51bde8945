"""An ingestion on S3, killed before requests that are chosen by chance."""

import pytest

from support.drills import run_drill

SEED = 20_261_123


@pytest.mark.s3
def test_an_ingestion_survives_a_kill_at_a_hundred_random_requests(s3_root: str):
    drill = run_drill("s3", s3_root, "ingestion", "--random", "100", "--seed", str(SEED))
    drill.show(f"ingestion on S3, seed {SEED}")
    assert drill.violations == []
    assert len(drill.hit) == 100
    assert {"output data", "output quarantine", "create manifest", "create manifest list", "create metadata", "put hint", "create document"} <= drill.kinds
    assert 0 < drill.landed < 100
