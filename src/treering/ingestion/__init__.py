"""Rows checked, sorted and committed: all or nothing."""
