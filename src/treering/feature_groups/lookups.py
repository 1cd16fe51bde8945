"""Lookups in a store's feature groups: labels are read once, and every group is seen as it was when it was first asked for."""

from collections.abc import Iterable

from treering.feature_groups.catalogue import FeatureGroups
from treering.point_in_time.history import History
from treering.point_in_time.labels import LabelRows, Labels
from treering.point_in_time.local import LookupPlan, LookupResult, rows_of
from treering.point_in_time.lookup import plan
from treering.schema.times import time_text
from treering.schema.view import Lookup
from treering.storage.shelf import Shelf


class OpenLookups:
    """Label rows, and the records of the groups that were asked for them.

    Attributes:
        rows: the labels, read.
    """

    def __init__(self, groups: FeatureGroups, shelf: Shelf, rows: LabelRows) -> None:
        self._groups, self.rows = groups, rows
        self._opened: dict[object, History] = {}
        if rows.history is not None and rows.history.address == shelf.objects.uri(rows.history.table):
            self._opened[rows.history.definition.name, None, None] = rows.history

    def history(self, lookup: Lookup) -> History:
        """Open the records that a lookup asks for; one state per group and commit, so that two lookups of a group, and labels from it, see the same records."""
        key = (lookup.group, lookup.as_of, lookup.as_of_time)
        if key not in self._opened:
            as_of = lookup.as_of if lookup.as_of_time is None else time_text(lookup.as_of_time)
            self._opened[key] = self._groups[lookup.group].records(as_of)
        return self._opened[key]

    def plan(self, lookups: Iterable[Lookup]) -> LookupPlan:
        """Resolve lookups without answering them.

        Raises:
            NotFoundError: for a group, a feature or a label column that does not exist.
            ColumnCollisionError: for output columns that share a name.
        """
        return LookupPlan(self.rows, plan(self.rows, tuple(lookups), self.history))

    def answer(self, lookups: Iterable[Lookup]) -> LookupResult:
        """Give every label row the features that were known at its time."""
        return LookupResult.of(self.plan(lookups))


class Lookups:
    """Opens labels to look them up in a store's groups.

    Args:
        groups: the store's.
        shelf: the store's.
    """

    def __init__(self, groups: FeatureGroups, shelf: Shelf) -> None:
        self._groups, self._shelf = groups, shelf

    def open(self, labels: Labels) -> OpenLookups:
        """Read labels.

        Raises:
            LabelsError: for labels that cannot be looked up.
        """
        return OpenLookups(self._groups, self._shelf, rows_of(labels, self._shelf.settings))
