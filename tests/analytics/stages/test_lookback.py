from datetime import date

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.lookback import find_first_full_dates
from lifestage.users.features.config import FeaturesConfig
from support.projects import packaged_config


def configs(**ladder):
    """The packaged catalogue of a history from 2026-01-01, of which customers of the first 30 days may be older."""
    config = packaged_config()
    features = config.of(FeaturesConfig)
    changes = {"history_starts_on": date(2026, 1, 1), "left_censor_margin_days": 30}
    rungs = [{"stage": stage, "when": when} for stage, when in ladder.items()]
    own = StageLadder(ladder=rungs, display=tuple(ladder)) if ladder else config.of(StageLadder)
    return own, features.model_copy(update=changes)


def test_packaged_stages_after_declining_need_two_windows_of_90_days():
    full = date(2026, 7, 29)
    assert find_first_full_dates(*configs()) == {"declining": full, "growth": full, "mature": full}


def test_the_windows_of_earlier_rules_decide_about_later_stages_as_well():
    found = find_first_full_dates(
        *configs(a="silence_days > 9", b="net_amount_30d > 0", c="discount_share_365d > 0", d="true")
    )
    assert found == {"b": date(2026, 3, 1), "c": date(2027, 1, 30), "d": date(2027, 1, 30)}


def test_windows_over_all_history_need_no_length_of_it():
    assert find_first_full_dates(*configs(a="net_amount_all > 0", b="true")) == {}
