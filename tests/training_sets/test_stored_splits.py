import json

import pytest

from treering.errors import StoreFormatError
from treering.training_sets.keyed_splits import ColumnSplit, GroupSplit, HashSplit
from treering.training_sets.splits import Everything, Split, TimeSplit
from treering.training_sets.stored_splits import split_from_json


@pytest.mark.parametrize(
    "split",
    [
        Everything(),
        TimeSplit(validation="2013-10-01"),
        TimeSplit(test="2013-10-01T00:00:00.000001", embargo=90),
        TimeSplit.fractions(0.1, 0.2, embargo="6h"),
        HashSplit("tailnum", test=0.2),
        HashSplit(["carrier", "flight"], validation=0.1, test=0.2, seed=7),
        GroupSplit("tailnum", validation=0.1),
        ColumnSplit("fold"),
        ColumnSplit("fold", train=[0, 1, 2], validation=3, test=4.0, rest="embargo"),
    ],
)
def test_a_split_survives_its_receipt(split: Split) -> None:
    assert split_from_json(json.loads(json.dumps(split.to_json()))) == split


def test_a_split_of_a_newer_version_is_refused() -> None:
    with pytest.raises(StoreFormatError, match="newer"):
        split_from_json({"is": "MoonPhaseSplit"})
