"""Features: one row per user, as of a date."""
