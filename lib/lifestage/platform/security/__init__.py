"""Pseudonyms and encryption."""
