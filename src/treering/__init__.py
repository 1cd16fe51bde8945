"""treering: an offline feature store. A training row sees only what was known at its moment."""
