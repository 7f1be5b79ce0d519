"""The file audiences.yaml."""

from pydantic import Field

from lifestage.core.models import Model
from lifestage.tables.strategies import Strategy


class Audience(Model):
    """One audience: who is in it, and what to do with them."""

    when: str = Field(
        description="SQL over features, stage, value, segment and attributes; NULL counts as false"
    )
    description: str = Field(default="", description="for people")
    strategy: Strategy = Strategy()


class AudiencesConfig(Model):
    """Audiences by name, and the reference tables whose columns rules may use.

    Attributes are reference tables keyed by one identifier, such as CRM profiles; a rule names their columns as
    `profiles.city`, as valid on the as_of.
    """

    audiences: dict[str, Audience] = Field(description="rules by name")
    attributes: tuple[str, ...] = Field(
        default=(), description="reference tables keyed by one identifier, whose columns rules may use"
    )
