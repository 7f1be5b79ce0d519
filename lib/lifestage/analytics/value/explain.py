"""RFM and tier of one user with what they are measured by, and what hypotheses would make of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.value.config import ValueConfig
from lifestage.analytics.value.index import (
    add_index,
    component_expressions,
    components_column,
    index_contributions,
)
from lifestage.analytics.value.rfm import INSUFFICIENT_VARIETY, LEAST_SCORES, add_scores, to_rfm
from lifestage.analytics.value.tiers import add_tier
from lifestage.platform.explain import BLANK, Explain, Line, ResultColumn, format_days
from lifestage.platform.hypotheses import Hypotheses
from lifestage.platform.user_rows import Scope, UserFrames, UserRows

RFM = (
    "rfm_status",
    "rfm_name",
    "rfm_period_days",
    "r_score",
    "f_score",
    "m_score",
    "recency_days",
    "frequency",
    "monetary_amount",
)


def explain_value(rows: UserRows, config: ValueConfig) -> dict[str, Any]:
    """RFM with the cut points of the date; the tier with what each component adds to the index."""
    value = rows.row("user_value")
    return {"rfm": _rfm(value, rows), "tier": _tier(value, rows, config)}


def show_value(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """RFM in days and money, then the tier, if the user has one."""
    yield BLANK
    yield from _rfm_lines(answer["rfm"])
    if answer["tier"]["name"] is not None:
        yield BLANK
        yield from _tier_lines(answer["tier"])


def assume_value(hypotheses: Hypotheses, config: ValueConfig) -> dict[str, DataFrame]:
    """RFM and tier under each hypothesis, by the cut points and scales of the date."""
    cuts, scales, tiers = map(hypotheses.repeat_on_dates, ("rfm_cuts", "value_scales", "tier_cuts"))
    rfm = to_rfm(hypotheses.tables["user_features"], config.rfm, components_column(config.index))
    scored = add_scores(rfm, cuts, config.rfm, config.history_starts_on)
    return {"user_value": add_tier(add_index(scored, scales, config.index), tiers)}


def find_median_of_users(rows: UserFrames, _config: ValueConfig) -> int | None:
    """The median of users' mean occasion value in the period of RFM."""
    users = rows.read("user_value").where(F.col("as_of") == F.lit(rows.as_of))
    minor = "CAST(mean_occasion_amount * 100 AS BIGINT)"
    row = users.selectExpr(f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {minor}) AS median").first()
    return int(row["median"]) if row and row["median"] is not None else None


EXPLAIN = Explain(
    reads={
        "user_features": Scope.USER,
        "user_value": Scope.USER,
        "rfm_cuts": Scope.DATE,
        "value_scales": Scope.DATE,
        "tier_cuts": Scope.DATE,
    },
    answer=explain_value,
    lines=show_value,
    assume=assume_value,
    results=(ResultColumn("user_value", "rfm_name", "RFM"), ResultColumn("user_value", "tier", "tier")),
    typical_purchase=find_median_of_users,
)


def _rfm(value: Mapping[str, Any], rows: UserRows) -> dict[str, Any]:
    # At most five scores of three measures.
    cuts = sorted(rows.tables["rfm_cuts"], key=lambda row: (row["measure"], row["score"]))
    return {
        **{name: value.get(name) for name in RFM},
        "cut_points": [{name: row[name] for name in ("measure", "score", "least_value")} for row in cuts],
    }


def _tier(value: Mapping[str, Any], rows: UserRows, config: ValueConfig) -> dict[str, Any]:
    parts = []
    if value.get("tier") and rows.tables["user_features"]:
        given = rows.evaluate("user_features", component_expressions(config.index))
        parts = index_contributions(given, rows.tables["value_scales"])
    bounds = sorted(rows.tables["tier_cuts"], key=lambda row: row["least_index"])
    return {
        "name": value.get("tier"),
        "value_index": value.get("value_index"),
        "parts": parts,
        "least_index": {row["tier"]: row["least_index"] for row in bounds},
    }


def _rfm_lines(rfm: Mapping[str, Any]) -> Iterator[Line]:
    if rfm["rfm_status"] != "scored":
        yield "RFM", str(rfm["rfm_status"] or "none").replace("_", " ")
        return
    yield "RFM", f"{rfm['rfm_name']}: R{rfm['r_score']} F{rfm['f_score']} M{rfm['m_score']}"
    bought = f"bought on {format_days(rfm['frequency'])} of {rfm['rfm_period_days']}"
    last = f"the last {format_days(rfm['recency_days'])} ago"
    yield "", f"{bought}, {last}, {rfm['monetary_amount']:,} net"
    if rfm["rfm_name"] == INSUFFICIENT_VARIETY:
        yield (
            "",
            f"so many buyers are equal that fewer than {LEAST_SCORES} scores of R or F are in use: nobody has a name",
        )


def _tier_lines(tier: Mapping[str, Any]) -> Iterator[Line]:
    yield "tier", f"{tier['name']}: index {tier['value_index']}"
    yield "  from", ", ".join(f"{name} {least}" for name, least in reversed(tier["least_index"].items()))
    names = [f"{part['dimension']}.{part['component']}" for part in tier["parts"]]
    for name, part in zip(names, tier["parts"], strict=True):
        gives = f"gives {part['gives']:.4f} of {part['weight']:<6g}"
        yield "", f"{name:<{max(map(len, names))}}  {gives}  at {part['value']:,g}"
