"""How far back the rules of the stages look. With a shorter history, a stage is too small or too large."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from lifestage.analytics.stages.config import StageLadder
from lifestage.platform.config.expressions import columns_of
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.config import FeaturesConfig


def find_first_full_dates(ladder: StageLadder, features: FeaturesConfig) -> dict[str, date]:
    """Return the first date of each stage on which the history covers all windows that decide about the stage.

    A user is in a stage if its condition is true and no earlier one is, so the windows of the earlier conditions count
    as well. Windows of users of the first `left_censor_margin_days` are full only after these days. A stage without
    windows has no date, and neither do windows over all history.
    """
    start = features.history_starts_on + timedelta(days=features.left_censor_margin_days)
    known, longest = _find_lookbacks(features.catalogue), 0
    found: dict[str, date] = {}
    for rung in ladder.ladder:
        longest = max([longest, *(known.get(name, 0) for name in columns_of(rung.when))])
        if longest:
            found[rung.stage] = start + timedelta(days=longest - 1)
    return found


def _find_lookbacks(catalogue: Catalogue) -> dict[str, int]:
    """Return the days up to as_of that each window and feature of the catalogue looks back on."""
    windows = {window.name: window.shift + (window.days or 0) for window in catalogue.all_windows()}
    used = {name: columns_of(feature.expression) for name, feature in catalogue.features.items()}
    return {**windows, **{name: max(_days(name, used, windows), default=0) for name in used}}


def _days(name: str, used: Mapping[str, set[str]], windows: Mapping[str, int]) -> Iterator[int]:
    """Yield the days of every window that a feature uses, directly or by way of other features."""
    for column in used.get(name, ()):
        yield windows.get(column, 0)
        yield from _days(column, used, windows)
