"""What is decided by rules over features: stages, value, segments, audiences."""

from collections.abc import Iterable, Iterator

from lifestage.activation.audiences.membership import OF_SEGMENT, OF_STAGE, OF_VALUE
from lifestage.analytics.segments.config import expression_problems
from lifestage.analytics.segments.tables import USER_SEGMENTS
from lifestage.analytics.stages.reachability import unreachable
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.analytics.value.rfm import cells
from lifestage.analytics.value.tables import USER_VALUE
from lifestage.platform.config.expressions import condition_problems, number_problems
from lifestage.project.checks.expressions import listed, misnamed
from lifestage.project.checks.features import features_of
from lifestage.project.settings import Config
from lifestage.users.identity.regrouping import Regrouped

# Columns beside which the views of a stage stand when they are read.
OF_HISTORY = {*USER_STAGES.names, "observed_since", "previous_stage"}
OF_OTHER_STEPS = [
    column
    for table, names in ((USER_STAGES, OF_STAGE), (USER_VALUE, OF_VALUE), (USER_SEGMENTS, OF_SEGMENT))
    for column in table.columns
    if column.name in names
]


def stage_problems(config: Config) -> Iterator[str]:
    """stages.yaml: conditions, names and views, and a stage that nobody can reach."""
    ladder = config.stages
    names = [rung.stage for rung in ladder.ladder]
    found = [
        f"ladder.{number} ({rung.stage}): {problem}"
        for number, rung in enumerate(ladder.ladder)
        for problem in condition_problems(rung.when, features_of(config))
    ]
    yield from found
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"ladder: stage {name} is defined twice"
    yield from _taken("ladder: stage", names)
    if "net_amount_30d" not in features_of(config):
        yield "stage_totals: needs the feature net_amount_30d: declare its window in features.yaml"
    if sorted(ladder.display) != sorted(names):
        yield f"display: expected each stage once: {listed(names)}"
    yield from misnamed(ladder.views)
    for view, mapping in ladder.views.items():
        if view in OF_HISTORY:
            yield f"views.{view}: stages have a column of that name"
        if set(mapping) != set(names):
            yield f"views.{view}: expected each stage once: {listed(names)}"
    if not found:
        for stage in unreachable([(rung.stage, rung.when) for rung in ladder.ladder]):
            yield f"ladder: no user can ever reach {stage}: an earlier condition always wins or its own never holds"


def _taken(what: str, names: Iterable[str]) -> Iterator[str]:
    for name in sorted({*names} & {*Regrouped}):
        yield f"{what} {name} is what users are called whom evidence put together or apart: choose another name"


def rfm_problems(config: Config) -> Iterator[str]:
    """value.yaml: the map of recency and frequency, and the features behind its period."""
    rfm = config.value.rfm
    for pattern in rfm.names:
        if not any(cells({pattern: pattern}).values()):
            yield f"rfm.names.{pattern}: matches no cell, expected two digits of 1 to 5 such as 51 or [1-2][3-4]"
    for (r, f), names in cells(rfm.names).items():
        if len(names) != 1:
            yield f"rfm.names: cell {r}{f} has {len(names)} names ({listed(names)}), expected exactly one"
    needed = {f"occasions_{rfm.period_days}d", f"net_amount_{rfm.period_days}d", "recency_days"}
    for name in sorted(needed - features_of(config).keys()):
        yield f"rfm.period_days: needs the feature {name}: declare its window in features.yaml"


def index_problems(config: Config) -> Iterator[str]:
    """value.yaml: the components of the index, and the names of tiers."""
    yield from _taken("tiers:", [tier.tier for tier in config.value.tiers])
    for name, dimension in config.value.index.dimensions.items():
        yield from misnamed([name, *dimension.components])
        for component, sql in dimension.components.items():
            for problem in number_problems(sql, features_of(config)):
                yield f"index.dimensions.{name}.components.{component}: {problem}"


def segment_problems(config: Config) -> Iterator[str]:
    """segments.yaml: the dimensions and who is eligible."""
    yield from expression_problems(config.segments, features_of(config))


def audience_problems(config: Config) -> Iterator[str]:
    """audiences.yaml: the rules."""
    known = features_of(config) | {column.name: column.type.simpleString() for column in OF_OTHER_STEPS}
    for name, audience in config.audiences.audiences.items():
        yield from misnamed([name])
        for problem in condition_problems(audience.when, known):
            yield f"audiences.{name}.when: {problem}"
