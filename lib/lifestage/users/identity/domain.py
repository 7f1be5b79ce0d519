"""The domain `identity`."""

from lifestage.platform.domain import REFERENCES, Configuration, Domain
from lifestage.users.identity.checks import check_config
from lifestage.users.identity.config import IDENTITY, compose_config
from lifestage.users.identity.diagnose import diagnose_identities
from lifestage.users.identity.explain import EXPLAIN
from lifestage.users.identity.section import SECTION
from lifestage.users.identity.step import run
from lifestage.users.identity.tables import (
    IDENTITY_CHANGES,
    IDENTITY_MAP,
    IDENTITY_PAST,
    IDENTITY_SUSPICIONS,
    LINK_DAYS,
    LINKS,
)

TABLES = (LINK_DAYS, LINKS, IDENTITY_MAP, IDENTITY_CHANGES, IDENTITY_PAST, IDENTITY_SUSPICIONS)

DOMAIN = Domain(
    name="identity",
    does="identity resolution across channels",
    reads=("events", "event_versions", "ingest_ledger", REFERENCES, "matches", "runs"),
    writes=tuple(table.name for table in TABLES),
    run=run,
    config=Configuration((IDENTITY,), compose_config),
    tables=lambda _config, _results: TABLES,
    checks=check_config,
    explain=EXPLAIN,
    diagnose=diagnose_identities,
    section=SECTION,
)
