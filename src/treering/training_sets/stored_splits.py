"""Splits <-> JSON: what a receipt says of the rule that named its splits."""

from collections.abc import Callable, Mapping
from typing import Any

from treering.errors import StoreFormatError
from treering.schema.times import microseconds
from treering.training_sets.keyed_splits import ColumnSplit, GroupSplit, HashSplit
from treering.training_sets.splits import Everything, Split, TimeFractions, TimeSplit

_READERS: Mapping[str, Callable[[dict[str, Any]], Split]] = {
    "ColumnSplit": lambda fields: ColumnSplit(**fields),
    "Everything": lambda fields: Everything(**fields),
    "GroupSplit": lambda fields: GroupSplit(**fields),
    "HashSplit": lambda fields: HashSplit(**fields),
    "TimeFractions": lambda fields: TimeFractions(**fields | {"embargo": microseconds(fields["embargo"])}),
    "TimeSplit": lambda fields: TimeSplit(**fields),
}


def split_from_json(value: Mapping[str, Any]) -> Split:
    """Read a rule that a receipt holds.

    Raises:
        StoreFormatError: for a rule that this version does not know.
    """
    reader = _READERS.get(value["is"])
    if reader is None:
        raise StoreFormatError(f"A receipt holds the split {value['is']!r}, which this version of treering does not know. Install a newer one.")
    return reader({name: item for name, item in value.items() if name != "is"})
