"""The sections of the main file that belong to the whole project, not to one domain."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from lifestage.platform.config.models import Model
from lifestage.platform.config.time_zones import check_time_zone


class IdentifierType(Model):
    """One type of identifier: its strength, and how raw values are normalised before they are hashed."""

    priority: int = Field(
        description="1 is the strongest; the strongest identifier of an event is its subject"
    )
    normalise: str = Field(default="trim(value)", description="SQL over `value`")
    valid: str = Field(default="length(value) > 0", description="SQL over the normalised `value`")
    placeholders: tuple[str, ...] = Field(
        default=(),
        description="more values of this type that identify nobody, beside those of `placeholders`",
    )

    @field_validator("placeholders")
    @classmethod
    def _check_patterns(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in split_placeholders(texts)[1]:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"/{pattern}/: is not a regular expression: {error}") from error
        return texts


def split_placeholders(texts: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The plain texts of placeholders, and the regular expressions, which stand between slashes."""
    patterns = [text for text in texts if len(text) > 2 and text[0] == text[-1] == "/"]
    return [text for text in texts if text not in patterns], [text[1:-1] for text in patterns]


class Storage(Model):
    """Location of the tables: below a root path, or in a schema of a catalog."""

    root: str | None = Field(
        default=None,
        description="path or URI of the folder that holds the tables; required unless schema is set",
    )
    schema_name: str | None = Field(
        default=None, alias="schema", description="`catalog.schema` that holds the tables, instead of root"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.root is None) == (self.schema_name is None):
            raise ValueError("give exactly one of root and schema")
        return self


class Business(Model):
    """Facts about the business that every domain shares."""

    name: str = Field(description="name of the business in the report")
    time_zone: str = Field(
        description="time zone of calendar days, such as Europe/Berlin; fixed once the storage root exists"
    )
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code of the currency of all amounts")
    history_starts_on: date = Field(description="first day of recorded history")
    left_censor_margin_days: int = Field(
        ge=0,
        description="days after history_starts_on; users first seen in them may have joined earlier, and are never novices",
    )
    finality_days: int = Field(
        ge=0, description="days until a day is final; events that arrive later count as late"
    )

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, zone: str) -> str:
        return check_time_zone(zone)


class SecretNames(Model):
    """Names of the environment variables that hold the keys. With _FILE appended, they hold paths of key files."""

    pseudonym_key: str = Field(description="variable with the key for hashing identifiers")
    quarantine_key: str = Field(description="variable with the key for encrypting rejected rows")


class Keep(Model):
    """Which as_of dates to keep: the newest, the last days, month-ends."""

    days: int = Field(
        ge=1, description="number of days to keep the rows of an as_of date; the newest date is always kept"
    )
    month_ends: bool = Field(description="whether to keep the rows of month-ends permanently")


class AsOf(Model):
    """Retention of tables with one row per user and as_of."""

    keep: Keep


class ExplainSettings(Model):
    """How far `lifestage explain` looks ahead."""

    silent_days: int = Field(ge=1, le=1000, description="number of days of silence whose effect is shown")


class RunSettings(Model):
    """How a run locks its storage root."""

    dead_after_hours: int = Field(ge=1, description="age from which a run on another host counts as dead")


class Shared(Model):
    """Every shared section, with packaged defaults filled in."""

    storage: Storage
    business: Business
    secrets: SecretNames
    landing: str = Field(description="folder or URI that paths of sources are relative to")
    placeholders: tuple[str, ...] = Field(
        description="values that identify nobody, whatever their type, such as `guest`; compared trimmed, in lower case, "
        "and after normalisation. A text between slashes is a regular expression over the trimmed, lower-case value"
    )
    identifiers: dict[str, IdentifierType] = Field(description="identifier types by name")
    as_of: AsOf
    explain: ExplainSettings
    run: RunSettings
    spark: dict[str, str] = Field(description="Spark settings, such as spark.driver.memory: 8g")

    @model_validator(mode="before")
    @classmethod
    def _add_common_placeholders(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give each identifier type the placeholders of all types; malformed values are left for validation."""
        common, types = given.get("placeholders"), given.get("identifiers")
        if not (isinstance(common, list | tuple) and isinstance(types, dict)):
            return dict(given)
        extended = {name: _extend_placeholders(rules, common) for name, rules in types.items()}
        return {**given, "identifiers": extended}


def _extend_placeholders(rules: Any, common: list[str] | tuple[str, ...]) -> Any:
    if not isinstance(rules, dict) or not isinstance(own := rules.get("placeholders", []), list | tuple):
        return rules
    return {**rules, "placeholders": [*common, *[text for text in own if text not in common]]}
