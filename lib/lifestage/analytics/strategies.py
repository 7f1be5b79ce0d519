"""What to do with the users of a stage, tier or audience, as configured beside its definition."""

from pydantic import Field

from lifestage.platform.config.models import Model


class Strategy(Model):
    """Who looks after a group of users, where, with which message and benefits; kept in snapshots and exports."""

    touchpoints: tuple[str, ...] = Field(default=(), description="where to meet them")
    benefits: str = Field(default="", description="what they are offered")
    message: str = Field(default="", description="what they are told")
    owner: str = Field(default="", description="who looks after them")
