"""What the features step needs to know."""

from datetime import date

from pydantic import Field

from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section
from lifestage.users.catalogue.model import CATALOGUE, Catalogue

# Names of the catalogue that the code of this step reads itself.
BUILT_ON = frozenset(
    {"purchase_channel", "occasions", "joined_on", "last_occasion_on", "last_active_on"}
    | {"occasions_365d", "net_amount_365d"}
)


class Rhythm(Model):
    """How a user's purchase cycle is measured."""

    min_gaps: int = Field(default=4, ge=1, description="own gaps from which a user has a cycle of their own")
    min_channel_gaps: int = Field(
        default=100, ge=1, description="gaps from which a channel has a norm of its own"
    )
    percentile: int = Field(default=80, ge=1, le=100, description="of the gaps, what counts as the cycle")
    floor_days: int = Field(default=7, ge=1, description="shortest cycle; a shorter one is held at it")
    ceiling_days: int = Field(default=180, ge=1, description="longest cycle; a longer one is held at it")
    default_days: int = Field(default=30, ge=1, description="cycle where nobody has a gap yet")
    recent_days: int = Field(default=30, ge=1, description="span in which a gap must have ended to be recent")


class FeaturesConfig(Model):
    """How days become features."""

    catalogue: Catalogue
    rhythm: Rhythm
    history_starts_on: date
    left_censor_margin_days: int

    @property
    def meaning(self) -> str:
        """Changes when a stored feature row would; descriptions do not count."""
        rest = self.model_dump(mode="json", exclude={"catalogue"})
        return semantic_hash([self.catalogue.features_hash(), rest])


RHYTHM = Section("rhythm", Rhythm, defaults="users/features/defaults.yaml")


def compose_config(parts: Parts) -> FeaturesConfig:
    """The catalogue, the section `rhythm`, and when history starts."""
    business = parts.shared.business
    return FeaturesConfig(
        catalogue=parts[CATALOGUE],
        rhythm=parts[RHYTHM],
        history_starts_on=business.history_starts_on,
        left_censor_margin_days=business.left_censor_margin_days,
    )
