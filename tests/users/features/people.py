"""States written by hand, for rhythm and SQL features."""

from decimal import Decimal

from users.features.builders import D, before

COLUMNS = {
    "user_id": "string",
    "as_of": "date",
    "status": "string",
    "first_purchase_channel": "string",
    "occasion_days": "array<date>",
    "joined_on": "date",
    "last_active_on": "date",
    "last_occasion_on": "date",
    "occasions_365d": "bigint",
    "net_amount_365d": "decimal(18,2)",
    "n_categories_365d": "bigint",
    "n_repeat_categories_365d": "bigint",
    "top_category_365d": "string",
    "expected_amount_365d": "bigint",
    "priced_amount_365d": "bigint",
}


def person(user_id="u1", days_ago=(), as_of=D, channel="store", status="active", spend=None, **columns):
    """A user with occasions that many days ago, of 10.00 each."""
    days = sorted(before(n, as_of) for n in days_ago)
    recent = sum((as_of - each).days < 365 for each in days)
    stated = {
        "joined_on": days[0] if days else None,
        "last_active_on": days[-1] if days else None,
        **columns,
        "last_occasion_on": days[-1] if days else None,
        "net_amount_365d": Decimal(spend or 10 * recent),
    }
    fixed = {"user_id": user_id, "as_of": as_of, "status": status, "first_purchase_channel": channel}
    row = {**fixed, "occasion_days": days, "occasions_365d": recent, **stated}
    return tuple(row.get(name) for name in COLUMNS)


def people(spark, rows):
    return spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()))


def every(gap, times, last=0):
    """Days ago of occasions `gap` days apart, with `times` gaps, the newest `last` days ago."""
    return [last + gap * n for n in range(times + 1)]


def after_gaps(*gaps, last=0):
    """Days ago of occasions with these gaps between them, oldest gap first, the newest occasion `last` days ago."""
    days = [last]
    for gap in reversed(gaps):
        days.append(days[-1] + gap)
    return days
