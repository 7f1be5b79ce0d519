"""Snapshots: checked, immutable, compared with each other, and exported."""
