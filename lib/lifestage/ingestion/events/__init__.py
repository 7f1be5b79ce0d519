"""Files to canonical events: mapped, checked, pseudonymised, deduplicated."""
