"""The reasons to reject an event: values of the wrong type, rules for every event, and rules of its source."""

import re
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.event_types import AmountSign
from lifestage.ingestion.events.tables import MAPPED_COLUMNS
from lifestage.ingestion.sources.config import Severity, Source
from lifestage.platform.config.expressions import columns_of

MAX_FUTURE = "INTERVAL 1 DAY"
NOT_NEGATIVE = ("discount_amount", "coupon_amount", "quantity")
# No real receipt line is this large, and the sum of a day of such lines would overflow.
AMOUNT_LIMIT = 10**12
BEFORE_HISTORY = "before_history:event_at"


def cast_reasons(source: Source) -> list[Column]:
    """Return a reason for each mapped value that does not fit the type of its canonical column."""
    reasons = []
    for column in MAPPED_COLUMNS:
        sql_type = column.type.simpleString()
        if column.name in source.map and sql_type not in ("string", "map<string,string>"):
            value = F.expr(source.map[column.name])
            is_lost = value.isNotNull() & value.try_cast(sql_type).isNull()
            reasons.append(F.when(is_lost, F.lit(f"not_a_{sql_type.split('(')[0]}:{column.name}")))
    return reasons


def rule_reasons(source: Source, severity: Severity) -> list[Column]:
    """Return a reason for each rule of the source that a row breaks; a rule that gives NULL counts as met."""
    rules = {name: rule.check for name, rule in source.rules.items() if rule.severity is severity}
    return [F.when(~F.expr(check), F.lit(f"rule:{name}")) for name, check in rules.items()]


def is_before_history(history_starts_on: date) -> Column:
    """Return whether an event is from before the first day of the data, as one with a clock at 1970 is."""
    return F.coalesce(F.col("event_date") < F.lit(history_starts_on), F.lit(False))


def event_reasons(source: Source, config: IngestConfig) -> list[Column]:
    """Return the reasons that follow from the canonical columns.

    They are the same for every source, except that some columns are required only if the source declares them.
    """
    types = config.event_types
    signs = {
        sign: [name for name, event_type in types.items() if event_type.amount is sign] for sign in AmountSign
    }
    has_wrong_sign = (F.col("event_type").isin(signs[AmountSign.POSITIVE]) & (F.col("amount") < 0)) | (
        F.col("event_type").isin(signs[AmountSign.NEGATIVE]) & (F.col("amount") > 0)
    )
    faults = {
        "missing:event_type": F.col("event_type").isNull(),
        "unknown_event_type": ~F.col("event_type").isin(list(types)),
        "missing:event_at": F.col("event_at").isNull() & ~_has_cast_reason("event_at", source),
        "out_of_range:event_at": F.col("_no_day"),
        "in_the_future": F.col("event_at") > F.col("ingested_at") + F.expr(MAX_FUTURE),
        "wrong_sign:amount": has_wrong_sign,
        "no_rate:currency": F.col("_no_rate"),
        "out_of_range:rating": ~F.col("rating").between(1, 5),
        "out_of_range:amount": F.col("_too_large") | (F.abs("amount") >= AMOUNT_LIMIT),
        **{f"out_of_range:{name}": F.abs(name) >= AMOUNT_LIMIT for name in NOT_NEGATIVE},
        **{f"negative:{name}": F.col(name) < 0 for name in NOT_NEGATIVE},
    }
    if source.before_history is Severity.ERROR:
        faults[BEFORE_HISTORY] = is_before_history(config.history_starts_on)
    if source.key:
        faults["missing:key"] = F.col("event_id").isNull()
    if source.version is not None:
        faults["missing:version"] = F.col("version").isNull()
    if source.identifier == "required":
        faults["missing:identifier"] = F.col("subject").isNull()
    return [F.when(condition, F.lit(reason)) for reason, condition in faults.items()]


def _has_cast_reason(name: str, source: Source) -> Column:
    """Return whether a reason names the column or a source column that it is computed from."""
    columns = "|".join(re.escape(column) for column in sorted({name, *columns_of(source.map[name])}))
    return F.col("_reasons").rlike(f"(?m):({columns})$")
