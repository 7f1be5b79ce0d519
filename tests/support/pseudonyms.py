"""Pseudonyms by Python's own HMAC: what the SQL of platform/security/pseudonyms.py has to give."""

import hmac


def keyed(key: bytes, message: str) -> str:
    """HMAC-SHA-256 of a text, its first 16 bytes as hex."""
    return hmac.digest(key, message.encode(), "sha256")[:16].hex()


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """The pseudonym of a normalised identifier."""
    return keyed(key, f"{kind}\0{value}")
