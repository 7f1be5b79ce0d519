"""Configuration of RFM, the value index and its tiers."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from lifestage.analytics.value.comparisons import Weighing, derive_weights, matrix_problems
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Combine, ConfigFile, Parts
from lifestage.platform.result import Strategy
from lifestage.users.catalogue.model import CATALOGUE

ENTRY = re.compile(r"\d{1,3}([.]\d{1,6})?(/0*[1-9]\d{0,2})?")
CELL = re.compile(r"(\d|\[[\d-]{1,9}\]){2}")
MEASURES = ("recency", "frequency", "monetary")


class RfmConfig(Model):
    """RFM over a period, and the names of the 25 cells of R x F.

    `names` maps patterns of cells, such as `[1-2][3-4]` or `51`, to names. Each cell matches exactly one pattern.
    """

    period_days: int = Field(
        default=365, ge=1, description="days up to as_of that count; the features of this window are added"
    )
    min_users: int = Field(
        default=5, ge=1, description="with fewer scored users the status is insufficient_data"
    )
    min_history_days: int = Field(
        default=30, ge=0, description="with a shorter history the status is insufficient_data"
    )
    cuts: dict[str, tuple[int, int, int, int]] = Field(
        default={},
        description="measure to the least values of scores 2 to 5 (recency: the most days; monetary: minor units); "
        "a measure without cuts uses quintiles",
    )
    names: dict[str, str] = Field(description="cells of R and F, such as 51 or [1-2][3-4], to their name")

    @field_validator("names")
    @classmethod
    def _check_patterns(cls, names: dict[str, str]) -> dict[str, str]:
        for pattern in names:
            if not CELL.fullmatch(pattern):
                raise ValueError(f"{pattern[:20]} is not a pattern such as 51 or [1-2][3-4]")
        return names

    @field_validator("cuts")
    @classmethod
    def _check_cuts(cls, cuts: dict[str, tuple[int, int, int, int]]) -> dict[str, tuple[int, int, int, int]]:
        problems = [
            f"unknown measure {name}, expected one of {', '.join(MEASURES)}"
            for name in cuts
            if name not in MEASURES
        ]
        problems += [
            f"{name}: {list(bounds)} is not in order, recency has to fall, the others to rise"
            for name, bounds in cuts.items()
            if list(bounds) != sorted(set(bounds), reverse=name == "recency")
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return cuts


def _parse_fraction(entry: object) -> object:
    """Return 3, 0.5 or "1/3" as an exact fraction."""
    text = str(entry).replace(" ", "")
    if not ENTRY.fullmatch(text):
        raise ValueError(f"{text[:20]} is not a number such as 3 or 1/3")
    return Fraction(text)


Entry = Annotated[Fraction, BeforeValidator(_parse_fraction), PlainSerializer(str)]


class Weighted(Model, ABC):
    """Named items with weights that sum to 1, either given or derived from pairwise comparisons.

    `comparisons` has one row for each item; rows and columns have the same order. An entry says how many times more the
    item of the row matters than the item of the column.
    """

    weights: dict[str, Annotated[float, Field(gt=0, le=1)]] | None = Field(
        default=None, description="weight of each item; they sum to 1"
    )
    comparisons: dict[str, tuple[Entry, ...]] | None = Field(
        default=None,
        description="instead of weights: how many times more each item matters than each other item",
    )

    @property
    @abstractmethod
    def items(self) -> Sequence[str]:
        """The names of the items."""

    @cached_property
    def weighing(self) -> Weighing:
        """The weights in use, and the consistency of the comparisons that they come from."""
        if self.comparisons is not None:
            return derive_weights(self.comparisons)
        return Weighing({name: (self.weights or {})[name] for name in self.items})

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        given = self.comparisons if self.comparisons is not None else self.weights
        if given is None or (self.weights is not None and self.comparisons is not None):
            raise ValueError("give exactly one of weights and comparisons")
        if set(given) != set(self.items):
            raise ValueError(
                f"found {', '.join(given) or 'no item'}, expected each of {', '.join(self.items)}: an item that is switched "
                "off has no weight, and the other weights are not adjusted automatically"
            )
        problems = [*matrix_problems(self.comparisons)] if self.comparisons is not None else []
        if self.weights is not None and abs(sum(self.weights.values()) - 1) > 1e-9:
            problems.append(f"weights sum to {sum(self.weights.values()):g}, expected 1")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Dimension(Weighted):
    """One dimension of value: a weighted sum of components, each a number for every user."""

    enabled: bool = Field(
        default=True, description="whether the dimension is part of the index; if not, it has no weight"
    )
    components: dict[str, str] = Field(min_length=1, description="SQL over user_features; NULL counts as 0")

    @property
    def items(self) -> Sequence[str]:
        """The names of the components."""
        return tuple(self.components)


class IndexConfig(Weighted):
    """The value index: a weighted sum of the enabled dimensions."""

    dimensions: dict[str, Dimension] = Field(description="dimensions of value by name")

    @property
    def enabled(self) -> dict[str, Dimension]:
        """The dimensions that are part of the index."""
        return {name: dimension for name, dimension in self.dimensions.items() if dimension.enabled}

    @property
    def items(self) -> Sequence[str]:
        """The names of the enabled dimensions."""
        return tuple(self.enabled)


class Tier(Model):
    """One tier of the value index, with an inclusive lower bound.

    The bound is a share of users (`from_share`: at least this share of scored users has a strictly lower index) or a cut
    point of the index itself (`from_index`). The last tier has neither.
    """

    tier: str = Field(description="name of the tier")
    description: str = Field(default="", description="explanation for readers")
    from_share: float | None = Field(
        default=None, gt=0, lt=1, description="least share of scored users with a strictly lower index"
    )
    from_index: float | None = Field(
        default=None, gt=0, le=1, description="instead of from_share: least value of the index"
    )
    strategy: Strategy = Strategy()

    @property
    def bound(self) -> float | None:
        """The lower bound; None for the last tier."""
        return self.from_index if self.from_share is None else self.from_share


class ValueSettings(Model):
    """The file value.yaml."""

    rfm: RfmConfig
    index: IndexConfig
    tiers: tuple[Tier, ...] = Field(description="tiers, the best first; the last takes the remaining users")

    @field_validator("tiers")
    @classmethod
    def _check_tiers(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if problem := tier_problem(tiers):
            raise ValueError(problem)
        return tiers


class ValueConfig(ValueSettings):
    """What the value step needs: value.yaml and the first date with data."""

    history_starts_on: date


def tier_problem(tiers: Sequence[Tier]) -> str:
    """Return why some scored user would not be in exactly one tier; empty for valid tiers."""
    names, bounded = [tier.tier for tier in tiers], tiers[:-1]
    if len(set(names)) != len(names) or not tiers:
        return f"expected different names, found {', '.join(names) or 'none'}"
    if tiers[-1].bound is not None:
        return f"{names[-1]} takes the rest, it has no from_share or from_index"
    if any((tier.from_share is None) == (tier.from_index is None) for tier in bounded):
        return "each tier but the last has exactly one of from_share and from_index"
    if len({tier.from_share is None for tier in bounded}) > 1:
        return "from_share and from_index cannot be mixed"
    for better, worse in pairwise(bounded):
        if (better.bound or 0) <= (worse.bound or 0):
            return f"{better.tier} from {better.bound:g} and {worse.tier} from {worse.bound:g} overlap: expected falling bounds"
    return ""


VALUE = ConfigFile(
    "value.yaml",
    ValueSettings,
    how_to="how-to/weigh-value.md",
    defaults="analytics/value/defaults.yaml",
    combine=Combine.SECTIONS,
)


def add_period_windows(parts: Parts) -> Parts:
    """Return the parts with the windows over the period of RFM in the feature catalogue."""
    days = parts[VALUE].rfm.period_days
    return parts.replace(CATALOGUE, parts[CATALOGUE].with_windows(("occasions", "net_amount"), days))


def compose_config(parts: Parts) -> ValueConfig:
    """Return the file value.yaml with the first date of the history."""
    settings = parts[VALUE]
    return ValueConfig(history_starts_on=parts.shared.business.history_starts_on, **dict(settings))
