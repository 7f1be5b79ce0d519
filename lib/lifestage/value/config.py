"""How value is scored."""

from datetime import date

from pydantic import Field

from lifestage.core.models import Model


class RfmConfig(Model):
    """RFM over a named period, and the names of the 25 cells of R x F.

    `names` maps a cell pattern such as `[1-2][3-4]` or `51` to a name; each cell is named exactly once.
    """

    period_days: int = Field(default=365, ge=1)
    min_users: int = Field(default=5, ge=1, description="fewer scored users give insufficient_data")
    min_history_days: int = Field(default=30, ge=0, description="a shorter history gives insufficient_data")
    cuts: dict[str, tuple[int, int, int, int]] = Field(
        default={}, description="measure to the least values of scores 2..5 (recency: greatest); quintiles where absent"
    )
    names: dict[str, str]


class ValueConfig(Model):
    """Everything the value step needs."""

    rfm: RfmConfig
    history_starts_on: date
