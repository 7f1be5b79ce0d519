"""The file habits.yaml."""

from pydantic import Field

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFile, Parts


class HabitsConfig(Model):
    """When a user counts as frequent."""

    frequent_days: int = Field(ge=1, description="least active days in 90 of a frequent user")


HABITS = ConfigFile("habits.yaml", HabitsConfig, defaults="analytics/habits/defaults.yaml")


def compose_config(parts: Parts) -> HabitsConfig:
    """The file habits.yaml."""
    return parts[HABITS]
