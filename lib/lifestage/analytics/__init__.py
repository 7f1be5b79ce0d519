"""What the features of a user mean: stages, value and segments."""
