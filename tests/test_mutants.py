"""`make mutants` takes minutes; that its mistakes still stand in the source is seen at once."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_mistake_of_the_mutants_can_still_be_made() -> None:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    stale = [one.mistake for one in module.MUTANTS if (ROOT / "src" / "treering" / one.file).read_text("utf-8").count(one.text) != 1]
    assert stale == []
    unknown = {file for one in module.MUTANTS for file in one.tests if file.endswith(".py") and not (ROOT / file).is_file()}
    assert unknown == set()
    assert len(module.MUTANTS) >= 100
