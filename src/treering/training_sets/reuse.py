"""What a build read instead of computing it, and the digests by which two builds know that they follow from the same."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from treering.point_in_time.keys import label_key_columns
from treering.point_in_time.local import SEMANTICS_VERSION, LookupPlan
from treering.point_in_time.lookup import PlannedLookup
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.serialise import to_json
from treering.schema.types import Feature, Schema
from treering.schema.view import View
from treering.sources.digest import digest_of
from treering.training_sets.receipt import RECEIPT_VERSION, canonical_json
from treering.training_sets.splits import Split


@dataclass(frozen=True, slots=True, repr=False)
class Reuse:
    """What a build read from older training sets instead of looking it up.

    Attributes:
        rows: label rows.
        lookups_reused: lookups all of whose columns were read.
        groups_computed: the groups that the other lookups looked up.
        columns_of_others: columns that were read of lookups that had more.
        sources: the sets that were read, as "late-arrivals:1".
        notes: older sets that could not be read.
        identical_to: the version that was there already, and is returned; None for a new one.

    >>> print(Reuse(100, 1, ("planes", "weather"), sources=("late-arrivals:1",)))
    1 of 3 lookups read from late-arrivals:1; 100 rows looked up in 2 groups
    """

    rows: int
    lookups_reused: int
    groups_computed: tuple[str, ...]
    columns_of_others: int = 0
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    identical_to: int | None = None

    @property
    def lookups_computed(self) -> int:
        """How many lookups had something to look up."""
        return len(self.groups_computed)

    @property
    def rows_processed(self) -> int:
        """Label rows times lookups that had something to look up."""
        return self.rows * self.lookups_computed

    @property
    def is_identical(self) -> bool:
        """Whether the very same set was there, so that nothing was built."""
        return self.identical_to is not None

    def __str__(self) -> str:
        if self.is_identical:
            return f"identical to version {self.identical_to}: nothing was built"
        return "; ".join([self._read(), self._computed(), *self.notes])

    def __repr__(self) -> str:
        return f"<Reuse: {self}>"

    def _read(self) -> str:
        lookups = self.lookups_reused + self.lookups_computed
        if not self.sources:
            return f"none of {_many(lookups, 'lookup')}"
        more = f" and {_many(self.columns_of_others, 'column')} of others" if self.columns_of_others else ""
        return f"{self.lookups_reused} of {_many(lookups, 'lookup')}{more} read from {', '.join(self.sources)}"

    def _computed(self) -> str:
        if not self.groups_computed:
            return "0 rows reprocessed"
        return f"{_many(self.rows, 'row')} looked up in {_many(len(set(self.groups_computed)), 'group')}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def inputs_of(name: str, view: View | None, split: Split, plan: LookupPlan) -> str:
    """Digest all that a training set follows from: in one store, equal inputs give equal sets."""
    labels, table = plan.rows.labels, plan.rows.table
    return _sha256(
        {
            "receipt_version": RECEIPT_VERSION,
            "name": name,
            "view": None if view is None else to_json(view),
            "provenance": plan.provenance,
            "records": [[history.definition.name, history.table, history.commit] for history in plan.histories],
            # The source's own digest is that of a CSV file's bytes, which options read in more than one way.
            "rows": digest_of(table),
            "columns": [[column.name, str(column.type)] for column in table.schema],
            "moments": hashlib.sha256(plan.rows.moments.data).hexdigest(),
            "roles": {role: getattr(labels, role) for role in ("time", "at", "target", "inputs", "keys", "weight")},
            "time_zone": to_json(labels.time_zone),
            "split": split.to_json(),
        }
    )


def lookup_keys(plan: LookupPlan) -> list[str]:
    """Digest what each lookup's answers follow from; the names of columns are no part of it."""
    digests: dict[object, str] = {}
    return [_sha256({"labels": _label_digest(plan, planned, digests), **_asked(planned)}) for planned in plan.planned]


def _asked(planned: PlannedLookup) -> dict[str, Any]:
    history, lookup = planned.history, planned.lookup
    return {
        "semantics_version": SEMANTICS_VERSION,
        "records": history.table,
        "commit": history.commit,
        "definition": to_json(_as_it_answers(history.definition)),
        "lacking": [name for name in history.definition.feature_names if history.lacks(name)],
        "max_age": lookup.max_age,
        "strictly_before": lookup.strictly_before,
    }


def _as_it_answers(definition: FeatureGroupDefinition) -> FeatureGroupDefinition:
    """Leave out what is said for people: describing a group changes no answer."""
    schema = Schema(tuple(Feature(one.name, one.type, one.dimension) for one in definition.schema))
    return replace(definition, schema=schema, description="", tags={}, owner="")


def _label_digest(plan: LookupPlan, planned: PlannedLookup, known: dict[object, str]) -> str:
    """Digest keys, as they are compared, and moments; once for all lookups on the same columns."""
    keys = label_key_columns(plan.rows.table, planned.on, planned.history.definition)
    on = (planned.on, tuple(str(key.type) for key in keys))
    if on not in known:
        names = [str(number) for number in range(len(keys))]
        known[on] = digest_of(pa.table([*keys, pa.array(plan.rows.moments)], names=[*names, "moment"]))
    return known[on]


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()
