"""Builders of rows, configurations and models with fixed defaults."""

from datetime import date
from decimal import Decimal
from random import Random

import numpy as np

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import Segment, SegmentModel
from lifestage.analytics.segments.scaling import ScaledFeature

D = date(2026, 6, 30)

USER_FEATURES = (
    "user_id string, as_of date, spend decimal(18,2), visits bigint, share double, is_member boolean"
)


def user(user_id="u1", as_of=D, spend=10, visits=3, share=0.5, is_member=True):
    amount = None if spend is None else Decimal(str(spend))
    return (user_id, as_of, amount, visits, share, is_member)


def frame(spark, rows, partitions=1):
    return spark.createDataFrame(rows, USER_FEATURES).repartition(partitions)


FEATURES = (
    {"name": "spend", "expression": "spend", "log": True, "high": "high spend", "low": "low spend"},
    {"name": "visits", "expression": "visits", "log": True, "high": "many visits", "low": "few visits"},
    {"name": "share", "expression": "share", "high": "discounts", "low": "full price"},
)


def config(**changes):
    values = {
        "eligible": "is_member",
        "features": FEATURES,
        "k": [2, 4],
        "seed": 7,
        "starts": 5,
        "coreset": 50_000,
        "refinements": 3,
        "min_users": 10,
        "clip": [1, 99],
        "min_segment_share": 0.05,
        "training": {"every": "month"},
    }
    return SegmentsConfig.model_validate({**values, **changes})


def grouped_users(n=300, as_of=D, shift=1.0):
    """Three groups of users: big spenders who come often, occasional bargain hunters, and the rest."""
    random = Random(3)
    centres = [(400.0, 40, 0.1), (15.0, 3, 0.8), (60.0, 10, 0.3)]
    rows = []
    for index in range(n):
        spend, visits, share = centres[index % 3]
        rows.append(
            user(
                f"u{index:04}",
                as_of,
                round(spend * shift * random.uniform(0.7, 1.4), 2),
                int(visits * random.uniform(0.7, 1.4)),
                min(1.0, share * random.uniform(0.7, 1.4)),
            )
        )
    return rows


def feature(
    name="spend", expression="spend", log=False, median=0.0, low=-100.0, high=100.0, mean=0.0, scale=1.0
):
    return ScaledFeature(name, expression, log, median, low, high, mean, scale)


def model(
    centroids, ids=None, features=None, names=None, retired_ids=(), trained_on=D, features_hash="space"
):
    """Build a model of the given centroids in scaled units. With the default features, a value is its own coordinate."""
    dimensions = len(centroids[0])
    features = features or tuple(feature(f"f{index}", f"f{index}") for index in range(dimensions))
    ids = ids or list(range(1, len(centroids) + 1))
    names = names or [f"segment {each}" for each in ids]
    segments = tuple(
        Segment(each, name, tuple(map(float, centroid)), 10)
        for each, name, centroid in zip(ids, names, centroids, strict=True)
    )
    return SegmentModel(
        model_id="",
        trained_on=trained_on,
        features_hash=features_hash,
        seed=7,
        n_users=10 * len(ids),
        k=len(ids),
        scores=(),
        features=features,
        segments=segments,
        retired_ids=tuple(retired_ids),
    ).with_model_id()


def blobs(n, dimensions, groups, seed, spread=1.0):
    """Standardised points around random centres, as coordinates in grid steps (dimensions x points)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, dimensions)) * 2
    points = centres[rng.integers(0, groups, n)] + rng.normal(size=(n, dimensions)) * spread
    return np.rint((points - points.mean(axis=0)) / points.std(axis=0) * 2**16).T.copy()
