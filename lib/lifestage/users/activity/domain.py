"""The domain `activity`."""

from lifestage.platform.domain import REFERENCES, Configuration, Domain, Meaning
from lifestage.users.activity.checks import check_config, declare_expressions
from lifestage.users.activity.config import ACTIVITY, ActivityConfig, compose_config
from lifestage.users.activity.explain import EXPLAIN
from lifestage.users.activity.step import run
from lifestage.users.activity.tables import CATEGORY_DAYS, activity_days
from lifestage.users.catalogue.model import CATALOGUE


def meaning(config: ActivityConfig) -> str:
    """A hash of the settings that decide the content of a stored subject-day."""
    return config.meaning


DOMAIN = Domain(
    name="activity",
    does="one row of measures per subject and day",
    reads=("events", "event_versions", "ingest_ledger", REFERENCES),
    writes=("activity_days", "category_days"),
    run=run,
    config=Configuration((CATALOGUE, ACTIVITY), compose_config),
    tables=lambda config, _results: (activity_days(config.parts[CATALOGUE]), CATEGORY_DAYS),
    checks=check_config,
    expressions=declare_expressions,
    meaning=Meaning("activity_days", meaning),
    explain=EXPLAIN,
)
