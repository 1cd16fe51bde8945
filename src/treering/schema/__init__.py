"""What is declared about data: types, feature groups, lookups. Pure values, no I/O."""
