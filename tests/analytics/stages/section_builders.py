"""Data of the stages section with fixed defaults."""

from dataclasses import replace

from lifestage.analytics.stages.config import Stage
from lifestage.analytics.stages.section_data import StageCount, StageData
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.users.identity.movement import Move
from support.reporting import AS_OF, BEFORE


def empty_stages(**changes):
    return replace(StageData(AS_OF), **changes)


def full_stages(**changes):
    data = StageData(
        as_of=AS_OF,
        earlier=EarlierDates(BEFORE),
        display=("novice", "mature"),
        ladder=(
            rung("novice", "tenure_days <= 90", "Joined lately"),
            rung("mature", "true", "Steady", "Status"),
        ),
        counts=(StageCount(BEFORE, "mature", 7), stage("novice", 2), stage("mature", 8)),
        moves=(Move("mature", "mature", 5), Move("novice", "mature", 3)),
    )
    return replace(data, **changes)


def stage(name="mature", n_users=1):
    return StageCount(AS_OF, name, n_users)


def rung(name, when="true", description="", benefits="", owner=""):
    return Stage(
        stage=name, when=when, description=description, strategy={"benefits": benefits, "owner": owner}
    )
