"""The feature catalogue: which measures and features there are."""
