"""Keyed extracts as versions valid from a business date."""
