"""Configuration of publication: limits for a snapshot, and the columns of its exports."""

from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section


class PublishSettings(Model):
    """Limits that a snapshot must meet before publication, and the destinations of exports."""

    max_user_drop: float = Field(
        ge=0, le=1, description="greatest drop in users since the previous snapshot, as a share"
    )
    max_audience_growth: float = Field(
        gt=1,
        description="greatest growth of an audience in one day, as a factor; 2 allows 3 times as many after two days",
    )
    min_audience_users: int = Field(
        ge=0, description="least size of an audience for the limit of growth to apply"
    )
    max_user_identifiers: int = Field(
        ge=100, description="most identifiers of one user; a larger one is probably several people"
    )
    max_user_revenue_share: float = Field(
        gt=0,
        le=1,
        description="greatest share of one user in the net spend of 365 days, where at least 100 users have bought",
    )
    destinations: dict[str, tuple[str, ...]] = Field(
        description="export destination to its columns, in order"
    )


PUBLISH = Section("publish", PublishSettings, defaults="activation/publish/defaults.yaml")


def compose_config(parts: Parts) -> PublishSettings:
    """Return the section `publish`."""
    return parts[PUBLISH]
