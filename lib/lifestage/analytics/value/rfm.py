"""RFM: recency, frequency and monetary value over one period, scored by quintile and named by the R x F map."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.analytics.value.config import RfmConfig
from lifestage.platform.runtime.frames import local_rows
from lifestage.users.resolution import IS_PERSON

N_SCORES = 5
# With fewer scores in use, ties decide the cell of a user, and its name says nothing about them.
LEAST_SCORES = 3
INSUFFICIENT_VARIETY = "insufficient variety"
NAMING_MEASURES = ("recency", "frequency")
MEASURES = {"recency": "recency_days", "frequency": "frequency", "monetary": "_monetary"}
AS_OF_MEASURE = ("as_of", "measure")


def to_rfm(features: DataFrame, config: RfmConfig, *carried: Column) -> DataFrame:
    """Return one row per user and as_of with recency, frequency and monetary value of the period.

    Drops users whose status is `shared`. Users without a purchase occasion in the period have NULL measures. Recency is
    in days (0 = as_of), frequency in occasions, monetary_amount in business currency, and _monetary in minor units.

    Args:
        features: Rows of user_features, unique per user_id and as_of.
        config: The period.
        carried: Further columns of `features` to keep.
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


def to_rfm_cuts(rfm: DataFrame, config: RfmConfig) -> DataFrame:
    """Return one row per as_of, measure and score that occurs: its cut point and its number of users.

    score = 1 + floor(5 x share of users with a strictly worse value), where worse means more days, fewer occasions or
    less spend. Users with NULL measures don't count. Equal values share a score, and because the scores come from counts
    by distinct value, they are exact for any row order. The cut point, least_value, is the worst value with the score.

    Where the configuration fixes the cut points of a measure, they replace the quintiles, and scores without users have
    a row too.

    Args:
        rfm: The result of `to_rfm`, unique per user_id and as_of.
        config: The fixed cut points, if any.
    """
    scores = _add_quintile_score(_count_values(rfm))
    if config.cuts:
        scores = _replace_score(scores, config.cuts)
    worst = F.when(F.col("measure") == "recency", F.max("value")).otherwise(F.min("value"))
    cuts = scores.groupBy(*AS_OF_MEASURE, "score").agg(
        worst.cast("bigint").alias("least_value"), F.sum("n").alias("n_users")
    )
    return _replace_cut_points(cuts, config.cuts) if config.cuts else cuts


def add_scores(rfm: DataFrame, cuts: DataFrame, config: RfmConfig, history_starts_on: date) -> DataFrame:
    """Add rfm_status, the three scores (1 to 5, 5 is best) and the name of the R x F cell; all rows stay.

    The status is insufficient_data for everybody on an as_of with fewer scored users than `min_users` or fewer days of
    history than `min_history_days`, else not_scored for users with NULL measures, else scored. Scores and name are NULL
    unless the status is scored.

    The name is `insufficient variety` for everybody on an as_of where ties leave fewer than three different scores of
    recency or of frequency. Fixed cut points have a meaning of their own, so a measure with them always has variety.

    Args:
        rfm: The result of `to_rfm`.
        cuts: Rows of rfm_cuts, unique per as_of, measure and score (at most 15 for each date).
        config: Minimum data, and the names of the cells.
        history_starts_on: The first date with data.
    """
    rows = rfm.join(F.broadcast(_to_cut_lists(cuts)), on="as_of", how="left")
    has_history = F.datediff("as_of", F.lit(history_starts_on)) >= config.min_history_days
    is_sufficient = has_history & (F.coalesce("_n_scored", F.lit(0)) >= config.min_users)
    status = F.when(~is_sufficient, F.lit("insufficient_data"))
    status = status.when(F.col("frequency").isNull(), F.lit("not_scored")).otherwise(F.lit("scored"))
    rows = rows.withColumn("rfm_status", status)
    is_scored = F.col("rfm_status") == "scored"
    scores = {
        f"{measure[0]}_score": F.when(is_scored, _score(measure, MEASURES[measure])) for measure in MEASURES
    }
    has_variety = _has_variety([measure for measure in NAMING_MEASURES if measure not in config.cuts])
    name = F.when(has_variety, _cell_name(config.names)).otherwise(
        F.when(is_scored, F.lit(INSUFFICIENT_VARIETY))
    )
    return rows.withColumns(scores).withColumn("rfm_name", name)


def names_by_cell(names: Mapping[str, str]) -> dict[tuple[int, int], list[str]]:
    """Return each cell (r, f) of the R x F map with the names whose pattern matches it: one each in a valid map."""
    grid = [(r, f) for r in range(1, N_SCORES + 1) for f in range(1, N_SCORES + 1)]
    return {
        (r, f): [name for pattern, name in names.items() if re.fullmatch(pattern, f"{r}{f}")] for r, f in grid
    }


def _count_values(rfm: DataFrame) -> DataFrame:
    """Count users per as_of, measure and distinct value: days of recency, occasions, or minor units."""
    with_occasion = rfm.where(F.col("frequency").isNotNull())
    pairs = [
        F.struct(F.lit(m).alias("measure"), F.col(c).cast("bigint").alias("value"))
        for m, c in MEASURES.items()
    ]
    values = with_occasion.select("as_of", F.explode(F.array(*pairs)).alias("pair")).select("as_of", "pair.*")
    return values.groupBy(*AS_OF_MEASURE, "value").agg(F.count("*").alias("n"))


def _add_quintile_score(counts: DataFrame) -> DataFrame:
    goodness = F.when(F.col("measure") == "recency", -F.col("value")).otherwise(F.col("value"))
    group = Window.partitionBy(*AS_OF_MEASURE)
    worse = group.orderBy("_goodness").rowsBetween(Window.unboundedPreceding, -1)
    ranked = counts.withColumn("_goodness", goodness).withColumns(
        {"_worse": F.coalesce(F.sum("n").over(worse), F.lit(0)), "_all": F.sum("n").over(group)}
    )
    # Whole numbers: a rounded share could put a user on the wrong side of a cut point.
    return ranked.withColumn("score", F.expr(f"CAST(1 + ({N_SCORES} * _worse) DIV _all AS INT)"))


def _replace_score(scores: DataFrame, cuts: Mapping[str, Sequence[int]]) -> DataFrame:
    """Replace the score of each measure that has fixed cut points: 1 plus the number of cut points reached."""
    score = F.col("score")
    for measure, bounds in cuts.items():
        fixed = F.lit(1)
        for bound in bounds:
            fixed = fixed + F.when(_reaches(measure, F.col("value"), F.lit(bound)), 1).otherwise(0)
        score = F.when(F.col("measure") == measure, fixed).otherwise(score)
    return scores.withColumn("score", score.cast("int"))


def _replace_cut_points(cuts: DataFrame, fixed: Mapping[str, Sequence[int]]) -> DataFrame:
    """Replace found cut points by the fixed ones, and add a row for each score without users, on every date."""
    bounds = [(measure, score, bound) for measure, of in fixed.items() for score, bound in enumerate(of, 2)]
    rows = F.broadcast(local_rows(cuts.sparkSession, bounds, "measure string, score int, bound bigint"))
    by_date = cuts.select("as_of").distinct().crossJoin(rows)
    joined = cuts.join(by_date, on=[*AS_OF_MEASURE, "score"], how="full")
    least = F.coalesce("bound", "least_value").alias("least_value")
    return joined.select(*AS_OF_MEASURE, "score", least, F.coalesce("n_users", F.lit(0)).alias("n_users"))


def _reaches(measure: str, value: Column, bound: Column) -> Column:
    """Return whether the value is at least as good as the cut point; for recency, fewer days are better."""
    return value <= bound if measure == "recency" else value >= bound


def _to_cut_lists(cuts: DataFrame) -> DataFrame:
    """Return one row per as_of: a list of (score, cut point) for each measure, and the number of scored users."""
    pair = F.struct("score", "least_value")
    lists = [F.collect_list(F.when(F.col("measure") == m, pair)).alias(f"_{m}_cuts") for m in MEASURES]
    n_scored = F.sum(F.when(F.col("measure") == "recency", F.col("n_users"))).alias("_n_scored")
    return cuts.groupBy("as_of").agg(*lists, n_scored)


def _has_variety(measures: Sequence[str]) -> Column:
    """Return whether each measure has enough different scores on the date; its cut points are those of scores in use."""
    return reduce(and_, [F.size(f"_{measure}_cuts") >= LEAST_SCORES for measure in measures], F.lit(True))


def _score(measure: str, column: str) -> Column:
    """Return the greatest score whose cut point the value reaches; 1 if it reaches none, as with cuts of another date."""
    met = F.filter(
        F.col(f"_{measure}_cuts"), lambda cut: _reaches(measure, F.col(column), cut["least_value"])
    )
    return F.coalesce(F.array_max(F.transform(met, lambda cut: cut["score"])), F.lit(1))


def _cell_name(names: Mapping[str, str]) -> Column:
    pairs = [
        part for (r, f), found in names_by_cell(names).items() for part in (F.lit(f"{r}{f}"), F.lit(found[0]))
    ]
    cell = F.concat(F.col("r_score").cast("string"), F.col("f_score").cast("string"))
    return F.try_element_at(F.create_map(*pairs), cell)
