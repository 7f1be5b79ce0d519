"""Subject-days to one row per user, as of a date."""
