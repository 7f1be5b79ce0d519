"""Buyers with fixed defaults, and the scores of a population."""

from datetime import date
from decimal import Decimal

from lifestage.core.yaml_files import packaged_yaml
from lifestage.tables.catalogue import Catalogue
from lifestage.tables.features import user_features
from lifestage.value.config import RfmConfig
from lifestage.value.rfm import add_scores, cut_points, to_rfm
from support.frames import build

D = date(2026, 6, 30)
HISTORY_STARTS = date(2026, 1, 1)
FEATURES = user_features(Catalogue.model_validate(packaged_yaml("features.yaml")))
SHIPPED = RfmConfig.model_validate(packaged_yaml("value.yaml")["rfm"])


def config(**changes):
    return RfmConfig.model_validate({**SHIPPED.model_dump(), "min_users": 1, **changes})


def buyer(user_id="u1", recency=10, frequency=1, spend="10.00", as_of=D, status="active", days=365):
    """A user with so many occasions of the period; none if `frequency` is 0."""
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
    return add_scores(rfm, cut_points(rfm, of), of, history_starts_on)


def scores(spark, rows, of=None):
    return scored(buyers(spark, rows), of)
