"""Evidence: which identifiers were seen together, on which date and by which source."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import materialize
from lifestage.users.pairs import FUZZY

PAIR = ("a", "b")
TYPES = ("a_type", "b_type")
ENDS = (*PAIR, *TYPES)
KEY = (*PAIR, "source", "event_date")
COUNTED = ("n", "score")
EVIDENCE = (*KEY, *TYPES, "event_month", *COUNTED)
# Every two of the identifiers of one row, each pair once and in order.
EVERY_TWO = (
    "flatten(transform(named, (one, at) -> transform(slice(named, at + 2, size(named)), other -> "
    "named_struct('a', one.value, 'a_type', one.key, 'b', other.value, 'b_type', other.key))))"
)


def event_links(events: DataFrame) -> DataFrame:
    """Rows of link_days from events: every two identifiers that one event names.

    `events` has one row an event, with source, event_date and identifiers.
    """
    named = events.where(F.size("identifiers") >= 2).withColumn("named", F.map_entries("identifiers"))
    return _pair_days(named)


def reference_links(versions: DataFrame, name: str, identifiers: dict[str, str]) -> DataFrame:
    """Rows of link_days from a reference table, on the date from which a version says so.

    Args:
        versions: rows of the table that have not ended.
        name: the table, as the source of the evidence.
        identifiers: its columns that hold pseudonyms, with their types.
    """
    # Two columns may hold identifiers of one type: a map by type would lose one.
    named = F.array(
        *[
            F.struct(F.lit(kind).alias("key"), F.col(column).alias("value"))
            for column, kind in identifiers.items()
        ]
    )
    rows = versions.select(
        named.alias("named"), F.lit(name).alias("source"), F.col("extract_date").alias("event_date")
    )
    return _pair_days(rows)


def match_links(matches: DataFrame) -> DataFrame:
    """Rows of link_days from the rows of `matches`: one each, with its score."""
    return matches.select(
        *ENDS, "event_date", F.lit(FUZZY).alias("source"), F.lit(1).cast("bigint").alias("n"), "score"
    ).withColumn("event_month", F.trunc("event_date", "month"))


def _pair_days(rows: DataFrame) -> DataFrame:
    """Counts by pair, source and date; nobody is a pair with themselves."""
    known = "array_sort(array_distinct(transform(filter(named, e -> e.value IS NOT NULL), e -> named_struct('value', e.value, 'key', e.key))))"
    pairs = rows.select("source", "event_date", F.expr(known).alias("named")).select(
        "source", "event_date", F.explode(F.expr(EVERY_TWO)).alias("pair")
    )
    return (
        pairs.select("pair.*", "source", "event_date")
        .groupBy(*KEY)
        .agg(F.min("a_type").alias("a_type"), F.min("b_type").alias("b_type"), F.count("*").alias("n"))
        .withColumns({"event_month": F.trunc("event_date", "month"), "score": F.lit(None).cast("double")})
    )


def difference(before: DataFrame, after: DataFrame) -> DataFrame:
    """Rows of link_days that go, come, count or score anew, with n_before and n; NULL where there is none."""
    kept = [F.col(name).alias(f"{name}_before") for name in COUNTED]
    old = before.select(*KEY, *TYPES, "event_month", *kept)
    both = old.join(after.select(*EVIDENCE), on=[*KEY, *TYPES, "event_month"], how="full")
    return both.where("NOT (n_before <=> n AND score_before <=> score)")


def first_dates(link_days: DataFrame) -> DataFrame:
    """Rows of `links`: every pair of which there is evidence, with its first date."""
    return link_days.groupBy(*ENDS).agg(F.min("event_date").alias("first_on"))


def differently_dated(before: DataFrame, after: DataFrame) -> DataFrame:
    """a, b and the earlier first date of every pair that has one more, one less or another, by rows of `links`."""
    old = before.select(*PAIR, F.col("first_on").alias("first_before"))
    both = after.join(old, on=[*PAIR], how="full").where("NOT first_on <=> first_before")
    return both.select(*PAIR, F.least("first_on", "first_before").alias("first_on"))


def dated_again(links: DataFrame, link_days: DataFrame, changes: DataFrame) -> DataFrame:
    """Every pair that has a first date, none any more or another by evidence that goes or comes; NULL where none.

    Args:
        links: as they are.
        link_days: as they are, before rows go and come.
        changes: see difference.

    Returns:
        The columns of `links`, and first_before.
    """
    gone, come = materialize(changes.where("n IS NULL")), changes.where("n_before IS NULL")
    pairs = changes.select(*ENDS).distinct()
    known = materialize(
        links.join(F.broadcast(pairs.select(*PAIR)), on=[*PAIR]).select(
            *PAIR, F.col("first_on").alias("first_before")
        )
    )
    # Where the first goes, what is left is counted again; otherwise the earlier date counts.
    is_first = F.col("event_date") <= F.col("first_before")
    touched = materialize(
        gone.join(known, on=[*PAIR]).where(is_first).select(*PAIR, "first_before").distinct()
    )
    [[since]] = touched.agg(F.trunc(F.min("first_before"), "month")).collect()
    later = link_days.where(F.col("event_month") >= F.lit(since).cast("date"))
    left = later.join(touched, on=[*PAIR], how="left_semi").join(gone, on=[*KEY], how="left_anti")
    still = known.join(touched, on=[*PAIR], how="left_anti")
    dates = (
        come.select(*PAIR, "event_date")
        .unionByName(left.select(*PAIR, "event_date"))
        .unionByName(still.select(*PAIR, F.col("first_before").alias("event_date")))
    )
    first = dates.groupBy(*PAIR).agg(F.min("event_date").alias("first_on"))
    dated = pairs.join(first, on=[*PAIR], how="left").join(known, on=[*PAIR], how="left")
    return dated.where("NOT first_on <=> first_before")
