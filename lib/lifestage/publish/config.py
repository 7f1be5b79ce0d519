"""What has to hold before a snapshot is published."""

from pydantic import Field

from lifestage.core.models import Model


class PublishConfig(Model):
    """Gates of a publication."""

    max_user_drop: float = Field(
        default=0.2, ge=0, le=1, description="greatest fall of users against the snapshot before"
    )
    export_columns: tuple[str, ...] = ("user_id", "as_of", "stage", "rfm_name", "segment")
