"""Every benchmark, as data. A new case, peer or target is a new entry here, and a function in `contestants/` that does it."""

from case import Case, Contestant, Target

_SAME_FILES = (
    "All engines read the same Parquet files, treering's sorted runs, from the page cache; the labels are an Arrow table in memory, and so is the result."
)
_CHECKSUMS = "treering verifies the checksum of every page that it reads; DuckDB and Polars verify none. treering also counts every label's outcome."
_RUNS = (1, 10, 100, 1_000)


def _engines(groups: str, features: int) -> tuple[Contestant, ...]:
    arguments = (("groups", groups), ("features", features))
    return (
        Contestant("treering", "contestants.engines:treering", arguments, "store.lookup with its defaults; rows in the labels' order"),
        Contestant(
            "DuckDB", "contestants.engines:duckdb", arguments, "ASOF LEFT JOIN, all cores, preserve_insertion_order off, fetched as Arrow; rows in any order"
        ),
        Contestant("Polars", "contestants.engines:polars", arguments, "lazy join_asof; the labels are sorted by time within the work, as it requires"),
    )


CASES = (
    Case(
        name="lookup",
        title="Point-in-time lookup: 1 million labels, 3 groups of 5 million rows, 30 features",
        make="contestants.lookup:make_wide",
        contestants=_engines("g0 g1 g2", 10),
        answer="contestants.answers:by_label_row",
        targets=(Target("seconds", "treering", "DuckDB", 1.0), Target("peak_mb", "treering", "DuckDB", 0.6)),
        notes=("500,000 entities; 10 Fractional features a group.", _SAME_FILES, _CHECKSUMS),
    ),
    Case(
        name="deep",
        title="Deep history: 100,000 labels, 1,000 entities with 5,000 versions each, 4 features",
        make="contestants.lookup:make_deep",
        contestants=_engines("g0", 4),
        answer="contestants.answers:by_label_row",
        targets=(Target("seconds", "treering", "DuckDB", 1.0),),
        notes=(_SAME_FILES, _CHECKSUMS),
    ),
    Case(
        name="ingest",
        title="Ingestion: a CSV file of 2 million rows and 12 columns",
        make="contestants.ingestion:make",
        contestants=(
            Contestant("treering", "contestants.ingestion:treering", (), "group.ingest on a folder: checked, sorted, digested, lz4, page checksums, fsync"),
            Contestant(
                "pyarrow",
                "contestants.ingestion:pyarrow",
                (("compression", "snappy"),),
                "streaming open_csv to ParquetWriter with its defaults (snappy), no fsync",
            ),
            Contestant("pyarrow, lz4", "contestants.ingestion:pyarrow", (("compression", "lz4"),), "the same with lz4, treering's compression"),
        ),
        answer="contestants.ingestion:answer",
        targets=(Target("seconds", "treering", "pyarrow", 3.0), Target("peak_mb", "treering", None, 1024)),
        notes=(
            "The file: integers, ISO 8601 times in UTC, text of few and of many values, and 6 decimal columns; rows come in order of time.",
            "pyarrow only converts: it does not check, sort, digest, checksum or flush. It is the speed limit, not a peer.",
        ),
    ),
    Case(
        name="two_clocks",
        title="Two clocks: 100,000 labels, one key with 200,000 records, all backfilled after the last event in reverse order",
        make="contestants.two_clocks:make",
        contestants=(
            Contestant("backfilled", "contestants.two_clocks:treering", (("group", "late"),), "treering; every record became known after the last event"),
            Contestant("prompt", "contestants.two_clocks:treering", (("group", "prompt"),), "treering; the same records, known at their events"),
            Contestant("DuckDB, backfilled", "contestants.two_clocks:duckdb", (), "a running maximum by window, then two joins"),
        ),
        answer="contestants.answers:by_label_row",
        targets=(Target("seconds", "backfilled", "prompt", 3.0),),
        notes=("A third of the labels each: while the events happen, while they are backfilled, afterwards.",),
        same_answers=("backfilled", "DuckDB, backfilled"),
    ),
    Case(
        name="many_runs",
        title="Many runs: 200,000 labels, 1 million rows in 1 to 1,000 uncompacted ingestions",
        make="contestants.many_runs:make",
        contestants=tuple(Contestant(f"{runs:,} run{'s'[: runs > 1]}", "contestants.many_runs:treering", (("runs", runs),)) for runs in _RUNS),
        answer="contestants.answers:by_label_row",
        notes=("The pieces follow each other in time, as daily files do; 100,000 entities, 10 features. The runs' footers are read within the work.",),
    ),
    Case(
        name="import",
        title="Starting: import treering",
        make="contestants.starting:make_nothing",
        contestants=(
            Contestant("import treering", "contestants.starting:python", (("code", "import treering"),)),
            Contestant("pass", "contestants.starting:python", (("code", "pass"),), "the interpreter alone"),
            Contestant(
                "tr.Store", "contestants.starting:python", (("code", "import treering as tr; tr.Store"),), "import treering, and load what a store needs"
            ),
        ),
        answer="contestants.starting:nothing",
        targets=(Target("seconds", "import treering", None, 0.25),),
        notes=("A whole process each, from start to end.",),
    ),
)

PACKAGES = ("treering", "pyarrow", "numpy", "pandas", "duckdb", "polars")
"""Whose versions are written down."""
