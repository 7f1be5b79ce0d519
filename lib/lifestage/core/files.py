"""How a file source is described and its columns are typed, whatever its rows become."""

import re
from enum import StrEnum

from pydantic import Field, field_validator

from lifestage.core.models import Model

TYPE_PATTERN = re.compile(
    r"string|boolean|int|bigint|double|date|timestamp|local_timestamp|decimal\(\d{1,2}, ?\d{1,2}\)"
)


class Format(StrEnum):
    """File formats that can be read; csv and json also gzipped."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    DELTA = "delta"


class OnChange(StrEnum):
    """What a row is whose key is known and whose values differ, where no version decides."""

    DUPLICATE = "duplicate"
    REJECT = "reject"


class FileLayout(Model):
    """Where files lie and what their columns are.

    `timestamp` is an instant: its text must carry an offset. `local_timestamp` is wall time in `time_zone`.
    """

    path: str = Field(description="glob below the landing folder, or an absolute one")
    format: Format
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "UTF-8"
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
        bad = [f"{name}: {kind}" for name, kind in columns.items() if not TYPE_PATTERN.fullmatch(kind)]
        if bad:
            raise ValueError(f"unknown types ({', '.join(bad)}), expected one of {TYPE_PATTERN.pattern}")
        return columns
