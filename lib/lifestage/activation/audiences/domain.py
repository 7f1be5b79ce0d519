"""The declaration of audiences."""

from collections.abc import Mapping

from lifestage.activation.audiences.checks import check_config, declare_expressions
from lifestage.activation.audiences.config import AUDIENCES, AudiencesConfig, compose_config
from lifestage.activation.audiences.explain import EXPLAIN
from lifestage.activation.audiences.growth import check_growth
from lifestage.activation.audiences.section import SECTION
from lifestage.activation.audiences.step import run
from lifestage.activation.audiences.tables import AUDIENCE_DEFINITIONS, AUDIENCE_TOTALS, USER_AUDIENCES
from lifestage.platform.domain import RESULTS, Configuration, Domain
from lifestage.platform.result import Group, Result, Strategy


def strategies(config: AudiencesConfig) -> Mapping[str, Mapping[str, Strategy]]:
    """Return the strategy of each audience."""
    return {"audience": {name: audience.strategy for name, audience in config.audiences.items()}}


DOMAIN = Domain(
    name="audiences",
    does="rules over all of these",
    reads=(RESULTS, "runs"),
    writes=("audience_definitions", "user_audiences", "audience_totals"),
    run=run,
    config=Configuration((AUDIENCES,), compose_config),
    tables=lambda _config, _results: (AUDIENCE_DEFINITIONS, USER_AUDIENCES, AUDIENCE_TOTALS),
    checks=check_config,
    expressions=declare_expressions,
    result=Result(
        "user_audiences",
        snapshot={"audiences": "audience"},
        is_listed=True,
        groups={"audience": Group("audiences", is_compared=False)},
        strategies=strategies,
        compare=check_growth,
        check_reads=("audience_definitions",),
    ),
    explain=EXPLAIN,
    section=SECTION,
)
