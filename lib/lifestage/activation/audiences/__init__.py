"""Rule audiences: who meets a condition as of a date, under the rule that held then."""
