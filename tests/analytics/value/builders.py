"""Builders of buyers with fixed defaults, and of their scores, index and tiers."""

from datetime import date
from decimal import Decimal

from lifestage.analytics.value.config import IndexConfig, RfmConfig, Tier
from lifestage.analytics.value.index import add_index, components_column, to_value_scales
from lifestage.analytics.value.rfm import add_scores, to_rfm, to_rfm_cuts
from lifestage.analytics.value.tiers import add_tier, to_tier_cuts
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.tables import user_features
from support.frames import build

D = date(2026, 6, 30)
HISTORY_STARTS = date(2026, 1, 1)
FEATURES = user_features(Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml")))
SHIPPED = RfmConfig.model_validate(packaged_yaml("analytics/value/defaults.yaml")["rfm"])


def config(**changes):
    return RfmConfig.model_validate({**SHIPPED.model_dump(), "min_users": 1, **changes})


def buyer(user_id="u1", recency=10, frequency=1, spend="10.00", as_of=D, status="active", days=365):
    """Build a user with `frequency` occasions in the period."""
    return {
        "user_id": user_id,
        "as_of": as_of,
        "status": status,
        "recency_days": recency,
        f"occasions_{days}d": frequency,
        f"net_amount_{days}d": Decimal(spend),
    }


def buyers(spark, rows):
    return build(spark, FEATURES, rows)


def scored(features, of=None, history_starts_on=HISTORY_STARTS):
    of = of or config()
    rfm = to_rfm(features, of)
    return add_scores(rfm, to_rfm_cuts(rfm, of), of, history_starts_on)


def scores(spark, rows, of=None):
    return scored(buyers(spark, rows), of)


SPEND_ALONE = {
    "weights": {"economic": 1},
    "dimensions": {"economic": {"components": {"spend": "net_amount_365d"}, "weights": {"spend": 1}}},
}


def index_of(**changes):
    return IndexConfig.model_validate({**SPEND_ALONE, **changes})


def valued(spark, rows, index=None):
    """Return the users with their index, and the scales."""
    index = index or index_of()
    of = config()
    rfm = to_rfm(buyers(spark, rows), of, components_column(index))
    scores_of = add_scores(rfm, to_rfm_cuts(rfm, of), of, HISTORY_STARTS)
    scales = to_value_scales(scores_of.where("rfm_status = 'scored'"), index)
    return add_index(scores_of, scales, index), scales


def tiered(spark, rows, *bounds, by="from_share"):
    """Return the users with tiers t0, t1, and so on by these lower bounds, and the cut points."""
    tiers = [Tier(tier=f"t{n}", **{by: bound}) for n, bound in enumerate(bounds)]
    tiers.append(Tier(tier=f"t{len(bounds)}"))
    users, _ = valued(spark, rows)
    cuts = to_tier_cuts(users, tiers)
    return add_tier(users, cuts), cuts
