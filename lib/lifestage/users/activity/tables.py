"""Tables of activity: subject-days, and subject-days by category."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import MONEY, QUANTITY, Column, Kind, Table, WriteMode
from lifestage.users.catalogue.model import Catalogue


def activity_days(catalogue: Catalogue) -> Table:
    """The table of subject-days; its columns are the measures of the catalogue."""
    measures = tuple(
        Column(name, measure.type, measure.description, unit=measure.unit)
        for name, measure in catalogue.measures.items()
    )
    return Table(
        name="activity_days",
        kind=Kind.DERIVED,
        comment="Subject-days: one row per subject and business date, with the mergeable measures of the feature catalogue.",
        columns=(*_day_columns(), *measures),
        key=("subject", "event_date"),
        mode=WriteMode.MERGE,
        partitions=("event_month",),
        order=("event_date",),
        unindexed=("subject",),
        has_change_feed=True,
    )


def _day_columns() -> tuple[Column, ...]:
    return (
        Column(
            "subject",
            T.StringType(),
            "Strongest pseudonym on the events, by declared priority",
            required=True,
        ),
        Column("event_date", T.DateType(), "Business date", required=True),
        Column("event_month", T.DateType(), "First day of the month of event_date; partition", required=True),
    )


CATEGORY_DAYS = Table(
    name="category_days",
    kind=Kind.DERIVED,
    comment="Purchases and returns per subject, business date and category.",
    columns=(
        *_day_columns(),
        Column(
            "category",
            T.StringType(),
            "Category of the event, else of its product; NULL if unknown",
        ),
        Column("n_purchases", T.LongType(), "Number of purchase lines"),
        Column("quantity", QUANTITY, "Units bought"),
        Column("gross_amount", MONEY, "Purchases, returns not subtracted"),
        Column("net_amount", MONEY, "Purchases minus returns"),
    ),
    key=("subject", "event_date", "category"),
    mode=WriteMode.MERGE,
    partitions=("event_month",),
    order=("event_date",),
    unindexed=("subject",),
    has_change_feed=True,
)
