"""The declaration of lifecycle stages."""

from collections.abc import Iterator, Mapping

from lifestage.analytics.stages.checks import check_config, declare_expressions
from lifestage.analytics.stages.config import LADDER, StageLadder, compose_config
from lifestage.analytics.stages.explain import EXPLAIN
from lifestage.analytics.stages.section import SECTION
from lifestage.analytics.stages.step import run
from lifestage.analytics.stages.tables import STAGE_TOTALS, USER_STAGES
from lifestage.platform.domain import Configuration, Domain
from lifestage.platform.plurals import count_of
from lifestage.platform.result import Candidate, Check, Group, Result, Strategy


def strategies(config: StageLadder) -> Mapping[str, Mapping[str, Strategy]]:
    """Return the strategy of each stage."""
    return {"stage": {rung.stage: rung.strategy for rung in config.ladder}}


def check_snapshot(candidate: Candidate) -> Iterator[Check]:
    """Check that every user has a stage."""
    n_without = candidate.n_null("stage")
    yield Check("everyone has a stage", n_without == 0, f"{count_of(n_without, 'user')} without")


DOMAIN = Domain(
    name="stages",
    does="ordered rules over features",
    reads=("user_features",),
    writes=("user_stages", "stage_totals"),
    run=run,
    config=Configuration((LADDER,), compose_config),
    tables=lambda _config, _results: (USER_STAGES, STAGE_TOTALS),
    checks=check_config,
    expressions=declare_expressions,
    result=Result(
        "user_stages",
        rules=("stage",),
        snapshot={"stage": "stage", "stage_rule": "rule", "stage_matched": "matched"},
        groups={"stage": Group("stage")},
        strategies=strategies,
        check=check_snapshot,
    ),
    explain=EXPLAIN,
    section=SECTION,
)
