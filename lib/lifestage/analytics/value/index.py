"""The value index: a weighted sum of components, scaled between the 5th and 95th percentile of scored users."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.value.config import IndexConfig
from lifestage.platform.runtime.frames import local_rows

LOW, HIGH = 5, 95
DECIMALS = 4
COMPONENT = ("as_of", "dimension", "component")


def components_column(index: IndexConfig) -> Column:
    """Return the column `components`, a map of `dimension.component` to a number, for the enabled dimensions.

    NULL stays NULL.
    """
    pairs = [
        part
        for name, sql in component_expressions(index).items()
        for part in (F.lit(name), F.expr(sql).cast("double"))
    ]
    return F.create_map(*pairs).alias("components")


def component_expressions(index: IndexConfig) -> dict[str, str]:
    """Return the SQL of each component of the enabled dimensions by `dimension.component`, sorted by name."""
    return {
        f"{dimension}.{component}": index.dimensions[dimension].components[component]
        for dimension, component, _ in _terms(index)
    }


def to_value_scales(scored: DataFrame, index: IndexConfig) -> DataFrame:
    """Return one row per as_of and component: its weight, p5, p95, and the users with a value that isn't NULL or 0.

    p5 and p95 are the least values with a cumulative share of at least 5 % and 95 %; NULL counts as 0. Both come from
    counts by distinct value, so they are exact for any row order.

    Args:
        scored: Scored users with the column `components`, unique per user_id and as_of.
        index: Dimensions and weights.
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
    return scales.join(F.broadcast(_to_weights(scored, index)), on="name").drop("name")


def add_index(scored: DataFrame, scales: DataFrame, index: IndexConfig) -> DataFrame:
    """Add value_index, 0 to 1 with four decimals; all rows stay, and users who aren't scored get NULL.

    The index is the weighted sum of clip((x - p5) / (p95 - p5), 0, 1) over all components, where NULL counts as 0 and a
    component with p5 = p95 is 0. The terms are added in the order of their names, so that the order in the configuration
    file doesn't change a bit of the sum.

    Args:
        scored: The result of `add_scores`, with the column `components`.
        scales: Rows of value_scales, unique per as_of and component.
        index: Dimensions and weights.
    """
    pair = F.struct(F.concat_ws(".", "dimension", "component"), F.struct("p5", "p95"))
    by_date = scales.groupBy("as_of").agg(F.map_from_entries(F.collect_list(pair)).alias("_scales"))
    total = F.lit(0.0)
    for dimension, component, weight in _terms(index):
        total = total + F.lit(weight) * _scale(f"{dimension}.{component}")
    value = F.when(F.col("rfm_status") == "scored", F.round(total, DECIMALS).cast("decimal(5,4)"))
    return scored.join(F.broadcast(by_date), on="as_of", how="left").withColumn("value_index", value)


def index_contributions(
    given: Mapping[str, Any], scales: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the contribution of each component to one user's index, by the same arithmetic as `add_index`.

    The greatest contribution comes first; ties go by name. Each has the component's row of value_scales, the user's value
    (NULL counts as 0), its scaled `share` of 0 to 1, and what it `gives`: weight x share.

    Args:
        given: The user's `components`.
        scales: Rows of value_scales of the date.
    """
    found = []
    for scale in scales:
        value = float(given.get(f"{scale['dimension']}.{scale['component']}") or 0.0)
        width = scale["p95"] - scale["p5"]
        share = min(max((value - scale["p5"]) / width, 0.0), 1.0) if width else 0.0
        part = {name: scale[name] for name in ("dimension", "component", "weight", "p5", "p95")}
        found.append({**part, "value": value, "share": share, "gives": scale["weight"] * share})
    return sorted(found, key=lambda part: (-part["gives"], part["dimension"], part["component"]))


def _scale(name: str) -> Column:
    """Scale a component to 0 to 1 between its percentiles."""
    given = F.coalesce(F.try_element_at("components", F.lit(name)), F.lit(0.0))
    scale = F.try_element_at("_scales", F.lit(name))
    share = F.try_divide(given - scale["p5"], scale["p95"] - scale["p5"])
    return F.coalesce(F.least(F.greatest(share, F.lit(0.0)), F.lit(1.0)), F.lit(0.0))


def _terms(index: IndexConfig) -> list[tuple[str, str, float]]:
    """Return each dimension and component with the product of their weights, sorted by name."""
    of_dimensions = index.weighing.weights
    return [
        (dimension, component, of_dimensions[dimension] * weight)
        for dimension in sorted(index.enabled)
        for component, weight in sorted(index.dimensions[dimension].weighing.weights.items())
    ]


def _to_weights(scored: DataFrame, index: IndexConfig) -> DataFrame:
    """Return one row per component: its weight in the index, and the consistency of the comparisons behind it."""
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
