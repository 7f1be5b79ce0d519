"""The domain `profiles`."""

from lifestage.platform.domain import REFERENCES, Configuration, Domain
from lifestage.users.catalogue.model import CATALOGUE
from lifestage.users.profiles.checks import check_config, declare_expressions
from lifestage.users.profiles.config import compose_config
from lifestage.users.profiles.explain import EXPLAIN
from lifestage.users.profiles.step import run
from lifestage.users.profiles.tables import user_profiles

DOMAIN = Domain(
    name="profiles",
    does="attributes of users from customer records",
    reads=(REFERENCES, "ingest_ledger", "identity_map", "identity_past"),
    writes=("user_profiles",),
    run=run,
    config=Configuration((CATALOGUE,), compose_config),
    tables=lambda config, _results: (user_profiles(config.parts[CATALOGUE]),),
    checks=check_config,
    expressions=declare_expressions,
    explain=EXPLAIN,
)
