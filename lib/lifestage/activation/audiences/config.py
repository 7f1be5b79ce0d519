"""Configuration of audiences."""

from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFile, Parts
from lifestage.platform.result import Strategy


class Audience(Model):
    """One audience: the condition that its users meet, and its strategy."""

    when: str = Field(description="SQL over features, stage, value and segment; NULL counts as false")
    description: str = Field(default="", description="explanation for readers")
    strategy: Strategy = Strategy()


class AudiencesConfig(Model):
    """Audiences by name."""

    audiences: dict[str, Audience] = Field(description="audiences by name")


AUDIENCES = ConfigFile(
    "audiences.yaml",
    AudiencesConfig,
    how_to="how-to/choose-an-audience.md",
    defaults="activation/audiences/defaults.yaml",
)


def compose_config(parts: Parts) -> AudiencesConfig:
    """Return the file audiences.yaml."""
    return parts[AUDIENCES]
