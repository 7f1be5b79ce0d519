"""Ordered rules over features: the lifecycle ladder."""
