"""The ladder of lifecycle stages."""

from pydantic import Field

from lifestage.analytics.strategies import Strategy
from lifestage.platform.config.models import Model


class Stage(Model):
    """One rung: who is on it."""

    stage: str = Field(description="its name")
    when: str = Field(description="SQL over user_features; NULL counts as false")
    description: str = Field(default="", description="for people")
    strategy: Strategy = Strategy()


class StageLadder(Model):
    """Ordered conditions, first match wins; views map the fine stages to coarser schemes."""

    ladder: tuple[Stage, ...] = Field(description="rungs in order of evaluation")
    display: tuple[str, ...] = Field(description="every stage once, in the order of reports")
    views: dict[str, dict[str, str]] = Field(
        default={}, description="coarser scheme to its name of each stage"
    )
