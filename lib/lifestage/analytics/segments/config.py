"""Configuration of segments: eligible users, features, number of segments, and training dates."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFile, Parts

Percent = Annotated[float, Field(ge=0, le=100)]


class Period(StrEnum):
    """How often a model is trained: on the last day of each such period."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class SegmentFeature(Model):
    """One feature of the model: a number for each user, and the words for a high or low value in segment names.

    Values are rounded to 2^-20, so they should differ by more than a millionth.
    """

    name: str = Field(description="name of the feature")
    expression: str = Field(description="SQL over user_features; NULL is filled with the median")
    log: bool = Field(
        default=False, description="whether to use the logarithm, for skewed values: counts, money, days"
    )
    high: str = Field(description="words for a high value in names of segments")
    low: str = Field(description="words for a low value in names of segments")


class TrainingCalendar(Model):
    """Training dates: the ends of periods since a first date, and explicit dates.

    An explicit date counts even if it is before the first date. Without `every`, only the explicit dates count.
    """

    model_config = ConfigDict(populate_by_name=True)

    every: Period | None = Field(
        default=None, description="train a model on the last day of each such period"
    )
    starts_on: date | None = Field(
        default=None, alias="from", description="ends of periods before this date do not count"
    )
    dates: tuple[date, ...] = Field(default=(), description="further training dates")


class SegmentsSettings(Model):
    """The file segments.yaml; the packaged values are in analytics/segments/defaults.yaml."""

    eligible: str = Field(description="SQL over user_features: users who train the model and get a segment")
    # With more than 63 features a squared distance could pass 2^53 and would no longer be exact.
    features: tuple[SegmentFeature, ...] = Field(
        min_length=1, max_length=63, description="features by which the model groups users"
    )
    k: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=64)]] = Field(
        description="least and greatest number of segments; the best silhouette decides"
    )
    seed: int = Field(ge=0, description="seed of the coreset, the starts and the search")
    starts: int = Field(ge=1, description="number of k-means++ starts; the best one wins")
    coreset: int = Field(
        ge=100, le=1_000_000, description="number of users on which the driver trains the model"
    )
    refinements: int = Field(
        ge=0, description="Lloyd iterations over all users if there are more users than in the coreset"
    )
    min_users: int = Field(ge=2, description="least number of eligible users for a model")
    clip: tuple[Percent, Percent] = Field(description="low and high percentile that values are clipped to")
    min_segment_share: float = Field(ge=0, lt=1, description="least share of users in the smallest segment")
    training: TrainingCalendar

    @property
    def features_hash(self) -> str:
        """Hash of the features' definitions: expressions and logs in order. Names and words don't count."""
        return semantic_hash([[" ".join(each.expression.split()), each.log] for each in self.features])

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        names = [feature.name for feature in self.features]
        problems = [
            f"features: {name} is named twice" for name in sorted(set(names)) if names.count(name) > 1
        ]
        if self.k[0] > self.k[1]:
            problems.append(
                f"k: the range runs from {self.k[0]} down to {self.k[1]}, expected [least, greatest]"
            )
        if self.clip[0] >= self.clip[1]:
            problems.append(f"clip: {list(self.clip)} is empty, expected [low, high] percentiles")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class SegmentsConfig(SegmentsSettings):
    """Everything that the segments step needs."""

    profile: tuple[str, ...] = ()
    """Features that profile a segment."""


SEGMENTS = ConfigFile("segments.yaml", SegmentsSettings, defaults="analytics/segments/defaults.yaml")


def compose_config(parts: Parts) -> SegmentsConfig:
    """Return the file segments.yaml, and the features of the section `report` that profile a segment."""
    settings = parts[SEGMENTS]
    return SegmentsConfig(profile=parts.named("report").segment_features, **dict(settings))
