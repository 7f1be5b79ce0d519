"""Checks of stages.yaml."""

from collections.abc import Iterator, Mapping, Sequence

from lifestage.analytics.stages.config import LADDER, StageLadder
from lifestage.analytics.stages.reachability import find_unreachable
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.platform.config.checks import bad_names, join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.result import DomainResult, rule_columns
from lifestage.users.identity.regrouping import Regrouped

# A view is a column beside these when stages are read.
OF_HISTORY = {*USER_STAGES.names, "observed_since", "previous_stage"}


def check_config(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of the ladder."""
    ladder = config.of(StageLadder)
    problems = [*_name_problems(ladder), *_feature_problems(rule_columns(results))]
    # Reachability can only be decided over sound conditions.
    if not any([*each.problems()] for each in declare_expressions(config, results)):
        problems += _unreachable_stages(ladder)
    yield from prefix_file(config.folder / LADDER.name, problems)


def declare_expressions(config: Config, results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the conditions of the ladder."""
    file, features = config.folder / LADDER.name, rule_columns(results)
    for number, rung in enumerate(config.of(StageLadder).ladder):
        yield Expression(
            file, f"ladder.{number} ({rung.stage})", rung.when, features, ExpressionKind.CONDITION
        )


def _feature_problems(features: Mapping[str, str]) -> Iterator[str]:
    if "net_amount_30d" not in features:
        yield "stage_totals: needs the feature net_amount_30d: declare its window in features.yaml"


def _unreachable_stages(ladder: StageLadder) -> Iterator[str]:
    for stage in find_unreachable([(rung.stage, rung.when) for rung in ladder.ladder]):
        yield f"ladder: no user can ever reach {stage}: an earlier condition always wins or its own never holds"


def _name_problems(ladder: StageLadder) -> Iterator[str]:
    """Yield what is wrong with the names of stages, their order of display, and the views."""
    names = [rung.stage for rung in ladder.ladder]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"ladder: stage {name} is defined twice"
    for name in sorted({*names} & {*Regrouped}):
        yield f"ladder: stage {name} has a name that is reserved for users who merged or split: choose another name"
    if sorted(ladder.display) != sorted(names):
        yield f"display: expected each stage once: {join_names(names)}"
    yield from bad_names(ladder.views)
    for view, mapping in ladder.views.items():
        if view in OF_HISTORY:
            yield f"views.{view}: stages have a column of that name"
        if set(mapping) != set(names):
            yield f"views.{view}: expected each stage once: {join_names(names)}"
