"""Counts with their noun, for messages."""


def count_of(n: int, noun: str) -> str:
    """A count with its noun: `1 row`, `2,000 rows`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
