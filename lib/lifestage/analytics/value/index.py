"""The value index: components scaled between the 5th and 95th percentile of scored users, weighed twice."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.value.config import IndexConfig
from lifestage.platform.runtime.frames import local_rows

LOW, HIGH = 5, 95
DECIMALS = 4
COMPONENT = ("as_of", "dimension", "component")


def components(index: IndexConfig) -> Column:
    """What the switched-on dimensions are made of, as a map of `dimension.component` to a number; NULL stays NULL."""
    pairs = [
        part
        for dimension, component, _ in _terms(index)
        for part in (
            F.lit(f"{dimension}.{component}"),
            F.expr(index.dimensions[dimension].components[component]).cast("double"),
        )
    ]
    return F.create_map(*pairs).alias("components")


def component_scales(scored: DataFrame, index: IndexConfig) -> DataFrame:
    """One row per as_of and component: weight, percentiles, and how many users it says something about.

    Args:
        scored: scored users with `components`, unique per user_id and as_of.
        index: dimensions and weights.

    p5 and p95 are the least values whose cumulative share is at least 5 and 95 %, NULL counted as 0. Both come from
    counts by distinct value, so they are exact and the same for any row order.
    """
    values = scored.select("as_of", F.explode("components").alias("name", "given"))
    counts = values.groupBy("as_of", "name", F.coalesce("given", F.lit(0.0)).alias("value")).agg(
        F.count("*").alias("n"), F.count_if(F.col("given") != 0).alias("n_known")
    )
    group = Window.partitionBy("as_of", "name")
    ranked = counts.withColumns(
        {"_up_to": F.sum("n").over(group.orderBy("value")), "_all": F.sum("n").over(group)}
    )
    least = {
        f"p{share}": F.min(F.when(F.col("_up_to") * 100 >= F.col("_all") * share, F.col("value")))
        for share in (LOW, HIGH)
    }
    scales = ranked.groupBy("as_of", "name").agg(
        *[value.alias(name) for name, value in least.items()],
        F.sum("n").alias("n_users"),
        F.sum("n_known").alias("n_known"),
    )
    return scales.join(F.broadcast(_weights(scored, index)), on="name").drop("name")


def add_index(scored: DataFrame, scales: DataFrame, index: IndexConfig) -> DataFrame:
    """Adds value_index, 0 to 1 with four decimals; NULL for users who are not scored.

    `scales` is unique per as_of and component. Each component is clip((x - p5) / (p95 - p5), 0, 1), 0 where both
    percentiles are equal. Terms are added in the order of their names: the same bits for any configuration file.
    """
    pair = F.struct(F.concat_ws(".", "dimension", "component"), F.struct("p5", "p95"))
    by_date = scales.groupBy("as_of").agg(F.map_from_entries(F.collect_list(pair)).alias("_scales"))
    total = F.lit(0.0)
    for dimension, component, weight in _terms(index):
        total = total + F.lit(weight) * _scaled(f"{dimension}.{component}")
    value = F.when(F.col("rfm_status") == "scored", F.round(total, DECIMALS).cast("decimal(5,4)"))
    return scored.join(F.broadcast(by_date), on="as_of", how="left").withColumn("value_index", value)


def parts_of(given: Mapping[str, float | None], scales: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each component gives to one user's index, the greatest first: the same arithmetic as `add_index`.

    Args:
        given: the user's `components`.
        scales: rows of value_scales of the date.
    """
    found = []
    for scale in scales:
        value = given.get(f"{scale['dimension']}.{scale['component']}") or 0.0
        width = scale["p95"] - scale["p5"]
        share = min(max((value - scale["p5"]) / width, 0.0), 1.0) if width else 0.0
        part = {name: scale[name] for name in ("dimension", "component", "weight", "p5", "p95")}
        found.append({**part, "value": value, "share": share, "gives": scale["weight"] * share})
    return sorted(found, key=lambda part: (-part["gives"], part["dimension"], part["component"]))


def _scaled(name: str) -> Column:
    given = F.coalesce(F.try_element_at("components", F.lit(name)), F.lit(0.0))
    scale = F.try_element_at("_scales", F.lit(name))
    share = F.try_divide(given - scale["p5"], scale["p95"] - scale["p5"])
    return F.coalesce(F.least(F.greatest(share, F.lit(0.0)), F.lit(1.0)), F.lit(0.0))


def _terms(index: IndexConfig) -> list[tuple[str, str, float]]:
    """Dimension, component and the product of their weights, by name."""
    of_dimensions = index.weighing.weights
    return [
        (dimension, component, of_dimensions[dimension] * weight)
        for dimension in sorted(index.enabled)
        for component, weight in sorted(index.dimensions[dimension].weighing.weights.items())
    ]


def _weights(scored: DataFrame, index: IndexConfig) -> DataFrame:
    """Per component its weight in the index, and the consistency of the comparisons behind both of its weights."""
    of_index = index.weighing
    rows = [
        (
            f"{dimension}.{component}",
            dimension,
            component,
            weight,
            of_index.consistency_index,
            of_index.consistency_ratio,
            index.dimensions[dimension].weighing.consistency_index,
            index.dimensions[dimension].weighing.consistency_ratio,
        )
        for dimension, component, weight in _terms(index)
    ]
    schema = (
        "name string, dimension string, component string, weight double, dimensions_ci double, dimensions_cr double, "
        "components_ci double, components_cr double"
    )
    return local_rows(scored.sparkSession, rows, schema)
