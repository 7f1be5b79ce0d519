"""Checks of habits.yaml."""

from collections.abc import Iterator, Sequence

from lifestage.analytics.habits.config import HABITS

from lifestage.platform.config.checks import prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.result import DomainResult


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """No window of 90 days has more days than that."""
    if config.parts[HABITS].frequent_days > 90:
        yield from prefix_file(
            config.folder / HABITS.name, ["frequent_days: more than the 90 days of the window"]
        )
