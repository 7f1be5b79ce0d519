"""What a report shows and where it goes."""

from enum import StrEnum

from lifestage.core.models import Model


class Language(StrEnum):
    """What a report is written in; each has a file of texts."""

    ENGLISH = "en"
    CHINESE = "zh"


class AudienceText(Model):
    """What the report says of an audience beside its numbers."""

    description: str
    owner: str = ""
    benefits: str = ""


class StageText(Model):
    """What the report says of a stage beside its numbers."""

    stage: str
    description: str
    when: str
    benefits: str = ""


class ReportConfig(Model):
    """One HTML file a run.

    `rfm_names` maps a pattern of the R x F map such as `[1-2][3-4]` or `51` to a name, as the value step has it.
    """

    path: str
    language: Language
    locale: str | None
    min_cell_users: int
    business: str
    currency: str
    display: tuple[str, ...]
    ladder: tuple[StageText, ...]
    rfm_names: dict[str, str]
    segment_features: tuple[str, ...]
    audiences: dict[str, AudienceText]
