"""Raw rows of an extract to rows of its table, each with every reason why it may not become one."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.ingestion.reference.versions import told_apart
from lifestage.ingestion.sources.config import ReferenceSource
from lifestage.ingestion.sources.readers import (
    broken_reason,
    joined_reasons,
    known_day,
    listed_reasons,
    typed,
)
from lifestage.platform.job import Secrets
from lifestage.platform.security.pseudonyms import add_normalised, dropped_warning, pseudonym, with_pads
from lifestage.platform.security.sealing import sealed


def to_reference(
    raw: DataFrame, source: ReferenceSource, config: ReferenceConfig, keys: Secrets
) -> DataFrame:
    """One row per raw row: the table's columns, extract_date, delivery_no, `reasons` (empty for a good row), `is_repeat`.

    Beside them, under names that no column of a table has, `_warnings`, `_raw` (of a row with reasons) and `_broken`.
    Header lines stay, marked is_header, until check_headers has seen them. An identifier that is not valid, or a
    placeholder, is NULL with a warning; in the key it is missing. A sealed column is binary.
    """
    rows = with_pads(
        _mapped(typed(raw, source, source.time_zone or config.time_zone), source), keys.pseudonym_key
    )
    for column, kind in source.identifiers.items():
        rows = add_normalised(rows, f"_row.{column}", f"_id_{column}", config.identifiers[kind])
    named = _judged(rows, source)
    if source.sealed:
        named = sealed(named, source.sealed, keys.quarantine_key)
    judged = told_apart(named, source.key, source.payload)
    return judged.withColumn("_raw", F.when(F.size("reasons") > 0, F.col("_raw")))


def _mapped(rows: DataFrame, source: ReferenceSource) -> DataFrame:
    """The table's columns as the struct `_row`: a rule of an identifier calls what it is about `value`."""
    columns = [
        F.expr(sql).try_cast(source.types.get(column, "string")).alias(column)
        for column, sql in source.map.items()
    ]
    day = known_day(F.expr(source.valid_from).try_cast("date"))
    own = ("_raw", "_delivery_no", "_broken", "_header", "_faults")
    return rows.select(F.struct(*columns).alias("_row"), day.alias("extract_date"), *own)


def _judged(rows: DataFrame, source: ReferenceSource) -> DataFrame:
    """Pseudonyms in the place of identifiers, and what is wrong with each row by itself."""
    warnings = [dropped_warning(kind, f"_id_{column}") for column, kind in source.identifiers.items()]
    named = rows.select(
        *[_column(name, source).alias(name) for name in source.map],
        "extract_date",
        F.col("_delivery_no").alias("delivery_no"),
        F.lit(False).alias("is_ended"),
        F.col("_header").alias("is_header"),
        listed_reasons(joined_reasons(warnings)).alias("_warnings"),
        "_raw",
        "_broken",
        "_faults",
    )
    # A broken line has no other reason.
    missing = [
        F.when(F.col(name).isNull(), F.lit(f"missing:{name}")) for name in (*source.key, "extract_date")
    ]
    found = joined_reasons([F.col("_faults"), *missing])
    reasons = listed_reasons(F.when(F.col("_broken"), broken_reason(F.col("_raw"))).otherwise(found))
    return named.withColumn("reasons", reasons).drop("_faults")


def _column(name: str, source: ReferenceSource) -> Column:
    if name in source.identifiers:
        return pseudonym(source.identifiers[name], F.col(f"_id_{name}"))
    return F.col(f"_row.{name}")
