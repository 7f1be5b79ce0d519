"""What a project configures about segments: who, by which features, into how many, and when to train."""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lifestage.platform.config.expressions import condition_problems, number_problems, semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFile, Parts

Percent = Annotated[float, Field(ge=0, le=100)]


class Period(StrEnum):
    """How often a model is trained: on the last day of each such period."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class SegmentFeature(Model):
    """One dimension of the space: a number per user, and the words that a high or low value puts into names.

    Values are kept to 2^-20, so an expression should not yield numbers that differ only below a millionth.
    """

    name: str = Field(description="its name")
    expression: str = Field(description="SQL over user_features; NULL is filled with the median")
    log: bool = Field(default=False, description="true for what is skewed: counts, money, days")
    high: str = Field(description="words for a high value, in names of segments")
    low: str = Field(description="words for a low value")


class TrainingCalendar(Model):
    """The dates whose features models are trained on: ends of periods from a first date on, and dates of one's own.

    A date of one's own counts wherever it lies; without `every` only these do.
    """

    model_config = ConfigDict(populate_by_name=True)

    every: Period | None = Field(default=None, description="a model is trained on the last day of each")
    starts_on: date | None = Field(default=None, alias="from", description="first day of that rhythm")
    dates: tuple[date, ...] = Field(default=(), description="training dates of your own")


class SegmentsConfig(Model):
    """The `segments` part of the configuration; the shipped values are in analytics/segments/defaults.yaml."""

    eligible: str = Field(description="SQL over user_features: who is in a model and gets a segment")
    # 63 dimensions at most: with more, a squared distance could pass 2^53 and would no longer be exact.
    features: tuple[SegmentFeature, ...] = Field(
        min_length=1, max_length=63, description="dimensions of the space"
    )
    k: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=64)]] = Field(
        description="least and greatest number of segments; the best between them wins"
    )
    seed: int = Field(ge=0, description="decides which users train on the driver")
    starts: int = Field(ge=1, description="starts of k-means, of which the best is kept")
    coreset: int = Field(ge=100, le=1_000_000, description="users that train on the driver")
    refinements: int = Field(ge=0, description="rounds over all users where there are more than that")
    min_users: int = Field(ge=2, description="with fewer eligible users there is no model")
    clip: tuple[Percent, Percent] = Field(description="percentiles that values are clipped to")
    min_segment_share: float = Field(ge=0, lt=1, description="least share of users of a segment")
    training: TrainingCalendar

    @property
    def features_hash(self) -> str:
        """What the space means: the expressions and their logs in order. Names and words do not count."""
        return semantic_hash([[" ".join(each.expression.split()), each.log] for each in self.features])

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [feature.name for feature in self.features]
        problems = [
            f"features: {name} is named twice" for name in sorted(set(names)) if names.count(name) > 1
        ]
        if self.k[0] > self.k[1]:
            problems.append(
                f"k: the range runs from {self.k[0]} down to {self.k[1]}, expected [least, greatest]"
            )
        if self.clip[0] >= self.clip[1]:
            problems.append(f"clip: {list(self.clip)} leaves nothing, expected [low, high] percentiles")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def expression_problems(config: SegmentsConfig, columns: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the SQL of the configuration over user_features and its types, each with its key."""
    yield from (f"eligible: {problem}" for problem in condition_problems(config.eligible, columns))
    for index, feature in enumerate(config.features):
        for problem in number_problems(feature.expression, columns):
            yield f"features[{index}].expression: {problem}"


SEGMENTS = ConfigFile("segments.yaml", SegmentsConfig, defaults="analytics/segments/defaults.yaml")


def compose_config(parts: Parts) -> SegmentsConfig:
    """The file segments.yaml."""
    return parts[SEGMENTS]
