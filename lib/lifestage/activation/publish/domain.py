"""The declaration of publication."""

from lifestage.activation.publish.config import PUBLISH, compose_config
from lifestage.activation.publish.destinations import check_config
from lifestage.activation.publish.section import SECTION
from lifestage.activation.publish.step import run
from lifestage.activation.publish.tables import SNAPSHOTS, snapshot_users
from lifestage.platform.domain import RESULT_CHECKS, RESULTS, Configuration, Domain

DOMAIN = Domain(
    name="publish",
    does="check, freeze",
    reads=(
        RESULTS,
        RESULT_CHECKS,
        "identity_map",
        "identity_past",
        "identity_changes",
        "identity_suspicions",
    ),
    writes=("snapshot_users", "snapshots"),
    run=run,
    config=Configuration((PUBLISH,), compose_config),
    tables=lambda _config, results: (SNAPSHOTS, snapshot_users(results)),
    checks=check_config,
    section=SECTION,
)
