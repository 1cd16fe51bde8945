"""An ingestion on S3, killed before requests that are chosen by chance."""

import pytest

from support.drills import run_drill

SEED = 20_261_123


@pytest.mark.s3
def test_an_ingestion_survives_a_kill_at_random_requests(s3_root: str, kills: int):
    drill = run_drill("s3", s3_root, "ingestion", "--random", str(kills), "--seed", str(SEED))
    drill.show(f"ingestion on S3, seed {SEED}")
    assert drill.violations == []
    assert len(drill.hit) == kills
    # The rarer requests are sure to be met by a hundred kills, and the commonest by any number.
    often, rare = {"output data", "create metadata", "create document"}, {"output quarantine", "create manifest", "create manifest list", "put hint"}
    assert (often | rare if kills >= 100 else often) <= drill.kinds
    assert 0 < drill.landed < kills
