"""Ordered feature-engineering steps over pandas frames, whose fitted state is JSON."""
