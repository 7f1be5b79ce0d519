"""The declaration of value."""

from collections.abc import Iterator, Mapping

from pyspark.sql import functions as F

from lifestage.analytics.value.checks import check_config, declare_expressions
from lifestage.analytics.value.config import VALUE, ValueConfig, add_period_windows, compose_config
from lifestage.analytics.value.explain import EXPLAIN
from lifestage.analytics.value.section import SECTION
from lifestage.analytics.value.step import run
from lifestage.analytics.value.tables import (
    RFM_CUTS,
    SPEND_SHARES,
    TIER_CUTS,
    USER_VALUE,
    VALUE_SCALES,
    VALUE_TOTALS,
)
from lifestage.platform.domain import Configuration, Domain
from lifestage.platform.plurals import count_of
from lifestage.platform.result import Candidate, Check, Group, Result, Strategy

SNAPSHOT_COLUMNS = (
    "rfm_name",
    "r_score",
    "f_score",
    "m_score",
    "value_index",
    "tier",
    "monetary_amount",
)


def strategies(config: ValueConfig) -> Mapping[str, Mapping[str, Strategy]]:
    """Return the strategy of each tier."""
    return {"tier": {tier.tier: tier.strategy for tier in config.tiers}}


def check_snapshot(candidate: Candidate) -> Iterator[Check]:
    """Check that every enabled dimension, and every component of it, has data for some user.

    What has no data lowers the index of everybody by its weight, so it must be switched off or left out.
    """
    scales = candidate.read("value_scales").where(F.col("as_of") == F.lit(candidate.as_of))
    # Bounded: one row for each component.
    parts = (
        scales.select("dimension", "component", "n_known", "weight")
        .orderBy("dimension", "component")
        .collect()
    )
    known = {row["dimension"]: 0 for row in parts}
    for row in parts:
        known[row["dimension"]] = max(known[row["dimension"]], row["n_known"])
    empty = [
        f"{name} has no data for any user: switch it off "
        f"(value.yaml: index.dimensions.{name}.enabled: false), or add a source that feeds it"
        for name, n in known.items()
        if not n
    ]
    empty += [
        f"{row['dimension']}.{row['component']} has no data for any user, and lowers every index by up to "
        f"{row['weight']:.2g}: leave it out (value.yaml: index.dimensions.{row['dimension']}.components), "
        "or add a source that feeds it"
        for row in parts
        if not row["n_known"] and known[row["dimension"]]
    ]
    counts = ", ".join(f"{name} for {count_of(n, 'user')}" for name, n in known.items()) or "nobody is scored"
    yield Check("value dimensions have data", not empty, "; ".join(empty) or counts)


DOMAIN = Domain(
    name="value",
    does="RFM, value index, tiers",
    reads=("user_features",),
    writes=("rfm_cuts", "value_scales", "tier_cuts", "user_value", "value_totals", "spend_shares"),
    run=run,
    config=Configuration((VALUE,), compose_config, extend=add_period_windows),
    tables=lambda _config, _results: (
        USER_VALUE,
        VALUE_TOTALS,
        SPEND_SHARES,
        RFM_CUTS,
        VALUE_SCALES,
        TIER_CUTS,
    ),
    checks=check_config,
    expressions=declare_expressions,
    result=Result(
        "user_value",
        rules=("rfm_status", "r_score", "f_score", "m_score", "rfm_name", "value_index", "tier"),
        snapshot={name: name for name in SNAPSHOT_COLUMNS},
        groups={"rfm": Group("rfm_name", is_compared=False), "tier": Group("tier")},
        strategies=strategies,
        check=check_snapshot,
        check_reads=("value_scales",),
    ),
    explain=EXPLAIN,
    section=SECTION,
)
