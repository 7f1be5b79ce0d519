"""Configuration of the features step."""

from datetime import date

from pydantic import Field

from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section
from lifestage.users.catalogue.model import CATALOGUE, Catalogue

# Measures, days, dates and windows that this step reads by name. Every catalogue must declare them.
REQUIRED_NAMES = frozenset(
    {"purchase_channel", "occasions", "joined_on", "last_occasion_on", "last_active_on"}
    | {"occasions_365d", "net_amount_365d"}
)


class Rhythm(Model):
    """How purchase cycles are measured."""

    min_gaps: int = Field(
        default=4, ge=1, description="least number of gaps that a user needs for a cycle of their own"
    )
    min_channel_gaps: int = Field(
        default=100,
        ge=1,
        description="least number of pooled gaps that a channel needs for a norm of its own",
    )
    percentile: int = Field(
        default=80, ge=1, le=100, description="percentile of the gaps that gives the cycle"
    )
    floor_days: int = Field(default=7, ge=1, description="shortest cycle; shorter cycles are raised to it")
    ceiling_days: int = Field(default=180, ge=1, description="longest cycle; longer cycles are lowered to it")
    default_days: int = Field(default=30, ge=1, description="cycle if no user has a gap yet")
    recent_days: int = Field(
        default=30, ge=1, description="days up to as_of; a gap that ends within them is recent"
    )


class FeaturesConfig(Model):
    """How subject-days become features."""

    catalogue: Catalogue
    rhythm: Rhythm
    history_starts_on: date
    left_censor_margin_days: int

    @property
    def meaning(self) -> str:
        """A hash of the settings that decide the content of a stored feature row; descriptions do not change it."""
        rest = self.model_dump(mode="json", exclude={"catalogue"})
        return semantic_hash([self.catalogue.features_hash(), rest])


RHYTHM = Section("rhythm", Rhythm, defaults="users/features/defaults.yaml")


def compose_config(parts: Parts) -> FeaturesConfig:
    """Compose the catalogue, the section `rhythm`, and the start of recorded history."""
    business = parts.shared.business
    return FeaturesConfig(
        catalogue=parts[CATALOGUE],
        rhythm=parts[RHYTHM],
        history_starts_on=business.history_starts_on,
        left_censor_margin_days=business.left_censor_margin_days,
    )
