"""Who is in which audience, and who entered, stayed or left since the date before."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.config.expressions import columns_of
from lifestage.platform.storage.contracts import MONEY
from lifestage.users.resolution import IS_PERSON

KEY = ["user_id", "as_of"]


def to_candidates(features: DataFrame, results: Sequence[tuple[Sequence[str], DataFrame]]) -> DataFrame:
    """One row per user and as_of with every column that rules may use; users of status `shared` are left out.

    Args:
        features: rows of user_features, unique per user_id and as_of.
        results: the columns that rules may use of each result, with its rows, unique per user_id and as_of.
    """
    users = features.where(IS_PERSON)
    for columns, frame in results:
        users = users.join(frame.select(*KEY, *columns), on=KEY, how="left")
    return users


def members(users: DataFrame, rules: Mapping[date, Mapping[str, str]]) -> DataFrame:
    """One row per audience, user and as_of: who meets the rule of that date, and the values that matched.

    NULL counts as false. Dates with the same rules are one pass.
    """
    passes: dict[tuple[tuple[str, str], ...], list[date]] = {}
    for day, of_day in rules.items():
        passes.setdefault(tuple(sorted(of_day.items())), []).append(day)
    found = [_members(users.where(F.col("as_of").isin(*days)), of_days) for of_days, days in passes.items()]
    return reduce(DataFrame.unionByName, found)


def build_totals(memberships: DataFrame, value: DataFrame) -> DataFrame:
    """One row per as_of and audience with members: its users, and their net spend. A NULL spend counts as 0.

    `memberships` are unique per audience, user_id and as_of, `value` per user_id and as_of.
    """
    spend = value.select(*KEY, "monetary_amount", "rfm_period_days")
    rows = memberships.select("audience", *KEY).join(spend, on=KEY, how="left")
    return rows.groupBy("as_of", "audience").agg(
        F.count("*").alias("n_users"),
        F.coalesce(F.sum("monetary_amount"), F.lit(0)).cast(MONEY).alias("monetary_amount"),
        F.max("rfm_period_days").alias("period_days"),
    )


def add_movement(memberships: DataFrame, dates: DataFrame, others: DataFrame) -> DataFrame:
    """Who entered, stayed or left each audience at each as_of, against the as_of before it.

    Args:
        memberships: unique per audience, user_id and as_of, of every date of `dates`.
        dates: the as_of dates that were built, once each.
        others: users who merged or split since the date before (see find_regrouped_users): that is their movement.

    Rows of who left carry the as_of on which they were no longer in. On the first date everybody entered.
    """
    following = dates.select(
        F.col("as_of"), F.lead("as_of").over(Window.orderBy("as_of")).alias("_next"),
        F.lag("as_of").over(Window.orderBy("as_of")).alias("_previous"),
    )  # fmt: skip
    life = Window.partitionBy("audience", "user_id").orderBy("as_of")
    rows = memberships.join(F.broadcast(following), on="as_of", how="inner").withColumns(
        {"_before": F.lag("as_of").over(life), "_after": F.lead("as_of").over(life)}
    )
    stayed = F.col("_before").eqNullSafe(F.col("_previous")) & F.col("_previous").isNotNull()
    inside = rows.withColumn("movement", F.when(stayed, "stayed").otherwise("entered"))
    is_last = F.col("_next").isNotNull() & ~F.col("_after").eqNullSafe(F.col("_next"))
    left = rows.where(is_last).withColumns({"as_of": F.col("_next"), "movement": F.lit("left")})
    columns = (*memberships.columns, "movement")
    moved = inside.select(*columns).unionByName(left.select(*columns)).join(others, on=KEY, how="left")
    is_another = F.col("change").isNotNull() & (F.col("movement") != "stayed")
    return moved.withColumn(
        "movement", F.when(is_another, F.col("change")).otherwise(F.col("movement"))
    ).drop("change")


def _members(users: DataFrame, rules: tuple[tuple[str, str], ...]) -> DataFrame:
    candidates = [_membership(audience, sql) for audience, sql in rules]
    schema = "array<struct<audience:string,matched:map<string,string>>>"
    met = F.filter(F.array(*candidates).cast(schema), lambda each: each.isNotNull())
    return users.select(*KEY, F.inline(met)).select("audience", *KEY, "matched")


def _membership(audience: str, sql: str) -> Column:
    pairs = [part for name in sorted(columns_of(sql)) for part in (F.lit(name), F.expr(name).cast("string"))]
    matched = F.create_map(*pairs).cast("map<string,string>")
    return F.when(F.expr(sql), F.struct(F.lit(audience).alias("audience"), matched.alias("matched")))
