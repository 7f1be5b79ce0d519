"""Turn extracts into versions: the values of each key, and the business dates on which they are valid."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.runtime.as_of_join import is_valid_on

BEGINNING = "DATE'0001-01-01'"
END = "DATE'9999-12-31'"


def build_versions(
    known: DataFrame,
    rows: DataFrame,
    key: Sequence[str],
    payload: Sequence[str],
    is_full: bool,
    rejected: DataFrame | None = None,
) -> DataFrame:
    """Build all versions of every key that the extracts change; unchanged keys do not appear.

    A version is valid from the date of its extract until the next version that differs. The first version of a key
    covers all earlier days. If two extracts have the same date, the later delivery counts. Extracts that are read together
    give the same versions as extracts read one by one in order of their dates. A full extract also ends the keys that
    it lacks, except keys with a rejected row.

    Args:
        known: Rows of the reference table.
        rows: Good rows of the extracts: key, payload, extract_date, delivery_no, is_ended. A delivery has at most one
            row per key and date (see `flag_repeats`).
        key: Key columns.
        payload: The other columns.
        is_full: Whether the extracts are full.
        rejected: Rejected rows of the extracts, with `_broken`; only full extracts need them.
    """
    extracts = rows.unionByName(build_end_markers(known, rows, key, payload, rejected)) if is_full else rows
    columns = [*key, *payload, "is_ended", "extract_date", "delivery_no"]
    states = known.select(*columns).unionByName(extracts.select(*columns))
    states = states.join(_find_changed_keys(known, extracts, key, payload), on=list(key), how="left_semi")
    return _chain_versions(_keep_last_per_date(states.withColumn("_content", _content(payload)), key), key)


def build_end_markers(
    known: DataFrame,
    extracts: DataFrame,
    key: Sequence[str],
    payload: Sequence[str],
    rejected: DataFrame | None = None,
) -> DataFrame:
    """Build a row with is_ended for each key that a full extract lacks, on the extract's date.

    If several extracts have the same date, the last one decides. A key with a rejected row does not end. If an extract has
    a line that could not be parsed, it ends no key, because the line may belong to any key.

    Args:
        known: Rows of the reference table.
        extracts: The good rows.
        key: Key columns.
        payload: The other columns.
        rejected: The rejected rows, with `_broken`.
    """
    seen = known.select(*key, "extract_date").unionByName(extracts.select(*key, "extract_date"))
    first_seen = seen.groupBy(*key).agg(F.min("extract_date").alias("_first"))
    dates = extracts.groupBy("extract_date").agg(F.max("delivery_no").alias("delivery_no"))
    last_extracts = F.broadcast(dates)
    on = ["extract_date", "delivery_no"]
    mentioned = extracts.join(last_extracts, on=on, how="left_semi").select(*key, "extract_date")
    if rejected is not None:
        dated = _align_extract_dates(rejected, extracts).join(last_extracts, on=on, how="left_semi")
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


def flag_repeats(rows: DataFrame, key: Sequence[str], payload: Sequence[str]) -> DataFrame:
    """Add `is_repeat`, and a reason to rows that contradict each other; one row per row.

    Good rows of one delivery, key and date are compared. Of equal rows, all but one are repeats. Rows that differ are
    all rejected with the reason `contradicts:<key>`. Rows with a reason of their own contradict no other.
    """
    is_good = (F.size("reasons") == 0) & ~F.col("is_skipped")
    group = Window.partitionBy("delivery_no", *key, "extract_date", is_good)
    rows = rows.withColumn("_content", _content(payload))
    contradicts = is_good & (F.min("_content").over(group) != F.max("_content").over(group))
    reason = F.array(F.lit(f"contradicts:{','.join(key)}"))
    rows = rows.withColumns(
        {
            "is_repeat": F.row_number().over(group.orderBy("_content")) > 1,
            "reasons": F.when(contradicts, reason).otherwise(F.col("reasons")),
        }
    )
    return rows.drop("_content")


def _align_extract_dates(rejected: DataFrame, extracts: DataFrame) -> DataFrame:
    """Give rejected rows the date of their delivery's good rows, because their own date may be wrong."""
    days = extracts.groupBy("delivery_no").agg(F.max("extract_date").alias("_day"))
    rows = rejected.join(F.broadcast(days), on="delivery_no", how="left")
    return rows.withColumn("extract_date", F.coalesce("_day", "extract_date"))


def _content(payload: Sequence[str]) -> Column:
    return F.sha2(F.to_json(F.struct("is_ended", *payload)), 256)


def _find_changed_keys(
    known: DataFrame, extracts: DataFrame, key: Sequence[str], payload: Sequence[str]
) -> DataFrame:
    """Return the keys with a row that differs from the version known for its date, or that is earlier than this version.

    The first version also covers the days before its extract. So a late row with the same values moves its date back.
    """
    old_key = [F.col(name).alias(f"_{name}") for name in key]
    old = [F.col("extract_date").alias("_since"), _content(payload).alias("_known")]
    versions = known.select(*old_key, "valid_from", "valid_to", *old)
    is_same = is_valid_on("extract_date") & (F.col("_since") <= F.col("extract_date"))
    is_same = is_same & (F.col("_known") == _content(payload))
    for name in key:
        is_same = is_same & (F.col(f"_{name}") == F.col(name))
    return extracts.join(versions, on=is_same, how="left_anti").select(*key).distinct()


def _keep_last_per_date(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """Keep the last delivery's row of each key and date. `_displaces` marks a row that differs from an earlier delivery's."""
    day = Window.partitionBy(*key, "extract_date")
    previous = F.lag("_content").over(day.orderBy("delivery_no", F.col("_content").desc()))
    rows = rows.withColumn("_before", previous).where("_before IS NULL OR _before <> _content")
    newest = day.orderBy(F.col("delivery_no").desc(), "_content")
    number = F.row_number().over(newest.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    rows = rows.withColumns({"_number": number, "_displaces": F.col("_before").isNotNull()})
    return rows.where("_number = 1").drop("_number", "_before")


def _chain_versions(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """Merge consecutive equal rows into one version, and end each version where the next begins.

    A version that displaced another has the delivery number of the row that displaced it, because its days changed.
    """
    by_date = Window.partitionBy(*key).orderBy("extract_date")
    so_far = by_date.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    previous = F.lag("_content").over(by_date)
    rows = rows.withColumn("_starts", previous.isNull() | (previous != F.col("_content")))
    rows = rows.withColumn("_version", F.count_if("_starts").over(so_far))
    changed_by = F.max(F.when(F.col("_starts") | F.col("_displaces"), F.col("delivery_no")))
    rows = rows.withColumn("delivery_no", changed_by.over(Window.partitionBy(*key, "_version")))
    versions = rows.where("_starts").drop("_content", "_displaces", "_starts", "_version")
    is_first = F.lag("extract_date").over(by_date).isNull()
    return versions.withColumns(
        {
            "valid_from": F.when(is_first, F.expr(BEGINNING)).otherwise(F.col("extract_date")),
            "valid_to": F.coalesce(F.lead("extract_date").over(by_date), F.expr(END)),
        }
    )
