"""Spark: the session, frames, and work that runs in parallel."""
