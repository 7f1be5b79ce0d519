"""Extracts to versions: what was true of a key on which business date."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

BEGINNING = "DATE'0001-01-01'"
END = "DATE'9999-12-31'"


def changed_versions(known: DataFrame, extracts: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """All versions of every key that the extracts change; keys they leave as they are do not appear.

    Args:
        known: rows of the reference table.
        extracts: key, payload, extract_date, delivery_no, is_ended (a key missing from a full extract).
        key: key columns.
        payload: the other columns.

    A version holds from its extract's date to the next that differs; the first covers all earlier days. Of two
    extracts of one date the later delivery counts, of two equal keys in one delivery the lowest content hash.
    """
    news = _informative(known, extracts, key, payload)
    versions = ["is_ended", "extract_date", "delivery_no"]
    touched = news.select(*key).distinct()
    old = known.join(touched, on=list(key), how="left_semi")
    rows = old.select(*key, *payload, *versions).unionByName(news.select(*key, *payload, *versions))
    return _chained(_one_per_date(rows, key, payload), key, payload)


def end_markers(known: DataFrame, extracts: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """A row with is_ended for each key that a full extract no longer holds, on the extract's date."""
    seen = known.select(*key, "extract_date").unionByName(extracts.select(*key, "extract_date"))
    first_seen = seen.groupBy(*key).agg(F.min("extract_date").alias("_first"))
    dates = extracts.groupBy("extract_date").agg(F.max("delivery_no").alias("delivery_no"))
    due = first_seen.crossJoin(F.broadcast(dates)).where(F.col("_first") < F.col("extract_date")).drop("_first")
    missing = due.join(extracts.select(*key, "extract_date"), on=[*key, "extract_date"], how="left_anti")
    types = dict(known.select(*payload).dtypes)
    return missing.select(
        *key,
        *[F.lit(None).cast(types[name]).alias(name) for name in payload],
        F.lit(True).alias("is_ended"),
        "extract_date",
        "delivery_no",
    )


def _content(payload: Sequence[str]) -> Column:
    return F.sha2(F.to_json(F.struct("is_ended", *payload)), 256)


def _informative(known: DataFrame, extracts: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """Rows that say something else than the version known for their date, or than an absent key's absence."""
    versions = known.select(*key, F.col("valid_from").alias("_from"), F.col("valid_to").alias("_to"), _content(payload).alias("_known"))
    new = extracts.alias("new").join(versions.alias("old"), on=list(key), how="left")
    holds = F.col("extract_date").between(F.col("_from"), F.date_sub("_to", 1))
    same = F.coalesce(holds & (F.col("_known") == _content(payload)), F.lit(False))
    per_row = new.withColumn("_same", same).groupBy(*key, *payload, "is_ended", "extract_date", "delivery_no")
    return per_row.agg(F.max("_same").alias("_same")).where(~F.col("_same")).drop("_same")


def _one_per_date(rows: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    best = Window.partitionBy(*key, "extract_date").orderBy(F.col("delivery_no").desc(), _content(payload))
    number = F.row_number().over(best.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return rows.withColumn("_number", number).where("_number = 1").drop("_number")


def _chained(rows: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """Consecutive equal rows become one version; each ends where the next begins."""
    by_date = Window.partitionBy(*key).orderBy("extract_date")
    rows = rows.withColumn("_content", _content(payload))
    changes = rows.withColumn("_before", F.lag("_content").over(by_date)).where("_before IS NULL OR _before <> _content")
    valid_from = F.when(F.lag("extract_date").over(by_date).isNull(), F.expr(BEGINNING)).otherwise(F.col("extract_date"))
    valid_to = F.coalesce(F.lead("extract_date").over(by_date), F.expr(END))
    return changes.withColumns({"valid_from": valid_from, "valid_to": valid_to}).drop("_content", "_before")
