"""The feature catalogue: declared measures and features."""
