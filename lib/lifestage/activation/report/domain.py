"""The declaration of the report."""

from lifestage.activation.report.checks import check_config
from lifestage.activation.report.config import REPORT, compose_config
from lifestage.activation.report.step import run
from lifestage.platform.domain import Configuration, Domain

DOMAIN = Domain(
    name="report",
    does="one self-contained HTML file",
    reads=(
        "ingest_ledger",
        "events",
        "user_features",
        "user_stages",
        "stage_totals",
        "user_value",
        "value_scales",
        "user_segments",
        "audience_definitions",
        "user_audiences",
        "snapshots",
        "runs",
        "identity_map",
        "identity_past",
        "identity_changes",
    ),
    writes=(),
    run=run,
    config=Configuration((REPORT,), compose_config, is_meaning=False),
    tables=lambda _config, _results: (),
    checks=check_config,
)
