"""The file audiences.yaml."""

from pydantic import Field

from lifestage.analytics.strategies import Strategy
from lifestage.platform.config.models import Model


class Audience(Model):
    """One audience: who is in it, and what to do with them."""

    when: str = Field(description="SQL over features, stage, value and segment; NULL counts as false")
    description: str = Field(default="", description="for people")
    strategy: Strategy = Strategy()


class AudiencesConfig(Model):
    """Audiences by name."""

    audiences: dict[str, Audience] = Field(description="rules by name")
