"""Reference data: keyed extracts, stored as versions that are valid from a business date."""
