"""The layout of source files: path, format, and column types. Events and reference data share it."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from lifestage.ingestion.sources.paths import Path, parse_path
from lifestage.platform.config.models import Model
from lifestage.platform.config.time_zones import check_time_zone

TYPE_PATTERN = re.compile(
    r"string|boolean|int|bigint|double|date|timestamp|local_timestamp|decimal\(\d{1,2}, ?\d{1,2}\)"
)
FRESHNESS = re.compile(r"^[1-9][0-9]{0,3} (hours?|days?)$")


class Format(StrEnum):
    """Supported file formats."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    DELTA = "delta"
    AVRO = "avro"
    EXCEL = "excel"


class Header(StrEnum):
    """What the first record of a CSV or Excel file says."""

    IN_ORDER = "in_order"
    """The declared columns, all of them and in their order."""
    BY_NAME = "by_name"
    """At least the declared columns, in any order."""
    NONE = "none"
    """Nothing: it is data, and the columns are those that are declared."""


class OnBadFile(StrEnum):
    """What a file does that cannot be read as its source declares."""

    STOP = "stop"
    """The run stops before it writes anything."""
    HOLD = "hold"
    """The run goes on without it, and the next run tries again."""


class FileLayout(Model):
    """Location, format and columns of the files of one source.

    The type `timestamp` is an instant, and its text must have an offset. `local_timestamp` is wall time in `time_zone`.
    """

    path: str = Field(description="glob below the landing folder, or an absolute path or URI")
    format: Format = Field(description="format of the files; csv and json files can be packed")
    delimiter: str = Field(default=",", min_length=1, description="csv: separator of values")
    quote: str = Field(default='"', min_length=1, max_length=1, description="csv: quote character of values")
    escape: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="csv: character before a quote inside a quoted value; without one, the quote is doubled",
    )
    null_text: str | None = Field(
        default=None,
        min_length=1,
        description="text that stands for NULL, such as \\N; an empty one always does",
    )
    encoding: str = Field(
        default="UTF-8",
        description="csv and json: encoding of the text, such as GB18030, Windows-1252 or UTF-16",
    )
    sheet: str | None = Field(
        default=None, min_length=1, description="excel: name of the sheet; the first visible one by default"
    )
    skip_lines: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="csv and excel: number of lines before the header, or before the first record",
    )
    header: Header = Field(
        default=Header.IN_ORDER,
        description="csv and excel: whether a file's header has exactly the declared columns, has them among others, or is missing",
    )
    extra_columns: Literal["ignore", "refuse"] = Field(
        default="ignore",
        description="csv and excel read by_name: whether a file with further columns is read without them, or counts as bad",
    )
    columns: dict[str, str] = Field(
        description="columns, each with its type; for csv and excel, all columns in the order of the file unless it is read by_name"
    )
    fields: dict[str, str] = Field(
        default={},
        description="where a file has a column under another name: its name in the header, or its path in a record",
    )
    formats: dict[str, str] = Field(
        default={},
        description="patterns of date and time columns, ISO 8601 by default; notations of numbers, such as 1.234,56",
    )
    time_zone: str | None = Field(
        default=None, description="time zone of local_timestamp columns; the business time zone by default"
    )

    skip_when: str | None = Field(
        default=None,
        description="SQL condition; a row that meets it is no data, such as a line of totals: it is counted, not read",
    )
    on_bad_file: OnBadFile = Field(
        default=OnBadFile.STOP,
        description="what a file does that cannot be read: it stops the run, or the run goes on and holds it for the next",
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

    @property
    def needs_head(self) -> bool:
        """Whether the first bytes of a file decide how it is read."""
        return self.format in (Format.JSON, Format.AVRO) or (
            self.format is Format.CSV and self.header is Header.BY_NAME
        )

    @property
    def paths(self) -> dict[str, Path]:
        """The path to each column inside a record. A column without an entry in `fields` is found under its own name."""
        if self.format in (Format.CSV, Format.EXCEL):
            # Names in a header, with dots and brackets as they are.
            return {name: (self.field_of(name),) for name in self.columns}
        return {
            name: parse_path(self.fields[name]) if name in self.fields else (name,) for name in self.columns
        }

    def field_of(self, column: str) -> str:
        """The name or path under which files have a column."""
        return self.fields.get(column, column)

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
