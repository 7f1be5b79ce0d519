"""What a report shows and where it goes."""

from lifestage.core.models import Model


class AudienceText(Model):
    """What the report says of an audience beside its numbers."""

    description: str
    owner: str


class ReportConfig(Model):
    """One HTML file a run.

    `rfm_names` maps a pattern of the R x F map such as `[1-2][3-4]` or `51` to a name, as the value step has it.
    """

    path: str
    business: str
    currency: str
    stages: tuple[str, ...]
    rfm_names: dict[str, str]
    segment_features: tuple[str, ...] = ()
    audiences: dict[str, AudienceText]
