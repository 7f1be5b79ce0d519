"""Map the raw rows of one source to canonical events, with every reason to reject a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, reduce

from babel.numbers import get_currency_precision, list_currencies
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.rules import (
    BEFORE_HISTORY,
    cast_reasons,
    event_reasons,
    is_before_history,
    rule_reasons,
)
from lifestage.ingestion.events.tables import EVENTS, MAPPED_COLUMNS
from lifestage.ingestion.sources.casting import cast_columns, null_if_sentinel
from lifestage.ingestion.sources.config import RATES, OnChange, Severity, Source
from lifestage.ingestion.sources.reasons import broken_line_reason, join_reasons, split_reasons
from lifestage.platform.config.expressions import columns_of
from lifestage.platform.runtime.as_of_join import join_as_of
from lifestage.platform.security.personal_data import MASKED_PREFIX, form_warning, mask_column
from lifestage.platform.security.pseudonyms import (
    add_key_pads,
    add_normalised_identifier,
    drop_key_pads,
    hmac_hex,
    identifier_warning,
    pseudonym,
)
from lifestage.platform.storage.contracts import MONEY

AMOUNTS = ("amount", "discount_amount", "coupon_amount")
MONEY_COLUMNS = (*AMOUNTS, "amount_original")
RATE_TYPE = "decimal(18,8)"
UNIT_TYPE = "decimal(5,4)"
# The catalogue and the table of rates list the values of these.
LISTED = ("event_type", "currency_original")


@dataclass(frozen=True)
class IngestContext:
    """What the mapping of every source needs besides its rows."""

    config: IngestConfig
    lookups: Mapping[str, DataFrame]
    key: bytes
    now: datetime


def to_canonical(raw: DataFrame, name: str, source: Source, context: IngestContext) -> DataFrame:
    """Map raw rows to canonical rows with `reasons`, `warnings`, `raw` and `is_delete`; one row per raw row.

    Header lines stay, marked `is_header`, for `check_headers`; rows that are no data are marked `is_skipped`. `event_id` is
    NULL for a keyless source (see keys.py).

    - A good row has an empty `reasons`. A broken line has one reason, any other bad row has all that apply, sorted.
    - Money in another currency is converted with the `rates` row (currency, rate) of the business date, rounded
      HALF_UP per row. A row without a rate is rejected.
    - A local time in a DST gap is rejected. Of two possible instants, the earlier counts.
    - An invalid or placeholder identifier is dropped with a warning, and the event stays.
    - A good row has a warning for each column whose text looks like personal data (see security/personal_data.py). If the
      source says so, a hash takes the place of the text.
    - `raw` is NULL for a good row that no later row can reject.

    Args:
        raw: Rows of `read_raw` or `parse_lines`.
        name: Name of the source.
        source: Its configuration.
        context: Shared configuration, reference tables, pseudonym key, and the run's now.
    """
    rows = add_key_pads(_cast_and_look_up(raw, source, context), context.key)
    rows = _mask_texts(_map_columns(rows, name, source, context), source)
    rows = _convert_amounts(_add_event_date(rows, context), source, context)
    return drop_key_pads(_add_reasons(rows, source, context))


def _cast_and_look_up(raw: DataFrame, source: Source, context: IngestContext) -> DataFrame:
    """Return the source's own columns with their types, and the day's reference rows as structs."""
    rows = cast_columns(raw, source, source.time_zone or context.config.time_zone)
    if not source.lookups:
        return rows
    rows = rows.withColumn("_day", _business_date(F.expr(source.map["event_at"]), context))
    for lookup in source.lookups:
        rows = join_as_of(rows, context.lookups[lookup.reference], lookup.reference, lookup.on, "_day")
    return rows


def _map_columns(rows: DataFrame, name: str, source: Source, context: IngestContext) -> DataFrame:
    """Select canonical names and types; identifiers stay as they were delivered, as `_raw_<type>`."""
    return rows.select(
        F.col("_delivery_no").alias("delivery_no"),
        F.col("_raw").alias("raw"),
        "_broken",
        "_header",
        "_skipped",
        F.col("_pads"),
        join_reasons([F.col("_faults"), *cast_reasons(source)]).alias("_reasons"),
        join_reasons(rule_reasons(source, Severity.ERROR)).alias("_rules"),
        join_reasons([F.col("_rounded"), *rule_reasons(source, Severity.WARNING)]).alias("_rule_warnings"),
        F.lit(name).alias("source"),
        F.lit(context.now).cast("timestamp").alias("ingested_at"),
        *[
            _map_column(column.name, column.type.simpleString(), source, context.config.currency)
            for column in MAPPED_COLUMNS
        ],
        build_event_id(source).alias("event_id"),
        _version(source).alias("version"),
        (F.expr(source.delete_when) if source.delete_when else F.lit(False)).alias("is_delete"),
        *[F.expr(sql).cast("string").alias(f"_raw_{id_type}") for id_type, sql in source.identifiers.items()],
    )


def _map_column(name: str, sql_type: str, source: Source, currency: str) -> Column:
    """Return a canonical column, NULL where the value does not fit its type (see `cast_reasons`)."""
    if name == "attributes" and source.attributes:
        pairs = [
            part
            for key, sql in source.attributes.items()
            for part in (F.lit(key), F.expr(sql).cast("string"))
        ]
        return F.create_map(*pairs).alias(name)
    if name == "attributes" or name not in source.map:
        return F.lit(None).cast(sql_type).alias(name)
    value = F.expr(source.map[name])
    if source.amounts == "minor" and name in MONEY_COLUMNS:
        value = value.try_cast("decimal(24,4)") * _minor_unit(source, currency)
    value = value.try_cast(sql_type)
    # Some systems write codes of currencies in lower case.
    return (F.upper(F.trim(value)) if name == "currency_original" else value).alias(name)


def _minor_unit(source: Source, currency: str) -> Column:
    """Return what the smallest unit of a row's currency is worth: 0.01 for most."""
    code = F.upper(F.trim(F.expr(source.map.get("currency_original", f"'{currency}'"))))
    units = {code: Decimal(1).scaleb(-digits) for code, digits in list_fraction_digits().items()}
    others = [part for code, unit in units.items() for part in (F.lit(code), F.lit(unit).cast(UNIT_TYPE))]
    return F.coalesce(F.create_map(*others)[code], F.lit(Decimal("0.01")).cast(UNIT_TYPE))


@cache
def list_fraction_digits() -> Mapping[str, int]:
    """Return the decimals of each currency that has another number of them than two (ISO 4217).

    Example:
        >>> digits = list_fraction_digits()
        >>> digits["JPY"], digits["KWD"], digits.get("EUR")
        (0, 3, None)
    """
    digits = {code: get_currency_precision(code) for code in sorted(list_currencies())}
    return {code: n for code, n in digits.items() if n != 2}


def build_event_id(source: Source) -> Column:
    """Join the key's values with '|', NULL if one is missing; hashed with the key if one is an identifier."""
    if not source.key:
        return F.lit(None).cast("string")
    parts = [F.replace(F.col(f"`{part}`").cast("string"), F.lit("|"), F.lit("||")) for part in source.key]
    text = parts[0]
    for part in parts[1:]:
        text = F.concat(text, F.lit("|"), part)
    return hmac_hex(F.encode(text, "UTF-8")) if set(source.key) & set(source.pii) else text


def _version(source: Source) -> Column:
    """Return the version as a whole number; a timestamp counts in microseconds."""
    if source.version is None:
        return F.lit(None).cast("bigint")
    value = f"({source.version})"
    return F.expr(
        f"CASE WHEN typeof{value} LIKE 'timestamp%' THEN unix_micros(CAST({value} AS TIMESTAMP)) ELSE TRY_CAST({value} AS BIGINT) END"
    )


def _add_event_date(rows: DataFrame, context: IngestContext) -> DataFrame:
    day = _business_date(F.col("event_at"), context)
    event_date = null_if_sentinel(day)
    rows = rows.withColumns({"event_date": event_date, "_no_day": day.isNotNull() & event_date.isNull()})
    return rows.withColumn("event_month", F.trunc("event_date", "month"))


def _convert_amounts(rows: DataFrame, source: Source, context: IngestContext) -> DataFrame:
    """Convert amounts into the business currency; `_no_rate` and `_too_large` mark rows where that fails."""
    if "currency_original" not in source.map:
        return rows.withColumns({"_no_rate": F.lit(False), "_too_large": F.lit(False)})
    rates = context.lookups.get(RATES)
    if rates is None:
        rate = F.lit(None).cast(RATE_TYPE)
    else:
        rows = join_as_of(rows, rates, RATES, {"currency": "currency_original"}, "event_date")
        rate = F.col("rates.rate").try_cast(RATE_TYPE)
    home = F.lit(context.config.currency)
    is_home = F.coalesce(F.col("currency_original"), home) == home
    rate = F.when(is_home, F.lit(1).cast(RATE_TYPE)).otherwise(rate)
    originals = {"amount": "amount_original", **{name: name for name in AMOUNTS if name in source.map}}
    amounts = {name: F.round(F.col(original) * rate, 2) for name, original in originals.items()}
    overflows = [value.isNotNull() & value.try_cast(MONEY).isNull() for value in amounts.values()]
    return rows.withColumns(
        {
            **{name: value.try_cast(MONEY) for name, value in amounts.items()},
            "_no_rate": rate.isNull(),
            "_too_large": reduce(Column.__or__, overflows),
        }
    ).drop(RATES)


def _add_reasons(rows: DataFrame, source: Source, context: IngestContext) -> DataFrame:
    """Select the canonical columns with reasons, warnings and the flags that `resolve` needs."""
    rows, identifier_warnings = _add_pseudonyms(rows, source, context)
    found = join_reasons([F.col("_reasons"), F.col("_rules"), *event_reasons(source, context.config)])
    reasons = F.when(F.col("_broken"), broken_line_reason(F.col("raw"))).otherwise(found)
    # A good row needs its text only if another row with the same key can still cause its rejection.
    needs_raw = source.looks_back or source.on_change is OnChange.REJECT or not source.key
    is_good = F.trim(reasons, F.lit("\n")) == ""
    early = F.when(is_good & is_before_history(context.config.history_starts_on), F.lit(BEFORE_HISTORY))
    raw = F.col("raw") if needs_raw else F.when(~is_good, F.col("raw"))
    return rows.select(
        *EVENTS.names,
        raw.alias("raw"),
        split_reasons(reasons).alias("reasons"),
        split_reasons(
            join_reasons(
                [F.col("_rule_warnings"), early, *identifier_warnings, F.when(is_good, F.col("_forms"))]
            )
        ).alias("warnings"),
        F.coalesce("is_delete", F.lit(False)).alias("is_delete"),
        F.col("_header").alias("is_header"),
        F.col("_skipped").alias("is_skipped"),
        F.lit(source.looks_back).alias("looks_back"),
        F.lit(source.on_change is OnChange.REJECT).alias("rejects_changes"),
        F.lit(source.snapshot).alias("replaces_changes"),
    )


def _mask_texts(rows: DataFrame, source: Source) -> DataFrame:
    """Add warnings of personal data as `_forms`, and hash such values if the source says so; the key stays as it is."""
    texts = _list_stored_texts(source)
    if not source.mask_personal_data:
        return rows.withColumn("_forms", form_warning(texts))
    key = {name: texts.pop(name) for name in ("event_id",) if name in texts}
    rows = rows.withColumn("_forms", join_reasons([form_warning(key), form_warning(texts, MASKED_PREFIX)]))
    masked = {name: mask_column(value) for name, value in texts.items() if name in EVENTS.names}
    attributes = F.transform_values("attributes", lambda _, value: mask_column(value))
    return rows.withColumns({**masked, "attributes": attributes})


def _list_stored_texts(source: Source) -> dict[str, Column]:
    """Return the columns of text that events hold as delivered, by name; texts that the configuration fixes are left out."""
    texts = {
        column.name: F.col(column.name)
        for column in MAPPED_COLUMNS
        if isinstance(column.type, T.StringType)
        and column.name not in LISTED
        and columns_of(source.map.get(column.name, "NULL"))
    }
    if source.key and not set(source.key) & set(source.pii):
        texts["event_id"] = F.col("event_id")
    of_map = F.col("attributes")
    return texts | {
        f"attributes.{name}": of_map[name] for name, sql in source.attributes.items() if columns_of(sql)
    }


def _add_pseudonyms(
    rows: DataFrame, source: Source, context: IngestContext
) -> tuple[DataFrame, list[Column]]:
    """Add `identifiers` and the strongest of them as `subject`, and return the warnings for dropped ones."""
    types = [name for name in context.config.sort_by_strength() if name in source.identifiers]
    if not types:
        none = {
            "subject": F.lit(None).cast("string"),
            "identifiers": F.lit(None).cast("map<string,string>"),
        }
        return rows.withColumns(none), []
    for name in types:
        rows = add_normalised_identifier(
            rows, f"_raw_{name}", f"_id_{name}", context.config.identifiers[name]
        )
    rows = rows.withColumns({f"_ps_{name}": pseudonym(name, F.col(f"_id_{name}")) for name in types})
    every = F.create_map(*[part for name in types for part in (F.lit(name), F.col(f"_ps_{name}"))])
    subject = F.coalesce(*[F.col(f"_ps_{name}") for name in types])
    present = every if len(types) == 1 else F.map_filter(every, lambda _, value: value.isNotNull())
    rows = rows.withColumns({"subject": subject, "identifiers": F.when(subject.isNotNull(), present)})
    return rows, [identifier_warning(name, f"_id_{name}") for name in types]


def _business_date(instant: Column, context: IngestContext) -> Column:
    return F.to_date(F.from_utc_timestamp(instant.try_cast("timestamp"), context.config.time_zone))
