"""Compare our k-means with those of pyspark.ml and scikit-learn on the same points."""

from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pyspark.sql import DataFrame, SparkSession

from benchmark.figures import say
from benchmark.sizes import OUT
from benchmark.usage import measure_usage
from lifestage.analytics.segments.assignment import assign_segments
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.grid import grid_columns
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.scaling import GRID, to_coordinates
from lifestage.analytics.segments.training import train_model
from lifestage.platform.runtime.session import build_session

AS_OF = date(2026, 1, 31)
N_FEATURES = 12
N_GROUPS = 8
N_STARTS = 20
N_REPEATS = 3
Numbers = np.ndarray[Any, Any]
NAMES = [f"x{number}" for number in range(N_FEATURES)]


def compare_kmeans(n_users: int) -> dict[str, Any]:
    """Measure ours (choose k, train, assign), and the others for the k that ours chose; inertia is over all points."""
    folder = OUT / f"kmeans-{n_users}"
    write_users(folder / "users.parquet", n_users)
    spark = build_session()
    users = spark.read.parquet(str(folder / "users.parquet"))
    config = kmeans_config()
    found: dict[str, Any] = {"users": n_users, "features": N_FEATURES}
    runs = []
    for _ in range(N_REPEATS):
        with measure_usage() as used:
            model = train_model(users, config, AS_OF, None)
            assert model is not None
            # A sink that keeps nothing: what is measured is the work, not the disk.
            assign_segments(users, {AS_OF: model}, config).write.format("noop").mode("overwrite").save()
        runs.append(used)
        say(f"  {'ours':<12} {used['seconds']:8.1f} s")
    points = collect_points(users, model)
    found["ours"] = {"runs": runs, "k": model.k, "inertia": inertia(points, model.centroids / GRID)}
    write_points(folder / "points.parquet", points)
    found["pyspark.ml"] = fit_pyspark(spark, folder / "points.parquet", points, model.k)
    found["scikit-learn"] = fit_sklearn(points, model.k)
    return found


def fit_pyspark(spark: SparkSession, path: Path, points: Numbers, k: int) -> dict[str, Any]:
    """Measure pyspark.ml: fit one k, and assign."""
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.feature import VectorAssembler

    runs = []
    for _ in range(N_REPEATS):
        with measure_usage() as used:
            rows = VectorAssembler(inputCols=NAMES, outputCol="features").transform(
                spark.read.parquet(str(path))
            )
            fitted = KMeans(k=k, seed=1).fit(rows)
            fitted.transform(rows).select("prediction").write.format("noop").mode("overwrite").save()
        runs.append(used)
        say(f"  {'pyspark.ml':<12} {used['seconds']:8.1f} s")
    return {"runs": runs, "inertia": inertia(points, np.array(fitted.clusterCenters()))}


def fit_sklearn(points: Numbers, k: int) -> dict[str, Any]:
    """Measure scikit-learn: fit one k with many starts, once, because it takes long, and assign."""
    from sklearn.cluster import KMeans

    with measure_usage() as used:
        fitted = KMeans(k, n_init=N_STARTS, random_state=1).fit(points)
        fitted.predict(points)
    say(f"  {'scikit-learn':<12} {used['seconds']:8.1f} s")
    return {"runs": [used], "inertia": inertia(points, fitted.cluster_centers_)}


def inertia(points: Numbers, centroids: Numbers) -> float:
    """The sum of squared distances to the nearest centroid, for points in rows."""
    return sum(
        float(((block[:, None, :] - centroids[None]) ** 2).sum(axis=2).min(axis=1).sum())
        for block in np.array_split(points, max(1, len(points) // 10_000))
    )


def collect_points(users: DataFrame, model: SegmentModel) -> Numbers:
    """The scaled points that the model was trained on, one row per user."""
    columns = grid_columns((each.expression, each.log) for each in model.features)
    return (to_coordinates(users.select(*columns).toArrow().columns, model.features) / GRID).T


def write_points(path: Path, points: Numbers) -> None:
    """Write points with one column per feature."""
    pq.write_table(pa.table(dict(zip(NAMES, points.T, strict=True))), path)


def write_users(path: Path, n_users: int) -> None:
    """Write users of several overlapping groups; the same number gives the same users."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    centres = random.normal(0, 2, (N_GROUPS, N_FEATURES))
    groups = random.choice(N_GROUPS, n_users, p=np.arange(1, N_GROUPS + 1) / sum(range(1, N_GROUPS + 1)))
    points = centres[groups] + random.normal(0, 1, (n_users, N_FEATURES))
    users = pa.table(
        {
            "user_id": [f"{number:032x}" for number in range(n_users)],
            "as_of": pa.repeat(AS_OF, n_users),
            **dict(zip(NAMES, points.T, strict=True)),
        }
    )
    pq.write_table(users, path)


def kmeans_config() -> SegmentsConfig:
    """The packaged parameters, with these features for all users."""
    packaged = (resources.files("lifestage") / "analytics/segments/defaults.yaml").read_text(encoding="utf-8")
    features = [
        {"name": name, "expression": name, "high": f"high {name}", "low": f"low {name}"} for name in NAMES
    ]
    return SegmentsConfig.model_validate(
        {**yaml.safe_load(packaged), "eligible": "true", "features": features}
    )
