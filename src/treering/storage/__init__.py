"""Objects on a folder or a bucket, numbered documents, Iceberg tables, sorted runs."""
