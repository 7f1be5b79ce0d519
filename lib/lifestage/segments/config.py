"""What a project configures about segments: who, by which features, into how many, and when to train."""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lifestage.core.expressions import condition_problems, number_problems, semantic_hash
from lifestage.core.models import Model

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

    name: str
    expression: str
    log: bool = False
    high: str
    low: str


class TrainingCalendar(Model):
    """The dates whose features models are trained on: ends of periods from a first date on, and dates of one's own.

    A date of one's own counts wherever it lies; without `every` only these do.
    """

    model_config = ConfigDict(populate_by_name=True)

    every: Period | None = None
    starts_on: date | None = Field(default=None, alias="from")
    dates: tuple[date, ...] = ()


class SegmentsConfig(Model):
    """The `segments` part of the configuration; the shipped values are in defaults/segments.yaml."""

    eligible: str
    # 63 dimensions at most: with more, a squared distance could pass 2^53 and would no longer be exact.
    features: Annotated[tuple[SegmentFeature, ...], Field(min_length=1, max_length=63)]
    k: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=64)]]
    seed: Annotated[int, Field(ge=0)]
    starts: Annotated[int, Field(ge=1)]
    coreset: Annotated[int, Field(ge=100, le=1_000_000)]
    refinements: Annotated[int, Field(ge=0)]
    min_users: Annotated[int, Field(ge=2)]
    clip: tuple[Percent, Percent]
    min_segment_share: Annotated[float, Field(ge=0, lt=1)]
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
