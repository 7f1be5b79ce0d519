"""Configuration of the report: its path, its language, and the smallest group that it shows."""

from babel import Locale, UnknownLocaleError
from pydantic import Field, field_validator

from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts, Section
from lifestage.platform.reporting.words import Language


class ReportSettings(Model):
    """Path, language and contents of the report."""

    path: str = Field(description="HTML file to write")
    language: Language = Field(description="English (en) or Simplified Chinese (zh)")
    locale: str | None = Field(
        default=None,
        description="format of numbers and dates, such as de_DE; by default that of the language",
    )
    min_cell_users: int = Field(
        ge=1, description="least number of users behind a number; the report hides numbers about fewer users"
    )
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


REPORT = Section("report", ReportSettings, defaults="activation/report/defaults.yaml")


def compose_config(parts: Parts) -> ReportSettings:
    """The section `report`."""
    return parts[REPORT]
