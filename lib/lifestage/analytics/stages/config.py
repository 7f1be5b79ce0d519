"""Configuration of the ladder of lifecycle stages."""

from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Combine, ConfigFile, Parts
from lifestage.platform.result import Strategy


class Stage(Model):
    """One rung of the ladder: the condition that its users meet."""

    stage: str = Field(description="name of the stage")
    when: str = Field(description="SQL over user_features; NULL counts as false")
    description: str = Field(default="", description="explanation for readers")
    strategy: Strategy = Strategy()


class StageLadder(Model):
    """Stages in order of evaluation: the first condition that is true decides. Views map stages to coarser schemes."""

    ladder: tuple[Stage, ...] = Field(description="rungs in order of evaluation")
    display: tuple[str, ...] = Field(description="every stage once, in the order of reports")
    views: dict[str, dict[str, str]] = Field(
        default={}, description="coarser scheme to the name that it gives each stage"
    )


LADDER = ConfigFile(
    "stages.yaml",
    StageLadder,
    how_to="how-to/change-the-ladder.md",
    defaults="analytics/stages/defaults.yaml",
    combine=Combine.REPLACE,
)


def compose_config(parts: Parts) -> StageLadder:
    """Return the ladder."""
    return parts[LADDER]
