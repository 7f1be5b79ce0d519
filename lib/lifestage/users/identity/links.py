"""Links: pairs of identifiers with the first date of their evidence."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import materialize
from lifestage.users.identity.evidence import KEY
from lifestage.users.pairs import PAIR, PAIR_TYPES


def to_links(link_days: DataFrame) -> DataFrame:
    """Rows of `links`: every pair that has evidence, with its first date."""
    return link_days.groupBy(*PAIR, *PAIR_TYPES).agg(F.min("event_date").alias("first_on"))


def diff_links(before: DataFrame, after: DataFrame) -> DataFrame:
    """a, b and the earlier first_on of every link that is added, removed, or changes its first date."""
    old = before.select(*PAIR, F.col("first_on").alias("first_before"))
    both = after.join(old, on=[*PAIR], how="full").where("NOT first_on <=> first_before")
    return both.select(*PAIR, F.least("first_on", "first_before").alias("first_on"))


def find_changed_links(links: DataFrame, link_days: DataFrame, changes: DataFrame) -> DataFrame:
    """Links that changes of evidence add, remove or date anew.

    The first date is counted again only for links that lose evidence of their first date; for all others the earlier
    of two dates holds, and `link_days` is not read for them.

    Args:
        links: as they are.
        link_days: as they are, before `changes` apply.
        changes: added and removed evidence (see diff_evidence).

    Returns:
        The columns of `links`, and first_before. first_on is NULL where a link is removed, first_before where one is
        added.
    """
    removed, added = materialize(changes.where("n IS NULL")), changes.where("n_before IS NULL")
    pairs = changes.select(*PAIR, *PAIR_TYPES).distinct()
    first_before = F.col("first_on").alias("first_before")
    known = materialize(links.join(F.broadcast(pairs.select(*PAIR)), on=[*PAIR]).select(*PAIR, first_before))
    lost_first = removed.join(known, on=[*PAIR]).where("event_date <= first_before")
    recounted = materialize(lost_first.select(*PAIR, "first_before").distinct())
    dates = (
        added.select(*PAIR, "event_date")
        .unionByName(_remaining_dates(link_days, recounted, removed))
        .unionByName(
            known.join(recounted, on=[*PAIR], how="left_anti").withColumnRenamed("first_before", "event_date")
        )
    )
    first = dates.groupBy(*PAIR).agg(F.min("event_date").alias("first_on"))
    both = pairs.join(first, on=[*PAIR], how="left").join(known, on=[*PAIR], how="left")
    return both.where("NOT first_on <=> first_before")


def _remaining_dates(link_days: DataFrame, recounted: DataFrame, removed: DataFrame) -> DataFrame:
    """a, b and event_date of the evidence that is left of some links; only the months from their first date are read."""
    [[since]] = recounted.agg(F.trunc(F.min("first_before"), "month")).collect()
    later = link_days.where(F.col("event_month") >= F.lit(since).cast("date"))
    left = later.join(recounted, on=[*PAIR], how="left_semi").join(removed, on=[*KEY], how="left_anti")
    return left.select(*PAIR, "event_date")
