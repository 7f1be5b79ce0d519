"""Rule audiences: the users who meet a condition as of a date, by the rule of that date."""
