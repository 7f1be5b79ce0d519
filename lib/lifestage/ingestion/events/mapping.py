"""Raw rows of one source to canonical events, each with every reason why it may not become one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.event_types import AmountSign
from lifestage.ingestion.events.tables import EVENT_COLUMNS, MAPPED_COLUMNS
from lifestage.ingestion.sources.config import RATES, OnChange, Severity, Source
from lifestage.ingestion.sources.readers import (
    broken_reason,
    joined_reasons,
    known_day,
    listed_reasons,
    typed,
)
from lifestage.platform.config.expressions import columns_of
from lifestage.platform.runtime.as_of_join import join_as_of
from lifestage.platform.security.pseudonyms import (
    add_normalised,
    dropped_warning,
    keyed_hash,
    pseudonym,
    with_pads,
    without_pads,
)
from lifestage.platform.storage.contracts import MONEY

MAX_FUTURE = "INTERVAL 1 DAY"
AMOUNTS = ("amount", "discount_amount", "coupon_amount")
NOT_NEGATIVE = ("discount_amount", "coupon_amount", "quantity")
# No line of a till says so much, and what adds up a day of such lines would overflow.
TOO_MUCH = 10**12


@dataclass(frozen=True)
class Door:
    """What rows of any source pass on their way in."""

    config: IngestConfig
    lookups: Mapping[str, DataFrame]
    key: bytes
    now: datetime


def to_canonical(raw: DataFrame, name: str, source: Source, door: Door) -> DataFrame:
    """One row per raw row: the canonical columns, `reasons` (empty for a good row), `warnings`, `raw`, `is_delete`.

    Header lines stay, marked is_header, until check_headers has seen them. Money in another currency is converted by the reference table `rates`
    (currency, rate) of the business date, HALF_UP per row; without a rate the row is rejected. A local time in a DST
    gap is rejected, of two instants the earlier is taken. An identifier that is not valid, or a placeholder, is dropped
    with a warning, the event stays. Rows of a keyless source get their event_id later (see keys.py).
    """
    rows = with_pads(_source_columns(raw, source, door), door.key)
    mapped = _mapped(rows, name, source, door)
    return without_pads(_judged(_converted(mapped, source, door), source, door))


def _source_columns(raw: DataFrame, source: Source, door: Door) -> DataFrame:
    """The source's columns under their own names and types, with the reference rows of the day as structs."""
    rows = typed(raw, source, source.time_zone or door.config.time_zone)
    if not source.lookups:
        return rows
    rows = rows.withColumn("_day", _business_date(F.expr(source.map["event_at"]), door))
    for lookup in source.lookups:
        rows = join_as_of(rows, door.lookups[lookup.reference], lookup.reference, lookup.on, "_day")
    return rows


def _mapped(rows: DataFrame, name: str, source: Source, door: Door) -> DataFrame:
    """Canonical names and types; identifiers as they were given, as `_raw_<type>`."""
    return rows.select(
        F.col("_delivery_no").alias("delivery_no"),
        F.col("_raw").alias("raw"),
        "_broken",
        "_header",
        F.col("_pads"),
        joined_reasons([F.col("_faults"), *_cast_reasons(source)]).alias("_reasons"),
        joined_reasons(_broken_rules(source, Severity.ERROR)).alias("_rules"),
        joined_reasons(_broken_rules(source, Severity.WARNING)).alias("_warned"),
        F.lit(name).alias("source"),
        F.lit(door.now).cast("timestamp").alias("ingested_at"),
        *[_target(column.name, column.type.simpleString(), source) for column in MAPPED_COLUMNS],
        _event_id(source).alias("event_id"),
        _version(source).alias("version"),
        (F.expr(source.delete_when) if source.delete_when else F.lit(False)).alias("is_delete"),
        *[F.expr(sql).cast("string").alias(f"_raw_{kind}") for kind, sql in source.identifiers.items()],
    )


def _target(name: str, kind: str, source: Source) -> Column:
    """A mapped column in its canonical type; NULL where the value cannot be (_cast_reasons says so)."""
    if name == "attributes":
        return _attributes(source).alias(name)
    if name not in source.map:
        return F.lit(None).cast(kind).alias(name)
    return F.expr(source.map[name]).try_cast(kind).alias(name)


def _cast_reasons(source: Source) -> list[Column]:
    reasons = []
    for column in MAPPED_COLUMNS:
        kind = column.type.simpleString()
        if column.name in source.map and kind not in ("string", "map<string,string>"):
            value = F.expr(source.map[column.name])
            lost = value.isNotNull() & value.try_cast(kind).isNull()
            reasons.append(F.when(lost, F.lit(f"not_a_{kind.split('(')[0]}:{column.name}")))
    return reasons


def _attributes(source: Source) -> Column:
    """Declared attributes, NULL where the source gives none."""
    if not source.attributes:
        return F.lit(None).cast("map<string,string>")
    return F.create_map(
        *[part for key, sql in source.attributes.items() for part in (F.lit(key), F.expr(sql).cast("string"))]
    )


def _event_id(source: Source) -> Column:
    """The key's values joined by '|', as a keyed hash where one is an identifier; NULL where a part is missing."""
    if not source.key:
        return F.lit(None).cast("string")
    parts = [F.replace(F.col(f"`{part}`").cast("string"), F.lit("|"), F.lit("||")) for part in source.key]
    text = parts[0]
    for part in parts[1:]:
        text = F.concat(text, F.lit("|"), part)
    return keyed_hash(F.encode(text, "UTF-8")) if set(source.key) & set(source.pii) else text


def _version(source: Source) -> Column:
    """The version as a whole number; timestamps count in microseconds."""
    if source.version is None:
        return F.lit(None).cast("bigint")
    value = f"({source.version})"
    return F.expr(
        f"CASE WHEN typeof{value} LIKE 'timestamp%' THEN unix_micros(CAST({value} AS TIMESTAMP)) ELSE TRY_CAST({value} AS BIGINT) END"
    )


def _converted(rows: DataFrame, source: Source, door: Door) -> DataFrame:
    """Adds business dates, and turns amounts of another currency into the business currency."""
    day = _business_date(F.col("event_at"), door)
    rows = rows.withColumns(
        {"event_date": known_day(day), "_no_day": day.isNotNull() & known_day(day).isNull()}
    )
    rows = rows.withColumn("event_month", F.trunc("event_date", "month"))
    if "currency_original" not in source.map:
        return rows.withColumns({"_no_rate": F.lit(False), "_too_large": F.lit(False)})
    rates = door.lookups.get(RATES)
    if rates is None:
        rate = F.lit(None).cast("decimal(18,8)")
    else:
        rows = join_as_of(rows, rates, RATES, {"currency": "currency_original"}, "event_date")
        rate = F.col("rates.rate").try_cast("decimal(18,8)")
    is_home = F.coalesce(F.col("currency_original"), F.lit(door.config.currency)) == door.config.currency
    rate = F.when(is_home, F.lit(1).cast("decimal(18,8)")).otherwise(rate)
    given = {name: name for name in AMOUNTS if name in source.map}
    amounts = {
        name: F.round(F.col(original) * rate, 2)
        for name, original in {"amount": "amount_original", **given}.items()
    }
    lost = [value.isNotNull() & value.try_cast(MONEY).isNull() for value in amounts.values()]
    flags = {"_no_rate": rate.isNull(), "_too_large": reduce(Column.__or__, lost)}
    return rows.withColumns(
        {**{name: value.try_cast(MONEY) for name, value in amounts.items()}, **flags}
    ).drop(RATES)


def _judged(rows: DataFrame, source: Source, door: Door) -> DataFrame:
    """Adds the reasons: a broken line has no other, any other row has all that apply, sorted."""
    rows, dropped = _with_pseudonyms(rows, source, door)
    found = joined_reasons([F.col("_reasons"), F.col("_rules"), *_event_reasons(source, door)])
    reasons = F.when(F.col("_broken"), broken_reason(F.col("raw"))).otherwise(found)
    # The text of a good row is not needed, unless what the row meets may still reject it.
    may_be_needed = source.looks_back or source.on_change is OnChange.REJECT or not source.key
    raw = F.col("raw") if may_be_needed else F.when(F.trim(reasons, F.lit("\n")) != "", F.col("raw"))
    return rows.select(
        *[column.name for column in EVENT_COLUMNS],
        raw.alias("raw"),
        listed_reasons(reasons).alias("reasons"),
        listed_reasons(joined_reasons([F.col("_warned"), *dropped])).alias("warnings"),
        F.coalesce("is_delete", F.lit(False)).alias("is_delete"),
        F.col("_header").alias("is_header"),
        F.lit(source.looks_back).alias("looks_back"),
        F.lit(source.on_change is OnChange.REJECT).alias("rejects_changes"),
    )


def _with_pseudonyms(rows: DataFrame, source: Source, door: Door) -> tuple[DataFrame, list[Column]]:
    """Adds identifiers and the strongest as subject; a warning for each identifier that was dropped."""
    kinds = [kind for kind in door.config.by_strength() if kind in source.identifiers]
    if not kinds:
        nobody = {
            "subject": F.lit(None).cast("string"),
            "identifiers": F.lit(None).cast("map<string,string>"),
        }
        return rows.withColumns(nobody), []
    for kind in kinds:
        rows = add_normalised(rows, f"_raw_{kind}", f"_id_{kind}", door.config.identifiers[kind])
    rows = rows.withColumns({f"_ps_{kind}": pseudonym(kind, F.col(f"_id_{kind}")) for kind in kinds})
    every = F.create_map(*[part for kind in kinds for part in (F.lit(kind), F.col(f"_ps_{kind}"))])
    subject = F.coalesce(*[F.col(f"_ps_{kind}") for kind in kinds])
    present = every if len(kinds) == 1 else F.map_filter(every, lambda _, value: value.isNotNull())
    dropped = [dropped_warning(kind, f"_id_{kind}") for kind in kinds]
    return rows.withColumns(
        {"subject": subject, "identifiers": F.when(subject.isNotNull(), present)}
    ), dropped


def _event_reasons(source: Source, door: Door) -> list[Column]:
    types = door.config.event_types
    signs = {sign: [name for name, kind in types.items() if kind.amount is sign] for sign in AmountSign}
    wrong_sign = (F.col("event_type").isin(signs[AmountSign.POSITIVE]) & (F.col("amount") < 0)) | (
        F.col("event_type").isin(signs[AmountSign.NEGATIVE]) & (F.col("amount") > 0)
    )
    faults = {
        "missing:event_type": F.col("event_type").isNull(),
        "unknown_event_type": ~F.col("event_type").isin(list(types)),
        "missing:event_at": F.col("event_at").isNull() & ~_is_unread("event_at", source),
        "out_of_range:event_at": F.col("_no_day"),
        "in_the_future": F.col("event_at") > F.col("ingested_at") + F.expr(MAX_FUTURE),
        "wrong_sign:amount": wrong_sign,
        "no_rate:currency": F.col("_no_rate"),
        "out_of_range:rating": ~F.col("rating").between(1, 5),
        "out_of_range:amount": F.col("_too_large") | (F.abs("amount") >= TOO_MUCH),
        **{f"out_of_range:{name}": F.abs(name) >= TOO_MUCH for name in NOT_NEGATIVE},
        **{f"negative:{name}": F.col(name) < 0 for name in NOT_NEGATIVE},
    }
    if source.key:
        faults["missing:key"] = F.col("event_id").isNull()
    if source.version is not None:
        faults["missing:version"] = F.col("version").isNull()
    if source.identifier == "required":
        faults["missing:identifier"] = F.col("subject").isNull()
    return [F.when(condition, F.lit(reason)) for reason, condition in faults.items()]


def _is_unread(name: str, source: Source) -> Column:
    """Whether a fault says already why the column has no value: its own, or that of a column it is made of."""
    columns = "|".join(re.escape(column) for column in sorted({name, *columns_of(source.map[name])}))
    return F.col("_reasons").rlike(f"(?m):({columns})$")


def _broken_rules(source: Source, severity: Severity) -> list[Column]:
    """A reason for each of the source's own rules that does not hold; NULL counts as held."""
    rules = {name: rule.check for name, rule in source.rules.items() if rule.severity is severity}
    return [F.when(~F.expr(check), F.lit(f"rule:{name}")) for name, check in rules.items()]


def _business_date(instant: Column, door: Door) -> Column:
    return F.to_date(F.from_utc_timestamp(instant.try_cast("timestamp"), door.config.time_zone))
