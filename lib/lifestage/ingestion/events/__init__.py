"""Source files become canonical events: mapped, checked, pseudonymised and deduplicated."""
