"""A live feature group: rows go in, history comes out."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import pyarrow as pa

from treering.errors import InvalidDefinitionError, UnknownArgumentError
from treering.feature_groups.group_documents import GroupDocuments, GroupState
from treering.feature_groups.selection import Reader, Selection, check_selection
from treering.feature_groups.transformed import RecipeRecord, Transformed
from treering.ingestion import delete as deletion
from treering.ingestion.contents import Contents
from treering.ingestion.identifiers import Identifiers
from treering.ingestion.ingest import IngestOptions, OnBadRows, ingest
from treering.ingestion.landing import Landing
from treering.ingestion.ledger import Ledger, document_of, fitted_steps, statistics_key
from treering.ingestion.report import IngestionReport
from treering.ingestion.statistics import kept_statistics
from treering.point_in_time.history import History
from treering.recipes.recipe import Recipe
from treering.schema.feature_group import FeatureGroupDefinition
from treering.schema.fitted import FittedSteps
from treering.schema.statistics import GroupStatistics
from treering.schema.times import Moment, microseconds_at
from treering.schema.types import Feature, Schema
from treering.sources.source import open_source
from treering.storage.offline_table import OfflineTable
from treering.storage.runs import StoredRunReader
from treering.storage.shelf import Shelf
from treering.storage.snapshot import Commit, Snapshot

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_OPENERS = 8


def open_table(shelf: Shelf, state: GroupState) -> OfflineTable:
    """Open a group's table; commits that leave its metadata leave their documents in the ledger."""
    ledger = Ledger(shelf.objects, shelf.documents, state.folder)
    return OfflineTable(shelf.objects, state.folder, clock=shelf.clock, commit_attempts=shelf.settings.commit_attempts, on_fold=ledger.record_all)


class FeatureGroup:
    """One feature group of a store. `store.feature_groups` makes and finds them."""

    def __init__(self, shelf: Shelf, groups: GroupDocuments, state: GroupState) -> None:
        self._shelf, self._groups, self._state = shelf, groups, state
        self._ledger = Ledger(shelf.objects, shelf.documents, state.folder)
        self._table = open_table(shelf, state)

    @property
    def definition(self) -> FeatureGroupDefinition:
        """What is declared about the group."""
        return self._state.definition

    @property
    def schema(self) -> Schema:
        """The group's columns."""
        return self._state.definition.schema

    def ingest(
        self,
        source: Any,
        *,
        recipe: Recipe | None = None,
        again: bool = False,
        token: str | None = None,
        on_bad_rows: OnBadRows = "error",
        rewrites_history: bool = False,
        allow_missing: Iterable[str] = (),
    ) -> IngestionReport:
        """Append the rows of a source: all of them become visible at once, durably, or none.

        The same content again, read and shaped in the same way, is not written again as long as nothing that came later can
        hold its records; the report then says `reused`.

        Args:
            source: a pandas or Polars frame, Arrow data, or the path or S3 URI of CSV (plain, gzip, zip) or Parquet
                files, a folder or a pattern of them; `tr.Csv` for a CSV file with options.
            recipe: what to do to the rows first. One that is fitted takes them batch by batch, unless a step looks across
                rows; any other takes them all at once, in memory, and learns from them if it has not been fitted.
            again: write what is in already once more, as after a change to a function that a step of your own calls.
            token: makes the call safe to repeat: the same token writes once, and answers with the first report.
            on_bad_rows: "error" refuses the whole source; "quarantine" keeps bad rows apart and takes the others.
            rewrites_history: corrections are known when the group's declarations say, as other records are; without it a
                correction is known no earlier than this call.
            allow_missing: columns that the source may lack; they become null.

        Returns:
            What was written, rejected and noted.

        Raises:
            SchemaMismatchError: for columns that are not the group's.
            BadRowsError: for rows that the group cannot take; it names the first lines, and nothing was written.
            RecipeError: for rows that a step of the recipe refuses.
            TokenReusedError: for a token that came with other content before.
            ReadOnlyStoreError: if one may not write here.
        """
        missing = (allow_missing,) if isinstance(allow_missing, str) else tuple(allow_missing)
        options = IngestOptions(token, on_bad_rows, rewrites_history, missing, again)
        opened = open_source(source, self._shelf.settings)
        if recipe is None:
            return ingest(self._landing(), opened, options)
        transformed = Transformed(opened, recipe)
        return ingest(self._landing(), transformed, options, self._record_of(transformed))

    def delete(self, identifiers: Identifiers, event_time: Moment | None = None, *, available_at: Moment | None = None) -> IngestionReport:
        """Append deletions: from then on, until a newer record, the identifiers have no features. What was before stays true.

        Where several records make an entity (a record identifier wider than the entity), a deletion answers for the whole
        entity from its event time on: to withdraw one record, give that record's own event time.

        Args:
            identifiers: a list of record identifiers; lists by column, or a frame, where several columns identify a record.
            event_time: from when on, with its zone; left out only for a static group.
            available_at: when the deletion became known; left out, it is known from now on.

        Raises:
            KeyTypeError: for identifiers of the wrong columns or types; nothing was deleted.
            FeatureGroupNotFoundError: if the group was dropped meanwhile.
        """
        return deletion.delete(self._landing(), identifiers, event_time, available_at)

    def add_features(self, features: Feature | Iterable[Feature]) -> None:
        """Add features at the end of the schema; records that are there already have null in them.

        Raises:
            InvalidNameError: for a name that exists, or differs only by case from one that does.
        """
        added = (features,) if isinstance(features, Feature) else tuple(features)
        self._table.check_writable()
        commit = self._table.snapshot().commit
        since = {feature.name: commit for feature in added}
        self._state = self._groups.change(self._state, lambda state: replace(state, definition=state.definition.adding(added), since={**state.since, **since}))
        self._table.evolve(self.definition.run_schema())

    def to_arrow(self, **selection: Unpack[Selection]) -> pa.Table:
        """Read records that count as an Arrow table, ordered by entity and event time. `tr.Selection` lists the arguments."""
        return self._reader(selection).table()

    def to_pandas(self, **selection: Unpack[Selection]) -> "pd.DataFrame":
        """Read records that count as a pandas frame. `tr.Selection` lists the arguments."""
        frame: pd.DataFrame = self.to_arrow(**selection).to_pandas()
        return frame

    def to_polars(self, **selection: Unpack[Selection]) -> "pl.DataFrame":
        """Read records that count as a Polars frame. `tr.Selection` lists the arguments."""
        from treering.sources.frames import polars_frame

        return polars_frame(self.to_arrow(**selection))

    def batches(self, **selection: Unpack[Selection]) -> Iterator[pa.RecordBatch]:
        """Read records that count in batches, in bounded memory. `tr.Selection` lists the arguments."""
        for table in self._reader(selection).tables():
            yield from table.to_batches(max_chunksize=65_536)

    def latest(self, **selection: Unpack[Selection]) -> pa.Table:
        """Read the last record of every identifier, deletions left out.

        Args:
            **selection: as for the other reads, but for `include_duplicates`.
        """
        if "include_duplicates" in selection:
            raise UnknownArgumentError("latest() has one record of every identifier; for all of them use to_arrow(include_duplicates=True).")
        return self._reader(selection).latest().table()

    def history(self, identifier: Any, **selection: Unpack[Selection]) -> pa.Table:
        """Read every record of one entity: replaced ones and deletions too, with all system columns.

        Args:
            identifier: the entity's value, or its values by column.
            **selection: as for the other reads, but for `identifiers` and `include_duplicates`.
        """
        check_selection(selection)
        for name in ("identifiers", "include_duplicates"):
            if name in selection:
                raise UnknownArgumentError(f"history() is of one entity and has all of its records; it takes no {name!r}.")
        identifiers = {name: [value] for name, value in identifier.items()} if isinstance(identifier, Mapping) else [identifier]
        return self._reader({**selection, "identifiers": identifiers, "include_duplicates": True}).table()

    def statistics(self, as_of: int | Moment | None = None) -> GroupStatistics:
        """Tell counts, nulls, ranges and the shape of every column, which were taken while rows were ingested; no data are read.

        Args:
            as_of: a commit number, or a time: the last commit at or before it. None means the newest.

        Raises:
            InvalidDefinitionError: for a commit that does not exist yet.
        """
        commit = self._commit_asked(as_of, self._table.snapshot())
        commits = [one for one in self._table.commits() if one.number <= commit]
        parts = kept_statistics(self._shelf.objects, [key for key in map(statistics_key, commits) if key is not None])
        younger = [name for name, since in self._state.since.items() if as_of is not None and since >= commit]
        return GroupStatistics.sum_of(parts, self.definition.name, commit, self.schema.without(*younger))

    def commits(self) -> list[Commit]:
        """List every commit of the group, the oldest first."""
        return self._table.commits()

    def records(self, as_of: int | Moment | None = None) -> History:
        """Open the group's records as the lookup engine reads them.

        Args:
            as_of: a commit number, or a time: the last commit at or before it. None means the newest.

        Raises:
            InvalidDefinitionError: for a commit that does not exist yet.
        """
        snapshot = self._table.snapshot()
        commit = self._commit_asked(as_of, snapshot)
        schema = self.definition.run_schema()
        stored = [run for run in snapshot.runs if run.commit <= commit]
        with ThreadPoolExecutor(_OPENERS, thread_name_prefix="treering-open") as pool:
            fitted = pool.submit(self._fitted_by, commit)
            runs = list(pool.map(lambda run: StoredRunReader(self._shelf.objects, f"{self._state.folder}/{run.path}", run, schema), stored))
        return History(
            definition=self.definition,
            runs=runs,
            commit=commit,
            is_newest=commit == snapshot.commit,
            since={} if as_of is None else self._state.since,
            table=self._state.folder,
            address=self._shelf.objects.uri(self._state.folder),
            origin=self._origin,
            fitted=fitted.result(),
        )

    def rows(self, records: History) -> pa.Table:
        """Read the records that count of a history that `records` opened."""
        return Reader(records, {}, self._shelf.settings).table()

    def _commit_asked(self, as_of: int | Moment | None, snapshot: Snapshot) -> int:
        if as_of is None:
            return snapshot.commit
        if not isinstance(as_of, int):
            return min(self._table.commit_at(microseconds_at(as_of, "as_of")), snapshot.commit)
        if as_of < 0:
            raise InvalidDefinitionError(
                f"Commits count from 1, and 0 is before the first; {as_of} is none. The newest of {self.definition.name!r} is {snapshot.commit}."
            )
        if as_of > snapshot.commit:
            raise InvalidDefinitionError(f"{self.definition.name!r} has no commit {as_of} yet: its newest is {snapshot.commit}.")
        return as_of

    def _reader(self, selection: Selection) -> Reader:
        return Reader(self.records(selection.get("as_of")), selection, self._shelf.settings)

    def _landing(self) -> Landing:
        shelf, state = self._shelf, self._state
        return Landing(
            objects=shelf.objects,
            folder=state.folder,
            table=self._table,
            definition=state.definition,
            ledger=self._ledger,
            contents=Contents(shelf.objects, shelf.documents, state.folder),
            settings=shelf.settings,
            clock=shelf.clock,
            check_living=lambda: self._groups.check_living(state),
        )

    def _record_of(self, rows: Transformed) -> RecipeRecord:
        return RecipeRecord(rows, self.definition, objects=self._shelf.objects, folder=self._state.folder, note_fitted=self._note_fitted)

    def _note_fitted(self) -> None:
        if not self._state.has_fitted_steps:
            self._state = self._groups.change(self._state, lambda state: replace(state, has_fitted_steps=True))

    def _fitted_by(self, commit: int) -> tuple[FittedSteps, ...]:
        """The steps that had learned from values before they shaped rows; the same ones count once, for the first ingestion through them."""
        # Others may have ingested since the state was read. They noted it before their commit: after the commit was seen, none is missed.
        state = self._state if self._state.has_fitted_steps else self._groups.find(self.definition.name)
        if state is None or not state.has_fitted_steps:
            return ()
        first: dict[FittedSteps, FittedSteps] = {}
        for steps in (fitted_steps(one) for one in self._table.commits() if one.number <= commit):
            if steps is not None:
                first.setdefault(replace(steps, ingestion=""), steps)
        return tuple(first.values())

    def _origin(self, ingestion: str, position: int) -> str:
        document = self._ledger.find(ingestion)
        if document is None:
            document = next((document_of(commit) for commit in self._table.commits() if commit.ingestion == ingestion), None)
        return f"position {position}" if document is None else self._ledger.origin(document, position)

    def __repr__(self) -> str:
        definition = self.definition
        clock = "static" if definition.is_static else f"event time {definition.event_time}, known {definition.availability}"
        lines = [f"FeatureGroup {definition.name!r} by {', '.join(definition.entity)}: {clock}"]
        lines += [f"  {definition.description}"] if definition.description else []
        return "\n".join([*lines, *repr(definition.schema).splitlines()[1:]])
