"""Units of numbers."""

from enum import StrEnum


class Unit(StrEnum):
    """What a number counts. The unit decides the column type and the format in reports."""

    EVENTS = "events"
    DAYS = "days"
    USERS = "users"
    MONEY = "money"
    UNITS = "units"
    SECONDS = "seconds"
    POINTS = "points"
    RATIO = "ratio"
    SHARE = "share"
    DATE = "date"
    NAME = "name"
    FLAG = "flag"
