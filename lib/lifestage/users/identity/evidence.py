"""Evidence: which identifiers were seen together, on which date and in which source."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.users.pairs import FUZZY, PAIR, PAIR_TYPES

KEY = (*PAIR, "source", "event_date")
COUNTS = ("n", "score")
EVIDENCE = (*KEY, *PAIR_TYPES, "event_month", *COUNTS)
# The known identifiers of a row: distinct, and sorted by pseudonym, so that a sorts before b in every pair.
KNOWN_IDENTIFIERS = (
    "array_sort(array_distinct(transform(filter(identifiers, e -> e.value IS NOT NULL), "
    "e -> named_struct('value', e.value, 'key', e.key))))"
)
# Every pair of the identifiers of a row, once.
ALL_PAIRS = (
    "flatten(transform(identifiers, (one, at) -> transform(slice(identifiers, at + 2, size(identifiers)), other -> "
    "named_struct('a', one.value, 'a_type', one.key, 'b', other.value, 'b_type', other.key))))"
)


def to_event_evidence(events: DataFrame) -> DataFrame:
    """Rows of link_days from events: one per pair of identifiers on one event, by source and business date.

    `events` has one row per event, with source, event_date and identifiers. Events with fewer than two identifiers
    give no evidence.
    """
    several = events.where(F.size("identifiers") >= 2)
    return _count_pairs(several.withColumn("identifiers", F.map_entries("identifiers")))


def to_reference_evidence(versions: DataFrame, name: str, identifiers: dict[str, str]) -> DataFrame:
    """Rows of link_days from a reference table, dated by the first day on which a version holds.

    Args:
        versions: rows of the table that have not ended.
        name: the table, which becomes the source of the evidence.
        identifiers: its columns of pseudonyms, with the identifier type of each.
    """
    # An array, because two columns can hold identifiers of one type, and a map by type would lose one of them.
    pairs = [
        F.struct(F.lit(kind).alias("key"), F.col(column).alias("value"))
        for column, kind in identifiers.items()
    ]
    return _count_pairs(
        versions.select(
            F.array(*pairs).alias("identifiers"),
            F.lit(name).alias("source"),
            F.col("extract_date").alias("event_date"),
        )
    )


def to_match_evidence(matches: DataFrame) -> DataFrame:
    """Rows of link_days from rows of `matches`: one each, with its score."""
    source, n = F.lit(FUZZY).alias("source"), F.lit(1).cast("bigint").alias("n")
    rows = matches.select(*PAIR, *PAIR_TYPES, "event_date", source, n, "score")
    return rows.withColumn("event_month", F.trunc("event_date", "month"))


def _count_pairs(rows: DataFrame) -> DataFrame:
    """Counts rows by pair, source and date. An identifier forms no pair with itself; NULL identifiers form none."""
    known = rows.select("source", "event_date", F.expr(KNOWN_IDENTIFIERS).alias("identifiers"))
    pairs = known.select("source", "event_date", F.explode(F.expr(ALL_PAIRS)).alias("pair"))
    return (
        pairs.select("pair.*", "source", "event_date")
        .groupBy(*KEY)
        .agg(F.min("a_type").alias("a_type"), F.min("b_type").alias("b_type"), F.count("*").alias("n"))
        .withColumns({"event_month": F.trunc("event_date", "month"), "score": F.lit(None).cast("double")})
    )


def diff_evidence(before: DataFrame, after: DataFrame) -> DataFrame:
    """Rows of link_days that are added, removed, or change their count or score.

    Returns:
        The columns of link_days, and n_before and score_before. n is NULL where a row is removed, n_before where one
        is added.
    """
    counts = [F.col(name).alias(f"{name}_before") for name in COUNTS]
    old = before.select(*KEY, *PAIR_TYPES, "event_month", *counts)
    both = old.join(after.select(*EVIDENCE), on=[*KEY, *PAIR_TYPES, "event_month"], how="full")
    return both.where("NOT (n_before <=> n AND score_before <=> score)")
