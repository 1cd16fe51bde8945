from pathlib import Path

import pandas as pd
import pytest

import treering as tr
from support.sources import csv_source, everything, schema
from treering.errors import BadRowsError
from treering.ingestion.quarantine import BadRows

HINT = "If 'NA' stands for a missing value, say tr.Csv(path, null_values=('', 'NA'))."


@pytest.mark.parametrize(("text", "is_hinted"), [("NA", True), ("x", False)])
@pytest.mark.parametrize("kind", ["Integral", "Fractional"])
def test_a_word_for_a_missing_number_is_answered_with_how_to_declare_it(tmp_path: Path, kind: str, text: str, is_hinted: bool) -> None:
    source = csv_source(tmp_path, f"n,s\n{text},NA\n")
    bad_rows = BadRows()
    bad_rows.add(everything(source, schema(n=kind, s="String")).bad_rows, source.parts())
    assert (HINT in str(bad_rows.refusal(1, "data.csv", "group", can_quarantine=True)).splitlines()) is is_hinted


def test_where_clocks_change_the_refusal_says_how_to_say_which_moment_is_meant(tmp_path: Path) -> None:
    store = tr.Store(tmp_path)
    frame = pd.DataFrame({"id": ["a"], "at": pd.to_datetime(["2024-10-27 02:30"])})
    group = store.feature_groups.create("clocks", entity="id", event_time="at", schema=tr.Schema.of(frame), time_zone="Europe/Berlin")
    with pytest.raises(BadRowsError, match=r"tr.TimeZone\(zone, ambiguous='latest'\)"):
        group.ingest(frame)
