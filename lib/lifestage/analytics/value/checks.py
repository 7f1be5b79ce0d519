"""Checks of value.yaml."""

from collections.abc import Iterator, Mapping, Sequence

from lifestage.analytics.value.config import VALUE, ValueConfig
from lifestage.analytics.value.rfm import names_by_cell
from lifestage.platform.config.checks import bad_names, join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.result import DomainResult, rule_columns
from lifestage.users.identity.regrouping import Regrouped


def check_config(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the problems of RFM, of the index, and of the tiers."""
    value, features = config.of(ValueConfig), rule_columns(results)
    problems = (*_rfm_problems(value, features), *_index_problems(value))
    yield from prefix_file(config.folder / VALUE.name, problems)


def declare_expressions(config: Config, results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the components of the index."""
    file, features = config.folder / VALUE.name, rule_columns(results)
    for name, dimension in config.of(ValueConfig).index.dimensions.items():
        for component, sql in dimension.components.items():
            key = f"index.dimensions.{name}.components.{component}"
            yield Expression(file, key, sql, features, ExpressionKind.NUMBER)


def _rfm_problems(config: ValueConfig, features: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the R x F map, and the features of the period that are hidden."""
    rfm = config.rfm
    for pattern in rfm.names:
        if not any(names_by_cell({pattern: pattern}).values()):
            yield f"rfm.names.{pattern}: matches no cell, expected two digits of 1 to 5 such as 51 or [1-2][3-4]"
    for (r, f), names in names_by_cell(rfm.names).items():
        if len(names) != 1:
            yield f"rfm.names: cell {r}{f} has {len(names)} names ({join_names(names)}), expected exactly one"
    needed = {f"occasions_{rfm.period_days}d", f"net_amount_{rfm.period_days}d", "recency_days"}
    for name in sorted(needed - features.keys()):
        yield f"rfm.period_days: needs the feature {name}: do not hide its window in features.yaml"


def _index_problems(config: ValueConfig) -> Iterator[str]:
    """Yield what is wrong with the names of components and tiers."""
    for name in sorted({tier.tier for tier in config.tiers} & {*Regrouped}):
        yield f"tiers: {name} is a name that is reserved for users who merged or split: choose another name"
    for name, dimension in config.index.dimensions.items():
        yield from bad_names([name, *dimension.components])
