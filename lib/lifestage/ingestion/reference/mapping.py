"""Map the raw rows of an extract to rows of its table, with every reason to reject a row."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.reference.config import ReferenceConfig
from lifestage.ingestion.reference.versions import flag_repeats
from lifestage.ingestion.sources.casting import cast_columns, null_if_sentinel
from lifestage.ingestion.sources.config import ReferenceSource
from lifestage.ingestion.sources.reasons import broken_line_reason, join_reasons, split_reasons
from lifestage.platform.config.expressions import columns_of
from lifestage.platform.run import Secrets
from lifestage.platform.security.personal_data import MASKED_PREFIX, PREFIX, form_warning, mask_column
from lifestage.platform.security.pseudonyms import (
    PADS,
    add_key_pads,
    add_normalised_identifier,
    drop_key_pads,
    identifier_warning,
    pseudonym,
)
from lifestage.platform.security.sealing import seal_columns


def to_reference(
    raw: DataFrame, source: ReferenceSource, config: ReferenceConfig, keys: Secrets
) -> DataFrame:
    """Map raw rows to the table's columns with extract_date, delivery_no, `reasons` and `is_repeat`; one row per row.

    A good row has an empty `reasons`. Besides these, the result has `_warnings`, `_raw` (NULL for a good row) and
    `_broken`, names that no column of a table has. Header lines stay, marked `is_header`, for `check_headers`. An
    invalid or placeholder identifier is NULL with a warning; in the key, that is a missing value. A good row has a
    warning for each column whose text looks like personal data. If the source says so, a hash takes the place of the text,
    but not in the key. A sealed column is binary.
    """
    typed = cast_columns(raw, source, source.time_zone or config.time_zone)
    rows = add_key_pads(_map_columns(typed, source), keys.pseudonym_key)
    for column, id_type in source.identifiers.items():
        rows = add_normalised_identifier(rows, f"_row.{column}", f"_id_{column}", config.identifiers[id_type])
    rows = _add_reasons(rows, source)
    if source.sealed:
        rows = seal_columns(rows, source.sealed, keys.quarantine_key)
    rows = flag_repeats(rows, source.key, source.payload)
    return rows.withColumn("_raw", F.when(F.size("reasons") > 0, F.col("_raw")))


def _map_columns(rows: DataFrame, source: ReferenceSource) -> DataFrame:
    """Put the table's columns into the struct `_row`: the rules of identifiers need the name `value` for themselves."""
    columns = [
        F.expr(sql).try_cast(source.types.get(column, "string")).alias(column)
        for column, sql in source.map.items()
    ]
    day = null_if_sentinel(F.expr(source.valid_from).try_cast("date"))
    own = ("_raw", "_delivery_no", "_broken", "_header", "_skipped", "_rounded", "_faults")
    return rows.select(F.struct(*columns).alias("_row"), day.alias("extract_date"), *own)


def _add_reasons(rows: DataFrame, source: ReferenceSource) -> DataFrame:
    """Replace identifiers by pseudonyms, and add the reasons that a row has by itself."""
    warnings = [
        identifier_warning(id_type, f"_id_{column}") for column, id_type in source.identifiers.items()
    ]
    rows = rows.select(
        *[_table_column(name, source).alias(name) for name in source.map],
        "extract_date",
        F.col("_delivery_no").alias("delivery_no"),
        F.lit(False).alias("is_ended"),
        F.col("_header").alias("is_header"),
        F.col("_skipped").alias("is_skipped"),
        join_reasons([F.col("_rounded"), *warnings]).alias("_warnings"),
        "_raw",
        "_broken",
        "_faults",
        PADS,
    )
    missing = [
        F.when(F.col(name).isNull(), F.lit(f"missing:{name}")) for name in (*source.key, "extract_date")
    ]
    found = join_reasons([F.col("_faults"), *missing])
    # A broken line has no other reason.
    reasons = F.when(F.col("_broken"), broken_line_reason(F.col("_raw"))).otherwise(found)
    texts = _list_stored_texts(source)
    in_key = {name: value for name, value in texts.items() if name in source.key}
    others = {name: value for name, value in texts.items() if name not in source.key}
    forms = [
        form_warning(in_key),
        form_warning(others, MASKED_PREFIX if source.mask_personal_data else PREFIX),
    ]
    is_good = F.trim(reasons, F.lit("\n")) == ""
    warned = split_reasons(join_reasons([F.col("_warnings"), *[F.when(is_good, form) for form in forms]]))
    masked = {name: mask_column(value) for name, value in others.items()} if source.mask_personal_data else {}
    rows = rows.withColumns({"reasons": split_reasons(reasons), "_warnings": warned, **masked})
    return drop_key_pads(rows.drop("_faults"))


def _list_stored_texts(source: ReferenceSource) -> dict[str, Column]:
    """Return the columns of text that the table holds as delivered, by name."""
    return {
        name: F.col(name)
        for name in source.in_clear
        if name not in source.identifiers
        and source.types.get(name, "string") == "string"
        and columns_of(source.map[name])
    }


def _table_column(name: str, source: ReferenceSource) -> Column:
    if name in source.identifiers:
        return pseudonym(source.identifiers[name], F.col(f"_id_{name}"))
    return F.col(f"_row.{name}")
