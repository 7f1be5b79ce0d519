"""Two snapshots against each other: who came, who went, and who moved where, with their value."""

from collections.abc import Iterable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.result import DomainResult, Group
from lifestage.users.identity.regrouping import Regrouped

MOVES = ("kind", "moved_from", "moved_to", "n_users", "value")


def groups_to_compare(results: Iterable[DomainResult]) -> dict[str, Group]:
    """The kinds of groups whose moves a difference lists."""
    return {kind: group for each in results for kind, group in each.groups.items() if group.is_compared}


def diff(before: DataFrame, after: DataFrame, others: DataFrame, groups: Mapping[str, Group]) -> DataFrame:
    """One row per user of either snapshot: `change` is in, out or both, with each stage, tier, segment and value.

    Columns end in _before and _after; they are NULL on the side where the user is not, which is_before and is_after
    tell. Both frames are unique per user_id. Users who merged or split between the two, the `others` (see find_regrouped_users), have that as change; but for them
    the difference of A and B and that of B and C compose to that of A and C.
    """
    names = [name for group in groups.values() for name in (group.column, group.key) if name]
    columns = (*dict.fromkeys(names), "monetary_amount")
    sides = [
        frame.select(
            "user_id", F.lit(True).alias(f"is_{side}"), *[F.col(c).alias(f"{c}_{side}") for c in columns]
        )
        for frame, side in ((before, "before"), (after, "after"))
    ]
    joined = sides[0].join(sides[1], on="user_id", how="full")
    is_there = {f"is_{side}": F.coalesce(f"is_{side}", F.lit(False)) for side in ("before", "after")}
    change = F.when(~F.col("is_before"), "in").when(~F.col("is_after"), "out").otherwise("both")
    found = joined.withColumns(is_there).join(
        others.select("user_id", F.col("change").alias("_other")), on="user_id", how="left"
    )
    return found.withColumn("change", F.coalesce("_other", change)).drop("_other")


def changes(difference: DataFrame) -> DataFrame:
    """Users on either side and value of those who came in, went out, are in both, merged or split; at most six rows.

    Users who merged are more before than after, so that each column adds up to its snapshot. Value is the net spend in
    the period of RFM, after the change where the user is still there; that of users who merged or split is what they have
    after it.
    """
    n_before, n_after = F.count_if("is_before"), F.count_if("is_after")
    return difference.groupBy("change").agg(n_before.alias("n_before"), n_after.alias("n_after"), _value())


def moves(difference: DataFrame, groups: Mapping[str, Group]) -> DataFrame:
    """Users and value per kind, from and to, of those in both snapshots who moved; NULL where they are in none."""
    options = [
        F.struct(
            F.lit(kind).alias("kind"),
            F.col(f"{group.column}_before").alias("moved_from"),
            F.col(f"{group.column}_after").alias("moved_to"),
            F.col(f"{group.key or group.column}_before")
            .eqNullSafe(F.col(f"{group.key or group.column}_after"))
            .alias("stayed"),
        )
        for kind, group in groups.items()
    ]
    both = difference.where("change = 'both'")
    pairs = both.select(
        "change", "monetary_amount_before", "monetary_amount_after", F.inline(F.array(*options))
    )
    return (
        pairs.where("NOT stayed")
        .groupBy("kind", "moved_from", "moved_to")
        .agg(F.count("*").alias("n_users"), _value())
    )


def _value() -> Column:
    # What a user had who merged is part of what the other has.
    gone = F.when(~F.col("change").isin([*Regrouped]), F.col("monetary_amount_before"))
    latest = F.coalesce("monetary_amount_after", gone, F.lit(0).cast("decimal(18,2)"))
    return F.sum(latest).cast("decimal(18,2)").alias("value")
