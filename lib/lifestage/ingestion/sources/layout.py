"""The layout of source files: path, format, and column types. Events and reference data share it."""

import re
from datetime import timedelta
from enum import StrEnum

from pydantic import Field, field_validator

from lifestage.platform.config.models import Model
from lifestage.platform.config.time_zones import check_time_zone

TYPE_PATTERN = re.compile(
    r"string|boolean|int|bigint|double|date|timestamp|local_timestamp|decimal\(\d{1,2}, ?\d{1,2}\)"
)
FRESHNESS = re.compile(r"^[1-9][0-9]{0,3} (hours?|days?)$")


class Format(StrEnum):
    """Supported file formats. CSV and JSON files may be gzipped."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    DELTA = "delta"


class FileLayout(Model):
    """Location, format and columns of the files of one source.

    The type `timestamp` is an instant, and its text must have an offset. `local_timestamp` is wall time in `time_zone`.
    """

    path: str = Field(description="glob below the landing folder, or an absolute path or URI")
    format: Format = Field(
        description="format of the files; csv and json (one object per line) can be gzipped"
    )
    delimiter: str = Field(default=",", min_length=1, description="csv: separator of values")
    quote: str = Field(default='"', min_length=1, max_length=1, description="csv: quote character of values")
    encoding: str = Field(default="UTF-8", description="csv and json: UTF-8 or ISO-8859-1")
    columns: dict[str, str] = Field(
        description="columns, each with its type; for csv, all columns in the order of the file"
    )
    formats: dict[str, str] = Field(
        default={}, description="patterns of date and time columns; ISO 8601 by default"
    )
    time_zone: str | None = Field(
        default=None, description="time zone of local_timestamp columns; the business time zone by default"
    )

    freshness: str | None = Field(
        default=None,
        pattern=FRESHNESS.pattern,
        description="how often a delivery is expected, such as 26 hours or 7 days; the source is stale after a longer gap",
    )

    @property
    def expected_every(self) -> timedelta | None:
        """The longest time between two deliveries for which the source is not stale; None if nothing is expected."""
        if self.freshness is None:
            return None
        number, unit = self.freshness.split()
        return timedelta(hours=int(number) * (24 if unit.startswith("day") else 1))

    @field_validator("columns")
    @classmethod
    def _check_types(cls, columns: dict[str, str]) -> dict[str, str]:
        bad = [f"{name}: {sql_type}" for name, sql_type in columns.items() if not is_column_type(sql_type)]
        if bad:
            raise ValueError(f"unknown types ({', '.join(bad)}), expected one of {TYPE_PATTERN.pattern}")
        return columns

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, zone: str | None) -> str | None:
        return zone and check_time_zone(zone)


def is_column_type(text: str) -> bool:
    """Return whether a text is a supported column type (see `TYPE_PATTERN`).

    A decimal has at most 38 digits, and its scale is at most its precision.

    Example:
        >>> is_column_type("decimal(18,2)"), is_column_type("decimal(2,18)")
        (True, False)
    """
    if not TYPE_PATTERN.fullmatch(text):
        return False
    digits = [int(number) for number in re.findall(r"\d+", text)]
    return not digits or 38 >= digits[0] >= digits[1]
