"""How a file source is described and its columns are typed, whatever its rows become."""

import re
from enum import StrEnum

from pydantic import Field, field_validator

from lifestage.platform.config.models import Model
from lifestage.platform.config.time_zones import known_zone

TYPE_PATTERN = re.compile(
    r"string|boolean|int|bigint|double|date|timestamp|local_timestamp|decimal\(\d{1,2}, ?\d{1,2}\)"
)


class Format(StrEnum):
    """File formats that can be read; csv and json also gzipped."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    DELTA = "delta"


class FileLayout(Model):
    """Where files lie and what their columns are.

    `timestamp` is an instant: its text must carry an offset. `local_timestamp` is wall time in `time_zone`.
    """

    path: str = Field(description="glob below the landing folder, or an absolute one")
    format: Format = Field(description="of the files; csv and json (one object a line) also gzipped")
    delimiter: str = Field(default=",", min_length=1, description="csv: what separates values")
    quote: str = Field(
        default='"', min_length=1, max_length=1, description="csv: what values may be quoted with"
    )
    encoding: str = Field(default="UTF-8", description="csv and json: UTF-8 or ISO-8859-1")
    columns: dict[str, str] = Field(description="column to type, in file order for csv")
    formats: dict[str, str] = Field(
        default={}, description="column to date or time pattern, ISO 8601 by default"
    )
    time_zone: str | None = Field(
        default=None, description="zone of local_timestamp columns; the business zone by default"
    )

    @field_validator("columns")
    @classmethod
    def _known_types(cls, columns: dict[str, str]) -> dict[str, str]:
        bad = [f"{name}: {kind}" for name, kind in columns.items() if not is_type(kind)]
        if bad:
            raise ValueError(f"unknown types ({', '.join(bad)}), expected one of {TYPE_PATTERN.pattern}")
        return columns

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return zone and known_zone(zone)


def is_type(kind: str) -> bool:
    """Whether a text is a type of TYPE_PATTERN; of a decimal's at most 38 digits no more are decimals than there are."""
    if not TYPE_PATTERN.fullmatch(kind):
        return False
    digits = [int(number) for number in re.findall(r"\d+", kind)]
    return not digits or 38 >= digits[0] >= digits[1]
