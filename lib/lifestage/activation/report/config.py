"""What a report shows and where it goes."""

from babel import Locale, UnknownLocaleError
from pydantic import Field, field_validator

from lifestage.analytics.stages.config import LADDER
from lifestage.analytics.value.config import VALUE
from lifestage.ingestion.events.event_types import EVENT_TYPES, actions_of
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section
from lifestage.platform.reporting.words import Language
from lifestage.users.identity.config import IDENTITY


class ReportSettings(Model):
    """Where the report goes, how it speaks, and what it withholds."""

    path: str = Field(description="HTML file to write")
    language: Language = Field(description="English (en) or Simplified Chinese (zh)")
    locale: str | None = Field(
        default=None,
        description="how numbers and dates are written, such as de_DE; the language's own by default",
    )
    min_cell_users: int = Field(ge=1, description="numbers about fewer users are not shown")
    segment_features: tuple[str, ...] = Field(
        default=(), description="features that profile a segment, in the order of the columns"
    )

    @field_validator("locale")
    @classmethod
    def _known_locale(cls, locale: str | None) -> str | None:
        if locale is not None:
            try:
                Locale.parse(locale)
            except (ValueError, UnknownLocaleError) as error:
                raise ValueError(f"no known locale: {locale}; write it as de_DE or zh_Hans_CN") from error
        return locale


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


class ReportConfig(ReportSettings):
    """One HTML file a run.

    `rfm_names` maps a pattern of the R x F map such as `[1-2][3-4]` or `51` to a name, as the value step has it.
    """

    business: str
    currency: str
    display: tuple[str, ...]
    ladder: tuple[StageText, ...]
    rfm_names: dict[str, str]
    audiences: dict[str, AudienceText]
    known: tuple[str, ...]
    """Types of identifiers by which the business knows somebody."""
    actions: tuple[str, ...]
    """Types of events that a user does."""


REPORT = Section("report", ReportSettings, defaults="activation/report/defaults.yaml")


def compose_config(parts: Parts) -> ReportConfig:
    """The section `report`, with what other parts say of the groups that it shows."""
    settings = parts[REPORT]
    ladder, audiences, business = (
        parts[LADDER],
        parts.named("audiences.yaml").audiences,
        parts.shared.business,
    )
    return ReportConfig(
        business=business.name,
        currency=business.currency,
        display=ladder.display,
        ladder=tuple(
            StageText(
                stage=rung.stage,
                description=rung.description,
                when=rung.when,
                benefits=rung.strategy.benefits,
            )
            for rung in ladder.ladder
        ),
        rfm_names=parts[VALUE].rfm.names,
        known=parts[IDENTITY].known,
        actions=tuple(sorted(actions_of(parts[EVENT_TYPES]))),
        audiences={
            name: AudienceText(
                description=audience.description,
                owner=audience.strategy.owner,
                benefits=audience.strategy.benefits,
            )
            for name, audience in audiences.items()
        },
        **dict(settings),
    )
