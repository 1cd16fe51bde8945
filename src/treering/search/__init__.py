"""Search over everything a store holds."""
