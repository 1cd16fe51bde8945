"""What a query may say: DuckDB's parse tree is walked, and everything that is not known to be harmless is refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from treering.errors import SqlError, did_you_mean

Needs = dict[str, list[str]]
"""The columns that a query needs, by table: every one that its result depends on, and perhaps more."""

_NOTHING: frozenset[str] = frozenset()
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
_EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "OPERATOR",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
_NODES = frozenset(
    {
        "ASCENDING",
        "BASE_TABLE",
        "DESCENDING",
        "DISTINCT_MODIFIER",
        "EMPTY",
        "EXPRESSION_LIST",
        "JOIN",
        "LIMIT_MODIFIER",
        "LIMIT_PERCENT_MODIFIER",
        "ORDER_DEFAULT",
        "ORDER_MODIFIER",
        "RECURSIVE_CTE_NODE",
        "SELECT_NODE",
        "SET_OPERATION_NODE",
        "SUBQUERY",
        "TABLE_FUNCTION",
    }
)
_REASONS: Mapping[str, str] = {
    "DEFAULT": "DEFAULT has no meaning here",
    "DELETE_QUERY_NODE": "it may only read, and a part of it deletes",
    "INSERT_QUERY_NODE": "it may only read, and a part of it inserts",
    "MERGE_QUERY_NODE": "it may only read, and a part of it merges",
    "PARAMETER": "it has parameters, and nothing gives them values; write the values",
    "PIVOT": "PIVOT and UNPIVOT are not supported; name the columns with CASE, FILTER or UNION ALL",
    "SHOW_REF": "SHOW, DESCRIBE and SUMMARIZE are not supported; print the feature group to see its columns",
    "UPDATE_QUERY_NODE": "it may only read, and a part of it updates",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree a node stands.

    Attributes:
        ctes: names, in lower case, that common table expressions give a meaning here.
        sources: the tables that the FROM clauses around it name themselves: what a star here can stand for.
    """

    ctes: frozenset[str] = _NOTHING
    sources: frozenset[str] = _NOTHING


@dataclass(slots=True)
class _Found:
    """What the walk has seen so far."""

    tables: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    single_references: set[str] = field(default_factory=set)


class Gate:
    """Lets queries through that only read the tables there are.

    Args:
        tables: the columns of each table.
        functions: names of the functions that may be called, in lower case.
    """

    def __init__(self, tables: Mapping[str, Sequence[str]], functions: Iterable[str]) -> None:
        self._tables = tables
        self._names = {name.lower(): name for name in tables}
        self._functions = frozenset(functions)

    def needs(self, tree: Mapping[str, Any]) -> Needs:
        """Check the parse tree of one statement and say what it reads.

        Args:
            tree: what DuckDB's `json_serialize_sql` says of the statement.

        Raises:
            SqlError: for whatever is not on the lists above.
        """
        found = _Found()
        # A list instead of recursion: queries nest deeper than Python's stack.
        waiting: list[tuple[Any, _Place]] = [(tree, _Place())]
        while waiting:
            node, place = waiting.pop()
            if isinstance(node, dict):
                waiting += self._visit(node, place, found)
            elif isinstance(node, list):
                waiting += [(item, place) for item in node]
            elif isinstance(node, str):
                found.words.add(node.lower())
        return {name: self._columns(name, found) for name in sorted(found.tables)}

    def _visit(self, node: dict[str, Any], place: _Place, found: _Found) -> list[tuple[Any, _Place]]:
        """Check one node, note what it reads, and give its parts with the places they stand in."""
        kind = _kind(node)
        if kind == "TABLE_FUNCTION":
            _check_table_function(node["function"])
            return [(part, place) for part in [*node["function"].values(), *(value for key, value in node.items() if key != "function")]]
        if kind in ("FUNCTION", "WINDOW"):
            self._check_function(node)
        elif kind == "BASE_TABLE":
            self._note_table(node, place, found)
        elif kind in ("STAR", "POSITIONAL_REFERENCE") or (kind == "JOIN" and node["ref_type"] == "NATURAL"):
            # A natural join reads every column that two tables share.
            found.whole |= place.sources
        elif kind == "COLUMN_REF" and len(node["column_names"]) == 1:
            found.single_references.add(node["column_names"][0].lower())
        return self._parts(node, place)

    def _parts(self, node: dict[str, Any], place: _Place) -> list[tuple[Any, _Place]]:
        parts: list[tuple[Any, _Place]] = []
        # A common table expression sees those before it, and itself only where it is recursive.
        for entry in node.get("cte_map", {}).get("map", ()):
            parts.append((entry["value"], place))
            place = _Place(place.ctes | {entry["key"].lower()}, place.sources)
        if "from_table" in node:
            place = _Place(place.ctes, place.sources.union(self._sources(node["from_table"], place)))
        recursive = place
        if _kind(node) == "RECURSIVE_CTE_NODE":
            recursive = _Place(place.ctes | {node["cte_name"].lower()}, place.sources)
        return parts + [(value, recursive if key == "right" else place) for key, value in node.items() if key != "cte_map"]

    def _sources(self, table: dict[str, Any], place: _Place) -> Iterable[str]:
        waiting = [table]
        while waiting:
            node = waiting.pop()
            if node["type"] == "JOIN":
                waiting += [node["left"], node["right"]]
            elif node["type"] == "BASE_TABLE" and node["table_name"].lower() not in place.ctes and node["table_name"].lower() in self._names:
                yield self._names[node["table_name"].lower()]

    def _note_table(self, node: dict[str, Any], place: _Place, found: _Found) -> None:
        path = node["qualified_name"]["path"]
        if "at_clause" in node:
            raise SqlError("The query reads a table AT a moment, which is not supported. Every record says when it was known: filter by _known_at or _commit.")
        if len(path) > 1:
            raise SqlError(f"The query reads {'.'.join(path)!r}: name a feature group by its name alone. {did_you_mean(path[-1], self._tables)}")
        lowered = node["table_name"].lower()
        if lowered in place.ctes:
            return
        if lowered not in self._names:
            raise SqlError(f"The query reads {node['table_name']!r}, and no feature group has that name. {did_you_mean(node['table_name'], self._tables)}")
        name = self._names[lowered]
        found.tables.add(name)
        found.aliases.setdefault(node.get("alias", name).lower(), set()).add(name)
        if "column_name_alias" in node:
            # Columns renamed by their positions.
            found.whole.add(name)

    def _check_function(self, node: dict[str, Any]) -> None:
        name = node["qualified_name"]["path"][-1].lower()
        if name not in self._functions:
            hint = did_you_mean(name, self._functions).partition("There are")[0]
            raise SqlError(f"The query calls {name!r}, which is no function that a query over feature groups may call. {hint}".rstrip())

    def _columns(self, table: str, found: _Found) -> list[str]:
        # A table's name in place of a column means the whole row.
        whole_rows = {name for alias in found.single_references for name in found.aliases.get(alias, ())}
        if table in found.whole | whole_rows:
            return list(self._tables[table])
        return [column for column in self._tables[table] if column.lower() in found.words]


def _kind(node: Mapping[str, Any]) -> str | None:
    """Name the kind of a node that has one; refuse those that are not listed."""
    kind, known = (node["class"], _EXPRESSIONS) if "class" in node else (node.get("type"), _NODES)
    if not isinstance(kind, str):
        return None
    if kind not in known:
        raise SqlError(f"The query is refused: {_REASONS.get(kind, f'it has a part of the kind {kind}, which is not supported')}.")
    return kind


def _check_table_function(function: Mapping[str, Any]) -> None:
    name = function["qualified_name"]["path"][-1].lower()
    if name not in _TABLE_FUNCTIONS:
        raise SqlError(
            f"The query calls the table function {name!r}. Read feature groups by their names; of table functions there are range, generate_series and unnest."
        )
