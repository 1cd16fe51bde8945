"""SQL over feature groups: one SELECT, answered by DuckDB in a child process that can reach nothing else."""
