"""Which record a label row sees, and why."""
