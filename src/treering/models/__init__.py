"""Models that training jobs left: loaded by name, asked for predictions, measured, and described in a report."""
