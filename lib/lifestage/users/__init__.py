"""Who the users are, and what they did."""
