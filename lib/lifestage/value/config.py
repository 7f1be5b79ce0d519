"""How value is scored."""

from datetime import date

from pydantic import Field, field_validator

from lifestage.core.models import Model

MEASURES = ("recency", "frequency", "monetary")


class RfmConfig(Model):
    """RFM over a named period, and the names of the 25 cells of R x F.

    `names` maps a cell pattern such as `[1-2][3-4]` or `51` to a name; each cell is named exactly once.
    """

    period_days: int = Field(default=365, ge=1)
    min_users: int = Field(default=5, ge=1, description="fewer scored users give insufficient_data")
    min_history_days: int = Field(default=30, ge=0, description="a shorter history gives insufficient_data")
    cuts: dict[str, tuple[int, int, int, int]] = Field(
        default={},
        description="measure to the least values of scores 2..5 (recency: greatest days; monetary: minor units); "
        "quintiles where absent",
    )
    names: dict[str, str]

    @field_validator("cuts")
    @classmethod
    def _from_worst_to_best(
        cls, cuts: dict[str, tuple[int, int, int, int]]
    ) -> dict[str, tuple[int, int, int, int]]:
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


class ValueConfig(Model):
    """Everything the value step needs."""

    rfm: RfmConfig
    history_starts_on: date
