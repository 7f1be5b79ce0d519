"""Ingest: source files become events and reference data."""
