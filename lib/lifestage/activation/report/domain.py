"""The declaration of the report."""

from lifestage.activation.report.checks import check_config
from lifestage.activation.report.config import REPORT, compose_config
from lifestage.activation.report.step import run
from lifestage.platform.domain import SECTIONS, Configuration, Domain

DOMAIN = Domain(
    name="report",
    does="one self-contained HTML file",
    reads=(SECTIONS, "runs"),
    writes=(),
    run=run,
    config=Configuration((REPORT,), compose_config, affects_results=False),
    tables=lambda _config, _results: (),
    checks=check_config,
)
