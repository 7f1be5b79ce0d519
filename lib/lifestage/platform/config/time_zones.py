"""Check the names of time zones."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def check_time_zone(zone: str) -> str:
    """Return the name of the time zone.

    Raises:
        ValueError: if there is no such zone.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {zone}, expected a name such as Europe/Berlin") from error
    return zone
