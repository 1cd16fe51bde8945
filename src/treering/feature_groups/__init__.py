"""Live feature groups: created, listed, ingested into, read."""
