"""How data gets in: sources, events and reference data."""
