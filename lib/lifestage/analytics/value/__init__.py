"""What a user is worth: recency, frequency and spend."""
