"""A small table of sales, for tests of the store."""

from datetime import date

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from support.frames import build

MONTH = Column("month", T.DateType(), "First day of the month", required=True)
SALES = Table(
    name="sales",
    kind=Kind.DERIVED,
    comment="Sales, for tests.",
    columns=(
        Column("id", T.StringType(), "Key of the sale", required=True),
        Column("person", T.StringType(), "Pseudonym"),
        Column("n", T.LongType(), "Units"),
        Column("tags", T.MapType(T.StringType(), T.StringType()), "What else is known"),
        MONTH,
    ),
    key=("id",),
    mode=WriteMode.APPEND,
    partitions=("month",),
    order=("n",),
    unindexed=("id", "person"),
)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def table(mode):
    return Table(**{**SALES.__dict__, "mode": mode})


def sales(spark, *rows):
    """Sales of (id, n, month)."""
    return build(
        spark, SALES, [{"id": id_, "person": f"p-{id_}", "n": n, "month": month} for id_, n, month in rows]
    )
