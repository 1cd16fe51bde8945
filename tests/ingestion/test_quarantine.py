from pathlib import Path

import pytest

from support.sources import csv_source, everything, schema
from treering.ingestion.quarantine import BadRows

HINT = "If 'NA' stands for a missing value, say tr.Csv(path, null_values=('', 'NA'))."


@pytest.mark.parametrize(("text", "is_hinted"), [("NA", True), ("x", False)])
@pytest.mark.parametrize("kind", ["Integral", "Fractional"])
def test_a_word_for_a_missing_number_is_answered_with_how_to_declare_it(tmp_path: Path, kind: str, text: str, is_hinted: bool) -> None:
    source = csv_source(tmp_path, f"n,s\n{text},NA\n")
    bad_rows = BadRows()
    bad_rows.add(everything(source, schema(n=kind, s="String")).bad_rows, source.parts())
    assert (HINT in str(bad_rows.refusal(1, "data.csv", "group", can_quarantine=True)).splitlines()) is is_hinted
