"""Outside data (CSV, Parquet, frames) read as Arrow batches, with the position of every row."""
