"""Keyed extracts become versions that are valid from a business date."""
