"""The sections of the main file that belong to the whole project, not to one domain."""

from datetime import date
from typing import Self

from pydantic import Field, field_validator, model_validator

from lifestage.platform.config.models import Model
from lifestage.platform.config.time_zones import check_time_zone


class IdentifierType(Model):
    """One type of identifier: its strength, and how raw values are normalised before they are hashed."""

    priority: int = Field(description="1 is strongest; the strongest on an event is its subject")
    normalise: str = Field(default="trim(value)", description="SQL over `value`")
    valid: str = Field(default="length(value) > 0", description="SQL over the normalised `value`")
    placeholders: tuple[str, ...] = Field(
        default=(), description="texts that name nobody, compared with what is given once both are normalised"
    )


class Storage(Model):
    """Location of the tables: below a root path, or in a schema of a catalog."""

    root: str | None = Field(
        default=None, description="path or URI of the folder that tables lie in; this or schema is required"
    )
    schema_name: str | None = Field(
        default=None, alias="schema", description="`catalog.schema` that tables lie in, in place of root"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.root is None) == (self.schema_name is None):
            raise ValueError("give exactly one of root and schema")
        return self


class Business(Model):
    """Facts about the business that every domain shares."""

    name: str = Field(description="as the report calls it")
    time_zone: str = Field(
        description="zone of calendar days, such as Europe/Berlin; a root keeps its first one"
    )
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code that every amount is kept in")
    history_starts_on: date = Field(description="the first day that was recorded")
    left_censor_margin_days: int = Field(
        ge=0,
        description="who joined so soon after that day may have been there before, and is never a novice",
    )
    finality_days: int = Field(ge=0, description="days until a day is final; what comes later counts as late")

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, zone: str) -> str:
        return check_time_zone(zone)


class SecretNames(Model):
    """Names of the environment variables that hold the keys or, with _FILE appended, the path of a file."""

    pseudonym_key: str = Field(description="variable with the key that identifiers are hashed with")
    quarantine_key: str = Field(description="variable with the key that rejected rows are encrypted with")


class Keep(Model):
    """Which as_of dates to keep: the newest, the last days, month-ends."""

    days: int = Field(
        ge=1, description="how many days the rows of an as_of date are kept; those of the newest always are"
    )
    month_ends: bool = Field(description="whether rows of month-ends are kept for good")


class AsOf(Model):
    """Retention of tables with one row per user and as_of."""

    keep: Keep


class ExplainSettings(Model):
    """How many days `lifestage explain` looks ahead."""

    silent_days: int = Field(ge=1, le=1000, description="days of silence whose effect is looked for")


class RunSettings(Model):
    """How a run guards its storage root."""

    dead_after_hours: int = Field(ge=1, description="age from which a run of another host counts as dead")


class Shared(Model):
    """Every shared section, with packaged defaults filled in."""

    storage: Storage
    business: Business
    secrets: SecretNames
    landing: str = Field(description="folder or URI that the paths of sources begin in")
    identifiers: dict[str, IdentifierType] = Field(description="types of what names a person")
    as_of: AsOf
    explain: ExplainSettings
    run: RunSettings
    spark: dict[str, str] = Field(description="Spark settings, such as spark.driver.memory: 8g")
