"""What has to hold before a snapshot is published, and which of its columns may leave."""

from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section


class PublishSettings(Model):
    """Gates of a publication, and the destinations of its exports."""

    max_user_drop: float = Field(ge=0, le=1, description="greatest fall of users against the snapshot before")
    max_audience_growth: float = Field(
        gt=1, description="greatest size of an audience against the snapshot before, as a factor"
    )
    min_audience_users: int = Field(ge=0, description="smaller audiences may grow as they like")
    destinations: dict[str, tuple[str, ...]] = Field(
        description="destination of exports to the columns it is given, in order"
    )


PUBLISH = Section("publish", PublishSettings, defaults="activation/publish/defaults.yaml")


def compose_config(parts: Parts) -> PublishSettings:
    """The section `publish`."""
    return parts[PUBLISH]
