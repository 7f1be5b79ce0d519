"""The declaration of value."""

from collections.abc import Iterator, Mapping

from pyspark.sql import functions as F

from lifestage.analytics.value.checks import check_config
from lifestage.analytics.value.config import VALUE, ValueConfig, compose_config
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
    """Check that every enabled dimension has data for some user.

    A dimension without data lowers the index of everybody by its weight, so it must be switched off.
    """
    scales = candidate.read("value_scales").where(F.col("as_of") == F.lit(candidate.as_of))
    # Bounded: one row for each dimension.
    known = scales.groupBy("dimension").agg(F.max("n_known").alias("n")).orderBy("dimension").collect()
    empty = [
        f"{row['dimension']} has no data for any user: switch it off "
        f"(value.yaml: index.dimensions.{row['dimension']}.enabled: false), or add a source that feeds it"
        for row in known
        if not row["n"]
    ]
    counts = (
        ", ".join(f"{row['dimension']} for {count_of(row['n'], 'user')}" for row in known)
        or "nobody is scored"
    )
    yield Check("value dimensions have data", not empty, "; ".join(empty) or counts)


DOMAIN = Domain(
    name="value",
    does="RFM, value index, tiers",
    reads=("user_features",),
    writes=("rfm_cuts", "value_scales", "tier_cuts", "user_value", "value_totals", "spend_shares"),
    run=run,
    config=Configuration((VALUE,), compose_config),
    tables=lambda _config, _results: (
        USER_VALUE,
        VALUE_TOTALS,
        SPEND_SHARES,
        RFM_CUTS,
        VALUE_SCALES,
        TIER_CUTS,
    ),
    checks=check_config,
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
