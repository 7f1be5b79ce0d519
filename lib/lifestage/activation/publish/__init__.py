"""Checks, immutable snapshots and their exports."""
