"""RFM: recency, frequency and spend over one period, scored by share, named by the R x F map."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.value.config import RfmConfig
from lifestage.platform.runtime.frames import local_rows
from lifestage.users.resolution import IS_PERSON

N_SCORES = 5
MEASURES = {"recency": "recency_days", "frequency": "frequency", "monetary": "_monetary"}
AS_OF_MEASURE = ("as_of", "measure")


def to_rfm(features: DataFrame, config: RfmConfig, *carried: Column) -> DataFrame:
    """One row per user and as_of with recency, frequency and spend of the period; every user not shared is kept.

    Users without an occasion in the period have NULL measures and are not scored. `carried` are further columns.
    """
    days = config.period_days
    has_occasion = F.col(f"occasions_{days}d") > 0
    return features.where(IS_PERSON).select(
        "user_id",
        "as_of",
        F.lit(days).alias("rfm_period_days"),
        F.when(has_occasion, F.col("recency_days")).alias("recency_days"),
        F.when(has_occasion, F.col(f"occasions_{days}d")).alias("frequency"),
        F.when(has_occasion, F.col(f"net_amount_{days}d")).alias("monetary_amount"),
        F.expr(f"CASE WHEN occasions_{days}d > 0 THEN try_divide(net_amount_{days}d, occasions_{days}d) END")
        .cast("decimal(18,2)")
        .alias("mean_occasion_amount"),
        F.expr(f"CASE WHEN occasions_{days}d > 0 THEN CAST(net_amount_{days}d * 100 AS BIGINT) END").alias(
            "_monetary"
        ),
        *carried,
    )


def cut_points(rfm: DataFrame, config: RfmConfig) -> DataFrame:
    """Per as_of and measure, the worst value of each score that occurs; score = 1 + floor(5 x share strictly worse).

    Worst is the longest recency, the fewest occasions, the least spend. From counts by distinct value, so exact and
    the same for any row order; equal values share a score. Configured cuts take the place of the shares, and are the
    worst values themselves, also of scores that nobody has.
    """
    counts = _value_counts(rfm)
    scored = _by_share(counts)
    if config.cuts:
        scored = _by_cuts(scored, config.cuts)
    worst = F.when(F.col("measure") == "recency", F.max("value")).otherwise(F.min("value"))
    found = scored.groupBy(*AS_OF_MEASURE, "score").agg(
        worst.cast("bigint").alias("least_value"), F.sum("n").alias("n_users")
    )
    return _with_bounds(found, config.cuts) if config.cuts else found


def add_scores(rfm: DataFrame, cuts: DataFrame, config: RfmConfig, history_starts_on: date) -> DataFrame:
    """Adds rfm_status, the three scores and the name of the R x F cell.

    With fewer scored users than `min_users` or less history than `min_history_days` nobody is scored:
    insufficient_data. `cuts` is unique per as_of, measure and score (at most 15 rows a date).
    """
    rows = rfm.join(F.broadcast(_cuts_by_date(cuts)), on="as_of", how="left")
    has_history = F.datediff("as_of", F.lit(history_starts_on)) >= config.min_history_days
    enough = has_history & (F.coalesce("_n_scored", F.lit(0)) >= config.min_users)
    status = F.when(~enough, F.lit("insufficient_data"))
    status = status.when(F.col("frequency").isNull(), F.lit("not_scored")).otherwise(F.lit("scored"))
    rows = rows.withColumn("rfm_status", status)
    is_scored = F.col("rfm_status") == "scored"
    scores = {
        f"{measure[0]}_score": F.when(is_scored, _score(measure, MEASURES[measure])) for measure in MEASURES
    }
    return rows.withColumns(scores).withColumn("rfm_name", _cell_name(config.names))


def cells(names: Mapping[str, str]) -> dict[tuple[int, int], list[str]]:
    """Every cell of the R x F map with the names that claim it: exactly one each in a sound map."""
    grid = [(r, f) for r in range(1, N_SCORES + 1) for f in range(1, N_SCORES + 1)]
    return {
        (r, f): [name for pattern, name in names.items() if re.fullmatch(pattern, f"{r}{f}")] for r, f in grid
    }


def _value_counts(rfm: DataFrame) -> DataFrame:
    """Users per as_of, measure and distinct value; values of recency are days, of spend minor units."""
    scored = rfm.where(F.col("frequency").isNotNull())
    pairs = [
        F.struct(F.lit(m).alias("measure"), F.col(c).cast("bigint").alias("value"))
        for m, c in MEASURES.items()
    ]
    values = scored.select("as_of", F.explode(F.array(*pairs)).alias("pair")).select("as_of", "pair.*")
    return values.groupBy(*AS_OF_MEASURE, "value").agg(F.count("*").alias("n"))


def _by_share(counts: DataFrame) -> DataFrame:
    goodness = F.when(F.col("measure") == "recency", -F.col("value")).otherwise(F.col("value"))
    group = Window.partitionBy(*AS_OF_MEASURE)
    worse = group.orderBy("_goodness").rowsBetween(Window.unboundedPreceding, -1)
    ranked = counts.withColumn("_goodness", goodness).withColumns(
        {"_worse": F.coalesce(F.sum("n").over(worse), F.lit(0)), "_all": F.sum("n").over(group)}
    )
    # Whole numbers: 1 + floor(5 * worse / all) without a rounded share between.
    return ranked.withColumn("score", F.expr(f"CAST(1 + ({N_SCORES} * _worse) DIV _all AS INT)"))


def _by_cuts(scored: DataFrame, cuts: Mapping[str, Sequence[int]]) -> DataFrame:
    score = F.col("score")
    for measure, bounds in cuts.items():
        met = [F.when(_reaches(measure, F.col("value"), F.lit(bound)), 1).otherwise(0) for bound in bounds]
        custom = F.lit(1)
        for one in met:
            custom = custom + one
        score = F.when(F.col("measure") == measure, custom).otherwise(score)
    return scored.withColumn("score", score.cast("int"))


def _with_bounds(found: DataFrame, cuts: Mapping[str, Sequence[int]]) -> DataFrame:
    """The scores from 2 on of configured measures with their bounds, on every date."""
    bounds = [(measure, score, bound) for measure, of in cuts.items() for score, bound in enumerate(of, 2)]
    rows = F.broadcast(local_rows(found.sparkSession, bounds, "measure string, score int, bound bigint"))
    every = found.select("as_of").distinct().crossJoin(rows)
    joined = found.join(every, on=[*AS_OF_MEASURE, "score"], how="full")
    least = F.coalesce("bound", "least_value").alias("least_value")
    return joined.select(*AS_OF_MEASURE, "score", least, F.coalesce("n_users", F.lit(0)).alias("n_users"))


def _reaches(measure: str, value: Column, bound: Column) -> Column:
    return value <= bound if measure == "recency" else value >= bound


def _cuts_by_date(cuts: DataFrame) -> DataFrame:
    """One row per as_of: for each measure its (score, worst value) pairs, and how many users are scored."""
    pair = F.struct("score", "least_value")
    lists = [F.collect_list(F.when(F.col("measure") == m, pair)).alias(f"_{m}_cuts") for m in MEASURES]
    n_scored = F.sum(F.when(F.col("measure") == "recency", F.col("n_users"))).alias("_n_scored")
    return cuts.groupBy("as_of").agg(*lists, n_scored)


def _score(measure: str, column: str) -> Column:
    """The greatest score whose worst value is met; who is worse than everybody has the least."""
    met = F.filter(
        F.col(f"_{measure}_cuts"), lambda cut: _reaches(measure, F.col(column), cut["least_value"])
    )
    return F.coalesce(F.array_max(F.transform(met, lambda cut: cut["score"])), F.lit(1))


def _cell_name(names: Mapping[str, str]) -> Column:
    pairs = [part for (r, f), found in cells(names).items() for part in (F.lit(f"{r}{f}"), F.lit(found[0]))]
    cell = F.concat(F.col("r_score").cast("string"), F.col("f_score").cast("string"))
    return F.try_element_at(F.create_map(*pairs), cell)
