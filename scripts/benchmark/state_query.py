"""Write the state of users as one SQL query, from the declarations of the feature catalogue.

The query is an independent way to the same numbers: it aggregates events to days and days to windows, without pseudonyms,
minor units, sketches or incremental updates.
"""

import sqlglot
from sqlglot import expressions as exp

from lifestage.users.catalogue.model import Aggregate, Catalogue, Measure, Window, is_distinct, type_of

# The query reads a relation `events` with these columns: columns of the table `events`, those that activity adds, the member,
# and the age of the event at as_of in days.
EMPTY_COLUMNS = {
    "attributes_feature": "VARCHAR",
    "attributes_question": "VARCHAR",
    "coupon_amount": "DECIMAL(18, 2)",
    "discount_amount": "DECIMAL(18, 2)",
    "duration": "BIGINT",
    "rating": "DOUBLE",
}
# A user has one row per day, so the least text starts with the first day that has a channel.
FIRST_CHANNEL = "SUBSTRING(MIN(CAST(event_date AS STRING) || purchase_channel), 11) AS first_purchase_channel"


def columns_of_state(catalogue: Catalogue) -> list[str]:
    """The columns of the query after the member: dates and windows."""
    return [*catalogue.dates, *(window.name for window in catalogue.all_windows())]


def write_state_query(catalogue: Catalogue, dialect: str) -> str:
    """The query in the SQL of `spark`, `duckdb` or `polars`."""
    measures = {name: each for name, each in catalogue.measures.items() if not is_distinct(each)}
    days = [f"{_measure_sql(each)} AS {name}" for name, each in measures.items()]
    conditions = [
        f"COALESCE(CAST({day.expression} AS {type_of(day.unit).simpleString()}), 0) AS {name}"
        for name, day in catalogue.days.items()
    ]
    dates = [
        f"{'MIN' if mark.which == 'first' else 'MAX'}(CASE WHEN {mark.when} THEN event_date END) AS {name}"
        for name, mark in catalogue.dates.items()
    ]
    plain, distinct = [], []
    for window in catalogue.all_windows():
        (distinct if is_distinct(catalogue.source_of(window)) else plain).append(window)
    state = [*dates, *(f"{_window_sql(catalogue, window)} AS {window.name}" for window in plain)]
    counts = [f"{_distinct_sql(catalogue, window)} AS {window.name}" for window in distinct]
    names = ", ".join(columns_of_state(catalogue))
    join = "JOIN counts ON counts.member = state.member" if counts else ""
    counts_sql = (
        f", counts AS (SELECT member, {', '.join(counts)} FROM events GROUP BY member)" if counts else ""
    )
    query = f"""
        WITH days AS (SELECT member, event_date, age, {", ".join(days)} FROM events GROUP BY member, event_date, age),
        user_days AS (SELECT *, {", ".join(conditions)} FROM days),
        state AS (SELECT member, {", ".join(state)}, {FIRST_CHANNEL} FROM user_days GROUP BY member),
        occasions AS (
            SELECT member, ARRAY_AGG(event_date) AS occasion_days FROM user_days WHERE occasions > 0 GROUP BY member
        )
        {counts_sql}
        SELECT state.member AS member, first_purchase_channel, occasion_days, {names}
        FROM state LEFT JOIN occasions ON occasions.member = state.member {join}
    """
    tree = sqlglot.parse_one(query, dialect="spark").transform(_read_attribute)
    if dialect == "spark":
        return tree.sql("spark")
    return tree.transform(_start_week_on_monday).sql("duckdb")


def _measure_sql(measure: Measure) -> str:
    value = f"CASE WHEN {measure.filter or 'true'} THEN {measure.expression or 1} END"
    match measure.aggregate:
        case Aggregate.COUNT:
            return f"COUNT({value})"
        case Aggregate.SUM:
            return f"COALESCE(SUM({value}), 0)"
        case _:
            return f"{measure.aggregate.value.upper()}({value})"


def _window_sql(catalogue: Catalogue, window: Window) -> str:
    source = catalogue.source_of(window)
    value = f"CASE WHEN {_is_inside(window)} THEN {window.measure} END"
    aggregate = source.aggregate if isinstance(source, Measure) else Aggregate.SUM
    if aggregate in (Aggregate.MIN, Aggregate.MAX):
        return f"{aggregate.value.upper()}({value})"
    return f"CAST(COALESCE(SUM({value}), 0) AS {type_of(source.unit).simpleString()})"


def _distinct_sql(catalogue: Catalogue, window: Window) -> str:
    measure = catalogue.measures[window.measure]
    condition = f"({measure.filter or 'true'}) AND {_is_inside(window)}"
    return f"COUNT(DISTINCT CASE WHEN {condition} THEN {measure.expression} END)"


def _is_inside(window: Window) -> str:
    return (
        "true" if window.days is None else f"age BETWEEN {window.shift} AND {window.shift + window.days - 1}"
    )


def _read_attribute(node: exp.Expression) -> exp.Expression:
    """Read attributes['x'] from a column: not all engines have maps."""
    if isinstance(node, exp.Bracket) and node.this.name == "attributes":
        return exp.column(f"attributes_{node.expressions[0].name}")
    return node


def _start_week_on_monday(node: exp.Expression) -> exp.Expression:
    """Number weekdays from Monday as Spark does; other engines count from Sunday."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "weekday":
        return sqlglot.parse_one(f"(DATE_PART('isodow', {node.expressions[0].sql()}) - 1)", dialect="duckdb")
    return node
