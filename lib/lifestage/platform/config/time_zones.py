"""Names of time zones."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def known_zone(zone: str) -> str:
    """The name of a time zone; ValueError for any other."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {zone}, expected a name such as Europe/Berlin") from error
    return zone
