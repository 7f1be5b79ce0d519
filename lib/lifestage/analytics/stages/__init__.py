"""Lifecycle stages: an ordered ladder of conditions over features."""
