"""Extracts to versions: what was true of a key on which business date."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.runtime.as_of_join import is_valid_on

BEGINNING = "DATE'0001-01-01'"
END = "DATE'9999-12-31'"


def versions_after(
    known: DataFrame,
    rows: DataFrame,
    key: Sequence[str],
    payload: Sequence[str],
    is_full: bool,
    rejected: DataFrame | None = None,
) -> DataFrame:
    """All versions of every key that the rows of extracts change; of full ones, also of keys that they leave out.

    A key of which a row was rejected stays what it was.
    """
    extracts = rows.unionByName(end_markers(known, rows, key, payload, rejected)) if is_full else rows
    return changed_versions(known, extracts, key, payload)


def changed_versions(
    known: DataFrame, extracts: DataFrame, key: Sequence[str], payload: Sequence[str]
) -> DataFrame:
    """All versions of every key that the extracts change; keys they leave as they are do not appear.

    Args:
        known: rows of the reference table.
        extracts: key, payload, extract_date, delivery_no, is_ended (a key missing from a full extract).
        key: key columns.
        payload: the other columns.

    A version holds from its extract's date to the next that differs; the first covers all earlier days. Of two
    extracts of one date the later delivery counts; no delivery says two things of a key and date (see told_apart).
    Extracts that are read together, in order of their dates, give what they would give one by one.
    """
    columns = [*key, *payload, "is_ended", "extract_date", "delivery_no"]
    rows = known.select(*columns).unionByName(extracts.select(*columns))
    rows = rows.join(_touched(known, extracts, key, payload), on=list(key), how="left_semi")
    return _chained(_one_per_date(rows.withColumn("_content", _content(payload)), key), key)


def end_markers(
    known: DataFrame,
    extracts: DataFrame,
    key: Sequence[str],
    payload: Sequence[str],
    rejected: DataFrame | None = None,
) -> DataFrame:
    """A row with is_ended for each key that a full extract no longer holds, on the extract's date.

    Args:
        known: rows of the reference table.
        extracts: the good rows.
        key: key columns.
        payload: the other columns.
        rejected: the other rows, with `_broken`. They are mentions of their keys all the same; a line that could not be
            read may be of any key, so that its extract ends none.
    """
    seen = known.select(*key, "extract_date").unionByName(extracts.select(*key, "extract_date"))
    first_seen = seen.groupBy(*key).agg(F.min("extract_date").alias("_first"))
    dates = extracts.groupBy("extract_date").agg(F.max("delivery_no").alias("delivery_no"))
    # Of several extracts of one date the last says who is there.
    counts = F.broadcast(dates)
    newest = ("extract_date", "delivery_no")
    mentioned = extracts.join(counts, on=[*newest], how="left_semi").select(*key, "extract_date")
    if rejected is not None:
        dated = _dated(rejected, extracts).join(counts, on=[*newest], how="left_semi")
        mentioned = mentioned.unionByName(dated.select(*key, "extract_date"))
        unread = dated.where("_broken").select("extract_date").distinct()
        dates = dates.join(unread, on="extract_date", how="left_anti")
    due = (
        first_seen.crossJoin(F.broadcast(dates)).where(F.col("_first") < F.col("extract_date")).drop("_first")
    )
    missing = due.join(mentioned, on=[*key, "extract_date"], how="left_anti")
    types = dict(known.select(*payload).dtypes)
    return missing.select(
        *key,
        *[F.lit(None).cast(types[name]).alias(name) for name in payload],
        F.lit(True).alias("is_ended"),
        "extract_date",
        "delivery_no",
    )


def told_apart(rows: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """Adds what a good row is among those of its delivery, key and date: `is_repeat` of an equal one, or one more reason.

    Of two that say different things neither is believed. A row that is wrong by itself contradicts nobody.
    """
    is_good = F.size("reasons") == 0
    said = Window.partitionBy("delivery_no", *key, "extract_date", is_good)
    rows = rows.withColumn("_content", _content(payload))
    contradicts = is_good & (F.min("_content").over(said) != F.max("_content").over(said))
    reason = F.array(F.lit(f"contradicts:{','.join(key)}"))
    rows = rows.withColumns(
        {
            "is_repeat": F.row_number().over(said.orderBy("_content")) > 1,
            "reasons": F.when(contradicts, reason).otherwise(F.col("reasons")),
        }
    )
    return rows.drop("_content")


def _dated(rejected: DataFrame, extracts: DataFrame) -> DataFrame:
    """Rejected rows on the date that the good ones of their delivery have; a date of their own may be what is wrong."""
    days = extracts.groupBy("delivery_no").agg(F.max("extract_date").alias("_day"))
    dated = rejected.join(F.broadcast(days), on="delivery_no", how="left")
    return dated.withColumn("extract_date", F.coalesce("_day", "extract_date"))


def _content(payload: Sequence[str]) -> Column:
    return F.sha2(F.to_json(F.struct("is_ended", *payload)), 256)


def _touched(known: DataFrame, extracts: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """Keys of which some row says something else than the version known for its date."""
    old_key = [F.col(name).alias(f"_{name}") for name in key]
    versions = known.select(*old_key, "valid_from", "valid_to", _content(payload).alias("_known"))
    says_the_same = is_valid_on("extract_date") & (F.col("_known") == _content(payload))
    for name in key:
        says_the_same = says_the_same & (F.col(f"_{name}") == F.col(name))
    return extracts.join(versions, on=says_the_same, how="left_anti").select(*key).distinct()


def _one_per_date(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """What counts on each date, with `_displaces`: on its date something else was said before."""
    day = Window.partitionBy(*key, "extract_date")
    said_before = F.lag("_content").over(day.orderBy("delivery_no", F.col("_content").desc()))
    rows = rows.withColumn("_before", said_before).where("_before IS NULL OR _before <> _content")
    newest = day.orderBy(F.col("delivery_no").desc(), "_content")
    number = F.row_number().over(newest.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    rows = rows.withColumns({"_number": number, "_displaces": F.col("_before").isNotNull()})
    return rows.where("_number = 1").drop("_number", "_before")


def _chained(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """Consecutive equal rows become one version; each ends where the next begins.

    A version that took the place of another has the delivery that brought it there: its days have changed.
    """
    by_date = Window.partitionBy(*key).orderBy("extract_date")
    so_far = by_date.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    before = F.lag("_content").over(by_date)
    rows = rows.withColumn("_starts", before.isNull() | (before != F.col("_content")))
    rows = rows.withColumn("_version", F.count_if("_starts").over(so_far))
    brought = F.max(F.when(F.col("_starts") | F.col("_displaces"), F.col("delivery_no")))
    rows = rows.withColumn("delivery_no", brought.over(Window.partitionBy(*key, "_version")))
    versions = rows.where("_starts").drop("_content", "_displaces", "_starts", "_version")
    is_first = F.lag("extract_date").over(by_date).isNull()
    return versions.withColumns(
        {
            "valid_from": F.when(is_first, F.expr(BEGINNING)).otherwise(F.col("extract_date")),
            "valid_to": F.coalesce(F.lead("extract_date").over(by_date), F.expr(END)),
        }
    )
