"""The declaration of habits."""

from lifestage.analytics.habits.checks import check_config
from lifestage.analytics.habits.config import HABITS, compose_config
from lifestage.analytics.habits.explain import EXPLAIN
from lifestage.analytics.habits.section import SECTION
from lifestage.analytics.habits.step import run
from lifestage.analytics.habits.tables import USER_HABITS

from lifestage.platform.domain import Configuration, Domain
from lifestage.platform.result import Group, Result

DOMAIN = Domain(
    name="habits",
    does="how often users come",
    reads=("user_features",),
    writes=("user_habits",),
    run=run,
    config=Configuration((HABITS,), compose_config),
    tables=lambda _config, _results: (USER_HABITS,),
    checks=check_config,
    result=Result(
        "user_habits",
        rules=("habit",),
        snapshot={"habit": "habit"},
        groups={"habit": Group("habit")},
    ),
    explain=EXPLAIN,
    section=SECTION,
)
