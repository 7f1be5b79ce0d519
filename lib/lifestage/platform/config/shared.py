"""The sections of the main file that belong to the whole project, not to one domain."""

from datetime import date
from typing import Self

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
        description="texts that identify nobody, such as test@test.com; compared after normalisation",
    )


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
    identifiers: dict[str, IdentifierType] = Field(description="identifier types by name")
    as_of: AsOf
    explain: ExplainSettings
    run: RunSettings
    spark: dict[str, str] = Field(description="Spark settings, such as spark.driver.memory: 8g")
