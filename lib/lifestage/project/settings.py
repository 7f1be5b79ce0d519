"""What a configuration is, once it is read: the main file's sections, and what each step is given."""

from dataclasses import dataclass
from datetime import date

from pydantic import Field, field_validator, model_validator

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.activation.publish.config import PublishConfig, PublishSettings
from lifestage.activation.report.config import ReportConfig, ReportSettings
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.value.config import ValueConfig
from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.platform.config.models import Model
from lifestage.platform.config.time_zones import known_zone
from lifestage.platform.security.pseudonyms import IdentifierType
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.features.config import FeaturesConfig, Rhythm
from lifestage.users.identity.config import IdentityConfig, IdentitySettings
from lifestage.users.matching.config import MatchingConfig, MatchingSettings
from lifestage.users.profiles.config import ProfilesConfig


class Storage(Model):
    """Where tables live: under a root path, or in a catalog's schema."""

    root: str | None = Field(
        default=None, description="path or URI of the folder that tables lie in; this or schema is required"
    )
    schema_name: str | None = Field(
        default=None, alias="schema", description="`catalog.schema` that tables lie in, in place of root"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "Storage":
        if (self.root is None) == (self.schema_name is None):
            raise ValueError("give exactly one of root and schema")
        return self


class Business(Model):
    """What the whole project shares."""

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
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)


class SecretNames(Model):
    """Names of the environment variables that hold the keys (or, with _FILE appended, a file's path)."""

    pseudonym_key: str = Field(description="variable with the key that identifiers are hashed with")
    quarantine_key: str = Field(description="variable with the key that rejected rows are encrypted with")


class ActivitySettings(Model):
    """Reference tables joined to events when days are built, and what two columns of an event mean."""

    lookups: dict[str, dict[str, str]] = Field(
        description="reference table to its key columns, each as SQL over the event"
    )
    category: str = Field(description="SQL: the category of an event")
    is_new_product: str = Field(description="SQL: whether an event is about a newly launched product")


class Keep(Model):
    """Which as_of dates stay: the newest, the last days, month-ends."""

    days: int = Field(
        ge=1, description="how many days the rows of an as_of date are kept; those of the newest always are"
    )
    month_ends: bool = Field(description="whether rows of month-ends are kept for good")


class AsOf(Model):
    """Retention of tables with one row per user and as_of."""

    keep: Keep


class ExplainSettings(Model):
    """How far `lifestage explain` looks ahead."""

    silent_days: int = Field(ge=1, le=1000, description="days of silence whose effect is looked for")


class RunSettings(Model):
    """How a run guards its storage root."""

    dead_after_hours: int = Field(ge=1, description="age from which a run of another host counts as dead")


class Main(Model):
    """The main file, with packaged defaults filled in."""

    storage: Storage
    business: Business
    secrets: SecretNames
    landing: str = Field(description="folder or URI that the paths of sources begin in")
    identifiers: dict[str, IdentifierType] = Field(description="types of what names a person")
    identity: IdentitySettings
    matching: MatchingSettings
    activity: ActivitySettings
    rhythm: Rhythm
    as_of: AsOf
    publish: PublishSettings
    report: ReportSettings
    explain: ExplainSettings
    run: RunSettings
    spark: dict[str, str] = Field(description="Spark settings, such as spark.driver.memory: 8g")


@dataclass(frozen=True)
class Config:
    """Everything a run needs, section by step."""

    main: Main
    reference: ReferenceConfig
    ingest: IngestConfig
    activity: ActivityConfig
    profiles: ProfilesConfig
    features: FeaturesConfig
    stages: StageLadder
    value: ValueConfig
    segments: SegmentsConfig
    audiences: AudiencesConfig
    identity: IdentityConfig
    matching: MatchingConfig
    publish: PublishConfig
    report: ReportConfig
    hash: str
