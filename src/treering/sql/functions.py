"""Which of DuckDB's functions a query over feature groups may call."""

from collections.abc import Iterable

# They differ from call to call, or from moment to moment, and still only compute.
_HARMLESS = frozenset(
    {
        "current_date",
        "current_timestamp",
        "error",
        "gen_random_uuid",
        "get_current_time",
        "get_current_timestamp",
        "now",
        "random",
        "today",
        "transaction_timestamp",
        "uuid",
        "uuidv4",
        "uuidv7",
    }
)
# DuckDB calls them consistent, and they bind SQL, read its state, or take bytes for its own structures in memory.
_REFUSED = frozenset(
    {
        "combine",
        "combine_aggr",
        "finalize",
        "get_block_size",
        "index_key",
        "json_deserialize_sql",
        "json_serialize_plan",
        "json_serialize_sql",
        "parse_duckdb_log_message",
        "remap_struct",
        "to_aggregate_state",
        "variant_bytes_to_variant",
        "version",
    }
)
_COMPUTING = frozenset({"aggregate", "macro", "scalar", "window"})

LISTING = "SELECT DISTINCT schema_name, function_name, function_type, stability FROM duckdb_functions()"
"""Asks DuckDB for the functions it has."""

# No function by name, but what unnesting in a SELECT list is parsed as.
_SYNTAX = frozenset({"unnest"})


def permitted(listing: Iterable[tuple[str, str, str, str | None]]) -> frozenset[str]:
    """Choose, from the answer to `LISTING`, the names of functions that only compute from their arguments."""
    allowed: set[str] = set(_SYNTAX)
    refused: set[str] = set(_REFUSED)
    for schema, name, kind, stability in listing:
        if kind not in _COMPUTING:
            continue
        computes = stability == "CONSISTENT" or (kind == "macro" and schema == "main")
        (allowed if computes or name in _HARMLESS else refused).add(name.lower())
    return frozenset(name for name in allowed - refused if not name.startswith("__"))
